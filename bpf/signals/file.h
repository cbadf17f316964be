/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Files that are opened. Reads of the same file by the same image in the same cgroup are folded before anything dear is
 * done; writes, creations and files on the watch list never are.
 */
#ifndef WEIR_FILE_H
#define WEIR_FILE_H

/* Path rules: 1 = only excludes, 2 = what no rule includes is excluded. */
static __always_inline bool is_path_excluded(const struct span *span, const struct writer *w)
{
	if (!config.has_path_rules)
		return false;
	u32 rule = path_rule(&path_rules, span, w);
	return rule == WEIR_RULE_EXCLUDE || (config.has_path_rules == 2 && rule != WEIR_RULE_INCLUDE);
}

static __always_inline u32 watch_of(u64 ino, u32 dev)
{
	struct weir_inode_key key = { .ino = ino, .dev = dev };
	u32 *class = bpf_map_lookup_elem(&watched, &key);
	return class ? *class : 0;
}

/* Files that say more than their name: never folded. */
static __always_inline bool is_telling(u64 magic, u32 mode)
{
	u32 kind = mode & S_IFMT;
	return magic == CGROUP_SUPER_MAGIC || magic == CGROUP2_SUPER_MAGIC || kind == S_IFBLK;
}

/* What procfs shows of a process: environ, mem, maps. */
static __always_inline bool is_telling_proc(struct file *file)
{
	char name[8] = {};
	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
	return (name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 0) ||
	       (name[0] == 'e' && name[1] == 'n' && name[2] == 'v') ||
	       (name[0] == 'm' && name[1] == 'a' && name[2] == 'p' && name[3] == 's');
}

/* The path as the program wrote it, when it has something to hide: `..`, /proc/self, or a descriptor. */
static __always_inline void put_raw_path(struct writer *w, struct weir_open *open, const void *from)
{
	put_user_text(w, &open->raw, from, 1024);
}

static __always_inline const void *raw_path_of(struct task_struct *task, u32 nr)
{
	u64 arg[6];

	read_args(task, arg);
	if (nr == NR_OPEN || nr == NR_CREAT)
		return (void *)arg[0];
	if (nr == NR_OPENAT || nr == NR_OPENAT2)
		return (void *)arg[1];
	return NULL;
}

/* How the program asked for it: an open file has forgotten that it was made or emptied by this. */
static __always_inline u32 asked_flags(struct task_struct *task, u32 nr)
{
	u64 arg[6], how = 0;

	read_args(task, arg);
	if (nr == NR_OPEN)
		how = arg[1];
	else if (nr == NR_OPENAT)
		how = arg[2];
	else if (nr == NR_CREAT)
		how = O_TRUNC;
	else if (nr == NR_OPENAT2)
		bpf_probe_read_user(&how, sizeof(how), (void *)arg[2]);
	return how & (O_CREAT | O_TRUNC);
}

/* One look at an open file: a helper call for it and one for its inode. */
struct look {
	u64 inode;
	u64 ino;
	u64 magic;
	u32 dev;
	u32 mode;
	u32 f_mode;
	u32 f_flags;
};

static __always_inline bool look_at(struct look *look, struct file *file)
{
	u64 block[16];

	if (bpf_probe_read_kernel(block, sizeof(block), file))
		return false;
	struct inode *inode = IN_BLOCK(block, struct file, f_inode);
	look->f_mode = IN_BLOCK(block, struct file, f_mode);
	look->f_flags = IN_BLOCK(block, struct file, f_flags);
	if (bpf_probe_read_kernel(block, sizeof(block), inode))
		return false;
	struct super_block *sb = IN_BLOCK(block, struct inode, i_sb);
	look->inode = (u64)inode;
	look->ino = IN_BLOCK(block, struct inode, i_ino);
	look->mode = IN_BLOCK(block, struct inode, i_mode);
	look->dev = BPF_CORE_READ(sb, s_dev);
	look->magic = BPF_CORE_READ(sb, s_magic);
	return true;
}

/* `nr` names the system call whose arguments hold the path; 0 = none does. */
static __noinline int report_open(struct file *file, s32 ret, u32 nr, u32 flags)
{
	struct task_struct *task = current_task();
	u64 cgroup = cgroup_id_of_current();
	struct process_state *state = state_of(task->group_leader);
	struct look look = {};
	u32 count = 0;

	if (!is_wanted(state ? state->flags : 0, cgroup, WEIR_OPEN, WEIR_S_FILE))
		return 0;
	if (!look_at(&look, file))
		return send_unread(WEIR_OPEN, BULK);
	bool created = look.f_mode & FMODE_CREATED;
	if (nr && (look.f_flags & (O_WRONLY | O_RDWR)))
		look.f_flags |= asked_flags(task, nr);
	bool writes = look.f_flags & (O_WRONLY | O_RDWR | O_TRUNC);
	bool folds = !writes && !created && !is_telling(look.magic, look.mode) &&
		     !(look.magic == PROC_SUPER_MAGIC && is_telling_proc(file));
	struct open_key key = { .ino = look.ino, .dev = look.dev, .cgroup = cgroup,
				.exec_ktime = state ? state->key.exec_ktime : (u64)bpf_get_current_pid_tgid(),
				.access = look.f_flags & O_PATH };

	if (folds) {
		/* Files on the watch list are never put here. */
		struct repeats *seen = bpf_map_lookup_elem(&opens, &key);
		if (seen && bpf_ktime_get_boot_ns() - seen->reported < config.dedup_seconds * BILLION) {
			__sync_fetch_and_add(&seen->count, 1);
			COUNT(WEIR_OPEN, deduped);
			return 0;
		}
	}
	u32 watch = watch_of(look.ino, look.dev);
	if (folds && !watch) {
		if (is_under_pressure(WEIR_OPEN, KEEP_ABOVE_READS) || is_repeat(&opens, &key, config.dedup_seconds, WEIR_OPEN, &count))
			return 0;
	}
	if (!watch && is_over_budget(cgroup, WEIR_RATE_FILE, WEIR_OPEN))
		return 0;
	check_drift(task, state);
	struct slot *slot = begin_current(state, cgroup, WEIR_OPEN, BULK);
	if (!slot)
		return 0;
	BODY(weir_open, open, slot);
	mark_repeats(&open->h, count);
	open->h.flags |= flags;
	open->open_flags = look.f_flags;
	open->created = created;
	open->ret = ret;
	open->watch = watch;
	if (watch)
		open->h.flags |= WEIR_F_WATCHED;
	fill_file(&open->file, look.inode);
	put_file_path(w, &open->path, file);
	if (!watch && is_path_excluded(&open->path, w)) {
		COUNT(WEIR_OPEN, filtered);
		give_slot(slot);
		return 0;
	}
	const void *raw = nr ? raw_path_of(task, nr) : NULL;
	if (raw)
		put_raw_path(w, open, raw);
	SEND(slot, WEIR_OPEN, BULK);
	return 0;
}

/* Refused or missing: only the program's own words are there. Repeats are folded by error. */
static __noinline int report_failed_open(s32 ret, u32 nr)
{
	struct task_struct *task = current_task();

	/* Most programs look for files that are not there: those are of no interest, refusals are. */
	if (!config.failed_opens || (ret != -1 && ret != -13 && ret != -40))
		return 0;
	u64 cgroup = cgroup_id_of_current();
	struct process_state *state = state_of(task->group_leader);
	const void *raw = raw_path_of(task, nr);
	if (!raw)
		return 0;
	if (!is_wanted(state ? state->flags : 0, cgroup, WEIR_OPEN, WEIR_S_FILE) ||
	    is_over_budget(cgroup, WEIR_RATE_FILE, WEIR_OPEN))
		return 0;
	struct slot *slot = begin_current(state, cgroup, WEIR_OPEN, BULK);
	if (!slot)
		return 0;
	BODY(weir_open, open, slot);
	open->ret = ret;
	put_raw_path(w, open, raw);
	if (is_path_excluded(&open->raw, w)) {
		COUNT(WEIR_OPEN, filtered);
		give_slot(slot);
		return 0;
	}
	SEND(slot, WEIR_OPEN, BULK);
	return 0;
}

static __always_inline int open_exit(struct syscall_exit *ctx, u32 nr)
{
	if (ctx->ret < 0)
		return report_failed_open(ctx->ret, nr);
	if (config.has_file_lsm)
		return 0;
	struct file *file = file_of_fd(ctx->ret);
	return file ? report_open(file, ctx->ret, nr, 0) : 0;
}

SEC("tracepoint/syscalls/sys_exit_open")
int open_exit_open(struct syscall_exit *ctx)
{
	return open_exit(ctx, NR_OPEN);
}

SEC("tracepoint/syscalls/sys_exit_creat")
int open_exit_creat(struct syscall_exit *ctx)
{
	return open_exit(ctx, NR_CREAT);
}

SEC("tracepoint/syscalls/sys_exit_openat")
int open_exit_openat(struct syscall_exit *ctx)
{
	return open_exit(ctx, NR_OPENAT);
}

SEC("tracepoint/syscalls/sys_exit_openat2")
int open_exit_openat2(struct syscall_exit *ctx)
{
	return open_exit(ctx, NR_OPENAT2);
}

SEC("tracepoint/syscalls/sys_exit_open_by_handle_at")
int open_exit_by_handle(struct syscall_exit *ctx)
{
	return open_exit(ctx, NR_OPEN_BY_HANDLE_AT);
}

/* The same from inside the kernel: also what io_uring and 32-bit programs open, and images and their libraries. */
static __always_inline int lsm_open(struct file *file)
{
	struct task_struct *task = current_task();
	bool uring = is_io_uring(task);

	if (task->flags & PF_KTHREAD)
		return 0;
	/* The file of a layer that an overlay opens behind the one that was asked for. */
	if (BPF_CORE_READ(file, f_mode) & FMODE_NOACCOUNT)
		return 0;
	return report_open(file, 0, uring || is_compat(task) ? 0 : call_number(task), uring ? WEIR_F_IO_URING : 0);
}

SEC("fentry/security_file_open")
int BPF_PROG(fentry_file_open, struct file *file)
{
	return lsm_open(file);
}

SEC("kprobe/security_file_open")
int BPF_KPROBE(kprobe_file_open, struct file *file)
{
	return lsm_open(file);
}

#endif
