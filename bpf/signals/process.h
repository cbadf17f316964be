/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Processes: exec (after the point of no return), fork, exit, and exec that failed. */
#ifndef WEIR_PROCESS_H
#define WEIR_PROCESS_H

int read_endpoints(struct weir_endpoints *ep, u64 sk);
#define fill_endpoints(ep, sk) read_endpoints(ep, as_number(sk))

static __noinline void fill_inode_times(struct weir_exec *exec, struct inode *inode)
{
	if (bpf_core_field_exists(inode->i_ctime_sec)) {
		exec->ctime = BPF_CORE_READ(inode, i_ctime_sec) * BILLION + BPF_CORE_READ(inode, i_ctime_nsec);
		exec->mtime = BPF_CORE_READ(inode, i_mtime_sec) * BILLION + BPF_CORE_READ(inode, i_mtime_nsec);
		return;
	}
	struct inode___underscore *middle = (void *)inode;
	if (bpf_core_field_exists(middle->__i_ctime)) {
		exec->ctime = BPF_CORE_READ(middle, __i_ctime.tv_sec) * BILLION +
			      BPF_CORE_READ(middle, __i_ctime.tv_nsec);
		return;
	}
	struct inode___timespec *old = (void *)inode;
	if (bpf_core_field_exists(old->i_ctime)) {
		exec->ctime = BPF_CORE_READ(old, i_ctime.tv_sec) * BILLION + BPF_CORE_READ(old, i_ctime.tv_nsec);
		exec->mtime = BPF_CORE_READ(old, i_mtime.tv_sec) * BILLION + BPF_CORE_READ(old, i_mtime.tv_nsec);
	}
}

static __always_inline struct socket *socket_of(struct file *file)
{
	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	return BPF_CORE_READ(file, private_data);
}

/* What standard input and output are: a shell on a socket is worth knowing. */
static __noinline void fill_standard_files(struct writer *w, struct weir_exec *exec, struct task_struct *task)
{
	struct file *in = file_of_fd(0);

	if (in) {
		exec->stdin_mode = BPF_CORE_READ(in, f_inode, i_mode);
		struct socket *socket = socket_of(in);
		if (socket)
			fill_endpoints(&exec->stdin_sock, BPF_CORE_READ(socket, sk));
		else
			put_file_path(w, &exec->stdin_path, in);
	}
	struct socket *out = socket_of(file_of_fd(1));
	if (out)
		fill_endpoints(&exec->stdout_sock, BPF_CORE_READ(out, sk));
}

static __noinline void fill_terminal(struct weir_exec *exec, struct task_struct *task)
{
	struct signal_struct *signal = BPF_CORE_READ(task, signal);
	struct tty_struct *tty = BPF_CORE_READ(signal, tty);

	if (tty)
		exec->tty = (BPF_CORE_READ(tty, driver, major) << 20) |
			    (BPF_CORE_READ(tty, driver, minor_start) + BPF_CORE_READ(tty, index));
	/* PIDTYPE_PGID = 2, PIDTYPE_SID = 3. */
	struct pid *group = BPF_CORE_READ(signal, pids[2]);
	struct pid *session = BPF_CORE_READ(signal, pids[3]);
	if (group)
		exec->pgid = BPF_CORE_READ(group, numbers[0].nr);
	if (session)
		exec->sid = BPF_CORE_READ(session, numbers[0].nr);
}

/* What the file of the image is; the same for an exec and for a process that was there before. */
static __noinline void fill_image(struct writer *w, struct weir_exec *exec, struct mm_struct *mm)
{
	struct file *file = BPF_CORE_READ(mm, exe_file);
	struct inode *inode = file ? BPF_CORE_READ(file, f_inode) : NULL;

	if (!inode)
		return;
	fill_file(&exec->exe, (u64)inode);
	fill_inode_times(exec, inode);
	put_file_path(w, &exec->exe_path, file);
	if (exec->exe.layer == 2)
		exec->exec_flags |= WEIR_X_UPPER;
	if (exec->exe.magic == TMPFS_MAGIC)
		exec->exec_flags |= WEIR_X_TMPFS;
	if (exec->exe.nlink == 0)
		exec->exec_flags |= WEIR_X_UNLINKED;
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	if (dentry == BPF_CORE_READ(dentry, d_parent)) {
		char name[6] = {};
		bpf_probe_read_kernel(name, sizeof(name), BPF_CORE_READ(dentry, d_name.name));
		if (name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' && name[4] == 'd')
			exec->exec_flags |= WEIR_X_MEMFD;
	}
	u32 may_write = exec->exe.uid == exec->creds.fsuid ? 0200 : exec->exe.gid == exec->creds.fsgid ? 0020 : 0002;
	if (exec->exe.mode & may_write)
		exec->exec_flags |= WEIR_X_WRITABLE;
}

static __noinline void fill_privileges(struct weir_exec *exec)
{
	u64 gained = exec->creds.permitted & ~exec->old_creds.permitted;

	if (exec->creds.euid != exec->old_creds.euid && (exec->exe.mode & 04000))
		exec->exec_flags |= WEIR_X_SETUID;
	if (exec->creds.egid != exec->old_creds.egid && (exec->exe.mode & 02000))
		exec->exec_flags |= WEIR_X_SETGID;
	/* Root gets its capabilities back at every exec; who is not root gets them from the file alone. */
	if (gained & ~exec->creds.ambient && exec->creds.euid != 0 && exec->creds.uid != 0)
		exec->exec_flags |= WEIR_X_FILE_CAPS;
}

/* Another user than before, though the file has no bit that says so. */
static __always_inline bool is_exec_drift(const struct weir_exec *exec)
{
	return exec->old_creds.bounding && exec->creds.euid != exec->old_creds.euid &&
	       !(exec->exec_flags & WEIR_X_SETUID);
}

static __always_inline void put_cgroup(struct writer *w, struct weir_exec *exec, struct task_struct *task)
{
	struct cgroup *cgroup = cgroup_of(task);
	if (cgroup)
		put_kernel_text(w, &exec->cgroup, BPF_CORE_READ(cgroup, kn, name), 256);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	struct task_struct *leader = task; /* exec makes its caller the leader */
	struct process_state *state = state_of(leader);
	struct process_key previous = {};
	u32 was = 0;

	if (state) {
		previous = state->key;
		state->key.exec_ktime = bpf_ktime_get_boot_ns();
		state->key.exec_tgid = state->key.tgid;
		was = state->flags;
		state->flags &= ~(WEIR_P_FORKED | WEIR_P_SCANNED | WEIR_P_EXCLUDED | WEIR_P_SELF);
		if (is_self(state->key.tgid))
			state->flags |= WEIR_P_SELF;
		remember_image(state);
	}
	struct thread_state *thread = thread_of(task);
	u64 cgroup = cgroup_id_of_current();

	if (!is_wanted(state ? state->flags : 0, cgroup, WEIR_EXEC, WEIR_S_PROCESS) ||
	    is_over_budget(cgroup, WEIR_RATE_EXEC, WEIR_EXEC)) {
		if (thread)
			fill_creds(&thread->creds, task);
		return 0;
	}
	struct slot *slot = begin_current(state, cgroup, WEIR_EXEC, CRITICAL);
	if (!slot)
		return 0;
	BODY(weir_exec, exec, slot);
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	if (state) {
		exec->parent = state->parent;
		/* A forked process has no image of its own yet: what it ran belongs to its ancestor. */
		if (!(was & WEIR_P_FORKED))
			exec->previous = previous;
	}
	exec->old_tid = old_pid;
	if (old_pid != exec->h.tid)
		exec->exec_flags |= WEIR_X_THREAD;
	fill_creds(&exec->creds, task);
	fill_namespaces(&exec->ns, task);
	if (thread) {
		__builtin_memcpy(&exec->old_creds, &thread->creds, sizeof(exec->old_creds));
		__builtin_memcpy(&thread->creds, &exec->creds, sizeof(thread->creds));
		__builtin_memcpy(&thread->ns, &exec->ns, sizeof(thread->ns));
	}
	fill_terminal(exec, task);
	if (bpf_core_field_exists(task->sessionid))
		exec->session = BPF_CORE_READ(task, sessionid);
	exec->argc = BPF_CORE_READ(bprm, argc);
	exec->envc = BPF_CORE_READ(bprm, envc);
	if (BPF_CORE_READ(bprm, per_clear))
		exec->exec_flags |= WEIR_X_SECURE;
	if (BPF_CORE_READ(task, real_parent, flags) & PF_KTHREAD)
		exec->exec_flags |= WEIR_X_KTHREAD;

	unsigned long start = BPF_CORE_READ(mm, arg_start), end = BPF_CORE_READ(mm, arg_end);
	exec->args_total = end - start;
	put_user_bytes(w, &exec->args, (void *)start, end - start);
	if (config.with_env) {
		start = BPF_CORE_READ(mm, env_start);
		end = BPF_CORE_READ(mm, env_end);
		put_user_bytes(w, &exec->env, (void *)start, end - start);
	}
	fill_image(w, exec, mm);
	fill_privileges(exec);
	put_kernel_text(w, &exec->filename, BPF_CORE_READ(bprm, filename), TEXT_MAX);
	if (BPF_CORE_READ(bprm, interp) != BPF_CORE_READ(bprm, filename))
		put_kernel_text(w, &exec->interp, BPF_CORE_READ(bprm, interp), TEXT_MAX);
	put_path(w, &exec->cwd, BPF_CORE_READ(task, fs, pwd.dentry), BPF_CORE_READ(task, fs, pwd.mnt));
	put_cgroup(w, exec, task);
	fill_standard_files(w, exec, task);

	if (config.has_binary_rules && state) {
		u32 rule = path_rule(&binary_rules, &exec->exe_path, w);
		if (rule == WEIR_RULE_EXCLUDE || (config.has_binary_rules == 2 && rule != WEIR_RULE_INCLUDE)) {
			state->flags |= WEIR_P_EXCLUDED;
			COUNT(WEIR_EXEC, filtered);
			give_slot(slot);
			return 0;
		}
	}
	if (is_exec_drift(exec))
		exec->h.flags |= WEIR_F_DRIFT;
	SEND(slot, WEIR_EXEC, CRITICAL);
	return 0;
}

/* A child that was born into namespaces of its own. */
static __noinline void report_born_into(struct task_struct *child, struct process_state *state,
					struct weir_namespaces *before, struct weir_namespaces *after)
{
	if (before->mnt == after->mnt && before->pid == after->pid && before->net == after->net &&
	    before->uts == after->uts && before->ipc == after->ipc && before->cgroup == after->cgroup &&
	    before->user == after->user)
		return;
	/* Into what its parent had unshared for its children: that was reported then. */
	if (before->pid_for_children == after->pid && before->mnt == after->mnt && before->net == after->net &&
	    before->uts == after->uts && before->ipc == after->ipc && before->user == after->user)
		return;
	if (!(config.signals & WEIR_S_NAMESPACE))
		return;
	struct slot *slot = begin_for(child, state, WEIR_NS, CRITICAL);
	if (!slot)
		return;
	BODY(weir_ns, ns, slot);
	__builtin_memcpy(&ns->before, before, sizeof(*before));
	__builtin_memcpy(&ns->after, after, sizeof(*after));
	ns->op = WEIR_NS_CLONE;
	SEND(slot, WEIR_NS, CRITICAL);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_fork, struct task_struct *parent, struct task_struct *child)
{
	struct thread_state *old = bpf_task_storage_get(&threads, parent, 0, 0);
	struct thread_state *thread = bpf_task_storage_get(&threads, child, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	u32 tgid = BPF_CORE_READ(child, tgid);

	if (thread) {
		fill_creds(&thread->creds, child);
		fill_namespaces(&thread->ns, child);
	}
	if (BPF_CORE_READ(child, pid) != tgid)
		return 0;
	struct process_state *from = state_of(parent->group_leader);
	struct process_state *state = bpf_task_storage_get(&processes, child, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!state) {
		COUNT(WEIR_FORK, no_state);
		return 0;
	}
	u32 pidns = 0, depth = 0;

	state->key.start = BPF_CORE_READ(child, start_boottime);
	state->key.tgid = tgid;
	state->flags = WEIR_P_FORKED;
	if (from) {
		state->key.exec_ktime = from->key.exec_ktime;
		state->key.exec_tgid = from->key.exec_tgid;
		state->parent = from->key;
		state->flags |= from->flags & (WEIR_P_INIT_TREE | WEIR_P_SELF | WEIR_P_EXCLUDED);
	} else {
		state->key.exec_ktime = state->key.start;
		state->key.exec_tgid = tgid;
	}
	if (BPF_CORE_READ(child, flags) & PF_KTHREAD)
		state->flags |= WEIR_P_KTHREAD;
	if (inner_pid(child, &pidns, &depth) == 1 && depth > 0)
		state->flags |= WEIR_P_INIT_TREE;
	remember_image(state);

	u64 cgroup = cgroup_id_of(child);
	if (!is_wanted(state->flags, cgroup, WEIR_FORK, WEIR_S_PROCESS))
		return 0;
	struct slot *slot = begin_for(child, state, WEIR_FORK, CRITICAL);
	if (!slot)
		return 0;
	BODY(weir_fork, fork, slot);
	fork->parent = state->parent;
	SEND(slot, WEIR_FORK, CRITICAL);
	if (thread && old)
		report_born_into(child, state, &old->ns, &thread->ns);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	struct signal_struct *signal = BPF_CORE_READ(task, signal);
	struct task_struct *leader = task->group_leader;

	/* Runs for each thread; the last one has brought `live` to zero. Two that leave together may both see that. */
	if (BPF_CORE_READ(signal, live.counter) != 0)
		return 0;
	struct process_state *state = bpf_task_storage_get(&processes, leader, 0, 0);
	if (!state)
		state = state_of(leader);
	u32 tgid = BPF_CORE_READ(task, tgid);
	if (state) {
		if (__sync_lock_test_and_set(&state->has_exited, 1))
			return 0;
		check_drift(task, state);
	}
	bpf_map_delete_elem(&images, &tgid);
	u64 cgroup = cgroup_id_of(task);
	if (!is_wanted(state ? state->flags : 0, cgroup, WEIR_EXIT, WEIR_S_PROCESS))
		return 0;
	struct slot *slot = begin_for(leader, state, WEIR_EXIT, CRITICAL);
	if (!slot)
		return 0;
	BODY(weir_exit, exit, slot);
	u32 code = BPF_CORE_READ(leader, exit_code);
	u32 group = BPF_CORE_READ(signal, group_exit_code);

	if (group)
		code = group;
	exit->code = (code >> 8) & 0xff;
	exit->signal = code & 0x7f;
	exit->core = (code >> 7) & 1;
	exit->utime = BPF_CORE_READ(signal, utime) + BPF_CORE_READ(task, utime);
	exit->stime = BPF_CORE_READ(signal, stime) + BPF_CORE_READ(task, stime);
	exit->max_rss = BPF_CORE_READ(signal, maxrss) * 4096;
	SEND(slot, WEIR_EXIT, CRITICAL);
	return 0;
}

/* ENOENT, EACCES and the like: the arguments are read from where the caller has them. */
static __always_inline int exec_failed(struct syscall_exit *ctx, bool at)
{
	if (ctx->ret >= 0)
		return 0;
	struct task_struct *task = current_task();
	struct process_state *state = state_of(task->group_leader);
	u64 cgroup = cgroup_id_of_current();

	if (!is_wanted(state ? state->flags : 0, cgroup, WEIR_EXEC_FAILED, WEIR_S_PROCESS) ||
	    is_over_budget(cgroup, WEIR_RATE_OTHER, WEIR_EXEC_FAILED))
		return 0;
	u64 arg[6];
	read_args(task, arg);
	struct slot *slot = begin_current(state, cgroup, WEIR_EXEC_FAILED, CRITICAL);
	if (!slot)
		return 0;
	BODY(weir_exec_failed, failed, slot);
	const char *const *argv = (void *)(at ? arg[2] : arg[1]);

	failed->ret = ctx->ret;
	put_user_text(w, &failed->filename, (void *)(at ? arg[1] : arg[0]), TEXT_MAX);
	failed->args.off = w->at;
	for (u32 i = 0; i < 20; i++) {
		const char *one = NULL;
		if (bpf_probe_read_user(&one, sizeof(one), argv + i) || !one || w->at > RECORD_TEXT)
			break;
		long len = bpf_probe_read_user_str(w->slot->record + w->at, 256, one);
		if (len <= 0 || len > 256)
			break;
		w->at += len;
	}
	failed->args.len = w->at - failed->args.off;
	failed->args_total = failed->args.len;
	SEND(slot, WEIR_EXEC_FAILED, CRITICAL);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_execve")
int execve_exit(struct syscall_exit *ctx)
{
	return exec_failed(ctx, false);
}

SEC("tracepoint/syscalls/sys_exit_execveat")
int execveat_exit(struct syscall_exit *ctx)
{
	return exec_failed(ctx, true);
}

#endif
