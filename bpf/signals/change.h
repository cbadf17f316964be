/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Changes of names and of what belongs to a file: deleted, renamed, linked, made, given another mode or owner, cut.
 *
 * The entry of a call keeps the paths as they were (another thread may rewrite them meanwhile), the exit reports them
 * with the result. Where security_path_* can be hooked, the kernel's own view replaces the program's words in between,
 * and what comes from io_uring or a 32-bit program is reported from there.
 */
#ifndef WEIR_CHANGE_H
#define WEIR_CHANGE_H

#define AT_FDCWD -100
#define NO_FD -2

struct change {
	u32 op;
	s32 ret;
	s32 dfd[2];  /* what relative paths start from */
	u64 path[2]; /* in the memory of the program */
	u32 mode;
	u32 uid, gid;
	u32 dev;
	s32 fd; /* of calls on an open file; NO_FD otherwise */
	u32 flags;
};

static __noinline int hold_paths(u64 first, u64 second)
{
	if (!(config.signals & WEIR_S_FILE) || is_self(bpf_get_current_pid_tgid() >> 32))
		return 0;
	struct held_call *call = bpf_task_storage_get(&held, current_task(), 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!call)
		return 0;
	call->resolved = 0;
	call->faulted = 0;
	call->len[0] = call->len[1] = 0;
	if (first) {
		long len = bpf_probe_read_user_str(call->text[0], HELD_TEXT, (void *)first);
		if (len > 0)
			call->len[0] = len - 1;
		else
			call->faulted |= 1;
	}
	if (second) {
		long len = bpf_probe_read_user_str(call->text[1], HELD_TEXT, (void *)second);
		if (len > 0)
			call->len[1] = len - 1;
		else
			call->faulted |= 2;
	}
	return 0;
}

struct comparison {
	const u8 *a;
	const u8 *b;
	u32 len;
	u32 differs;
};

static long compare_step(u32 index, struct comparison *c)
{
	if (index >= c->len || index >= HELD_TEXT)
		return 1;
	if (c->a[index] == c->b[index])
		return 0;
	c->differs = 1;
	return 1;
}

/* Appends a path of the call: as it was held, or as it stands in memory now. */
static __noinline void put_held(struct writer *w, struct span *span, struct held_call *call, u32 i, u64 now)
{
	span->off = span->len = 0;
	if (!call || (call->faulted >> i & 1)) {
		put_user_text(w, span, now, HELD_TEXT);
		return;
	}
	u32 len = call->len[i & 1];
	if (!len)
		return;
	if (len > HELD_TEXT - 1)
		len = HELD_TEXT - 1;
	if (len == HELD_TEXT - 1)
		HEADER(w)->flags |= WEIR_F_TRUNC;
	BOUND(len, HELD_TEXT - 1);
	if (w->at > RECORD_TEXT || bpf_probe_read_kernel(w->slot->record + w->at, len, call->text[i & 1]))
		return;
	wrote(w, span, len);
	if (!now || (call->resolved >> i & 1))
		return;
	long again = bpf_probe_read_user_str(w->slot->path, HELD_TEXT, (void *)now);
	struct comparison c = { .a = (const u8 *)call->text[i & 1], .b = w->slot->path, .len = len };
	bpf_loop(HELD_TEXT, compare_step, &c, 0);
	if (again - 1 != len || c.differs)
		HEADER(w)->flags |= WEIR_F_ARG_CHANGED;
}

/* What a relative path starts from. */
static __noinline void put_base(struct writer *w, struct span *base, const struct span *path, s32 dfd)
{
	u8 first = 0;
	u32 at = path->off;

	base->off = base->len = 0;
	if (path->len && at < RECORD_TEXT)
		first = w->slot->record[at & (RECORD_MAX - 1)];
	if (first == '/')
		return;
	if (dfd == AT_FDCWD) {
		struct task_struct *task = (void *)bpf_get_current_task();
		put_path(w, base, BPF_CORE_READ(task, fs, pwd.dentry), BPF_CORE_READ(task, fs, pwd.mnt));
		return;
	}
	struct file *file = file_of_fd(dfd);
	if (file)
		put_file_path(w, base, file);
}

static __noinline int report_change(struct change *change)
{
	struct task_struct *task = current_task();
	struct held_call *call = bpf_task_storage_get(&held, task, 0, 0);
	s32 ret = change->ret;

	/* Refusals are telling, missing files are not. */
	if (ret < 0 && ret != -1 && ret != -13)
		goto out;
	u64 cgroup = cgroup_id_of_current();
	struct process_state *state = state_of(task->group_leader);
	if (!is_wanted(state ? state->flags : 0, cgroup, WEIR_FS, WEIR_S_FILE) ||
	    is_under_pressure(WEIR_FS, KEEP_ABOVE_CONNECTS) || is_over_budget(cgroup, WEIR_RATE_FILE, WEIR_FS))
		goto out;
	check_drift(task, state);
	struct slot *slot = begin_current(state, cgroup, WEIR_FS, BULK);
	if (!slot)
		goto out;
	BODY(weir_fs, fs, slot);
	fs->h.flags |= change->flags;
	fs->op = change->op;
	fs->ret = ret;
	fs->mode = change->mode;
	fs->uid = change->uid;
	fs->gid = change->gid;
	fs->dev = change->dev;
	if (change->fd != NO_FD) {
		struct file *file = file_of_fd(change->fd);
		if (file) {
			fill_file(&fs->file, (u64)BPF_CORE_READ(file, f_inode));
			put_file_path(w, &fs->path, file);
		}
		fs->resolved = 1;
	} else {
		if (call)
			fs->resolved = call->resolved;
		put_held(w, &fs->path, call, 0, change->path[0]);
		if (!(fs->resolved & 1))
			put_base(w, &fs->base, &fs->path, change->dfd[0]);
		if (change->path[1] || (call && call->len[1])) {
			put_held(w, &fs->target, call, 1, change->path[1]);
			if (!(fs->resolved & 2) && change->op != WEIR_FS_SYMLINK)
				put_base(w, &fs->target_base, &fs->target, change->dfd[1]);
		}
		if (call)
			__builtin_memcpy(&fs->file, &call->file, sizeof(fs->file));
	}
	if (fs->file.ino)
		fs->watch = watch_of(fs->file.ino, fs->file.dev);
	if (fs->watch)
		fs->h.flags |= WEIR_F_WATCHED;
	if (!fs->watch && is_path_excluded(&fs->path, w)) {
		COUNT(WEIR_FS, filtered);
		give_slot(slot);
		goto out;
	}
	SEND(slot, WEIR_FS, BULK);
out:
	if (call)
		bpf_task_storage_delete(&held, task);
	return 0;
}

/* A call with one or two paths. The last argument sets further fields of `change` from `arg`. */
#define CHANGE(call, op_, dfd0, path0, dfd1, path1, more)                                                    \
	SEC("tracepoint/syscalls/sys_enter_" #call)                                                          \
	int call##_enter(struct syscall_enter *ctx)                                                          \
	{                                                                                                    \
		unsigned long *arg = ctx->args;                                                              \
		(void)arg;                                                                                   \
		return hold_paths(path0, path1);                                                             \
	}                                                                                                    \
	SEC("tracepoint/syscalls/sys_exit_" #call)                                                           \
	int call##_exit(struct syscall_exit *ctx)                                                            \
	{                                                                                                    \
		u64 arg[6];                                                                                  \
		read_args(current_task(), arg);                                                              \
		struct change change = { .op = op_, .ret = ctx->ret, .dfd = { dfd0, dfd1 },                  \
					 .path = { path0, path1 }, .uid = ~0u, .gid = ~0u, .fd = NO_FD };    \
		more;                                                                                        \
		return report_change(&change);                                                               \
	}

/* A call on an open file. */
#define CHANGE_FD(call, op_, more)                                                                           \
	SEC("tracepoint/syscalls/sys_exit_" #call)                                                           \
	int call##_exit(struct syscall_exit *ctx)                                                            \
	{                                                                                                    \
		u64 arg[6];                                                                                  \
		read_args(current_task(), arg);                                                              \
		struct change change = { .op = op_, .ret = ctx->ret, .uid = ~0u, .gid = ~0u, .fd = arg[0] }; \
		more;                                                                                        \
		return report_change(&change);                                                               \
	}

#define AT_REMOVEDIR 0x200

CHANGE(unlink, WEIR_FS_UNLINK, AT_FDCWD, arg[0], 0, 0, )
CHANGE(unlinkat, arg[2] & AT_REMOVEDIR ? WEIR_FS_RMDIR : WEIR_FS_UNLINK, arg[0], arg[1], 0, 0, )
CHANGE(rmdir, WEIR_FS_RMDIR, AT_FDCWD, arg[0], 0, 0, )
CHANGE(rename, WEIR_FS_RENAME, AT_FDCWD, arg[0], AT_FDCWD, arg[1], )
CHANGE(renameat, WEIR_FS_RENAME, arg[0], arg[1], arg[2], arg[3], )
CHANGE(renameat2, WEIR_FS_RENAME, arg[0], arg[1], arg[2], arg[3], )
CHANGE(link, WEIR_FS_LINK, AT_FDCWD, arg[1], AT_FDCWD, arg[0], )
CHANGE(linkat, WEIR_FS_LINK, arg[2], arg[3], arg[0], arg[1], )
CHANGE(symlink, WEIR_FS_SYMLINK, AT_FDCWD, arg[1], 0, arg[0], )
CHANGE(symlinkat, WEIR_FS_SYMLINK, arg[1], arg[2], 0, arg[0], )
CHANGE(mkdir, WEIR_FS_MKDIR, AT_FDCWD, arg[0], 0, 0, change.mode = arg[1])
CHANGE(mkdirat, WEIR_FS_MKDIR, arg[0], arg[1], 0, 0, change.mode = arg[2])
CHANGE(mknod, WEIR_FS_MKNOD, AT_FDCWD, arg[0], 0, 0, (change.mode = arg[1], change.dev = arg[2]))
CHANGE(mknodat, WEIR_FS_MKNOD, arg[0], arg[1], 0, 0, (change.mode = arg[2], change.dev = arg[3]))
CHANGE(chmod, WEIR_FS_CHMOD, AT_FDCWD, arg[0], 0, 0, change.mode = arg[1])
CHANGE(fchmodat, WEIR_FS_CHMOD, arg[0], arg[1], 0, 0, change.mode = arg[2])
CHANGE(fchmodat2, WEIR_FS_CHMOD, arg[0], arg[1], 0, 0, change.mode = arg[2])
CHANGE(chown, WEIR_FS_CHOWN, AT_FDCWD, arg[0], 0, 0, (change.uid = arg[1], change.gid = arg[2]))
CHANGE(lchown, WEIR_FS_CHOWN, AT_FDCWD, arg[0], 0, 0, (change.uid = arg[1], change.gid = arg[2]))
CHANGE(fchownat, WEIR_FS_CHOWN, arg[0], arg[1], 0, 0, (change.uid = arg[2], change.gid = arg[3]))
CHANGE(truncate, WEIR_FS_TRUNCATE, AT_FDCWD, arg[0], 0, 0, )
CHANGE(setxattr, WEIR_FS_SETXATTR, AT_FDCWD, arg[0], 0, 0, )
CHANGE(lsetxattr, WEIR_FS_SETXATTR, AT_FDCWD, arg[0], 0, 0, )
CHANGE_FD(fchmod, WEIR_FS_CHMOD, change.mode = arg[1])
CHANGE_FD(fchown, WEIR_FS_CHOWN, (change.uid = arg[1], change.gid = arg[2]))
CHANGE_FD(ftruncate, WEIR_FS_TRUNCATE, )
CHANGE_FD(fsetxattr, WEIR_FS_SETXATTR, )

/* utimensat with a descriptor and no path works on the open file. */
CHANGE(utimensat, WEIR_FS_UTIMES, arg[0], arg[1], 0, 0, change.fd = arg[1] ? NO_FD : (s32)arg[0])

/* A path that the kernel resolved, in the place of the program's words. */
static __noinline void resolve_held(struct held_call *call, u32 i, u64 dentry, u64 mnt)
{
	struct slot *slot = take_slot();
	u32 at = sizeof(struct weir_header);

	if (!slot)
		return;
	u32 len = copy_path(slot, at, dentry, mnt);
	if (len > HELD_TEXT - 1)
		len = HELD_TEXT - 1;
	BOUND(len, HELD_TEXT - 1);
	if (len && !bpf_probe_read_kernel(call->text[i & 1], len, slot->record + at)) {
		call->len[i & 1] = len;
		call->resolved |= 1 << (i & 1);
		call->faulted &= ~(1 << (i & 1));
	}
	give_slot(slot);
}

struct lsm_paths {
	u32 op;
	u32 mode;
	u32 uid, gid;
	u64 dentry[2];
	u64 mnt[2];
};

static __noinline int lsm_change(struct lsm_paths *paths)
{
	struct task_struct *task = current_task();
	struct held_call *call = bpf_task_storage_get(&held, task, 0, 0);
	bool is_direct = false;

	if (!(config.signals & WEIR_S_FILE) || is_self(bpf_get_current_pid_tgid() >> 32))
		return 0;
	if (!call) {
		/* No system call of ours stands behind it. */
		if (!is_io_uring(task) && !is_compat(task))
			return 0;
		call = bpf_task_storage_get(&held, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (!call)
			return send_unread(WEIR_FS, BULK);
		is_direct = true;
	}
	resolve_held(call, 0, paths->dentry[0], paths->mnt[0]);
	if (paths->dentry[1])
		resolve_held(call, 1, paths->dentry[1], paths->mnt[1]);
	struct dentry *dentry = (void *)paths->dentry[0];
	fill_file(&call->file, (u64)BPF_CORE_READ(dentry, d_inode));
	if (is_direct) {
		struct change change = { .op = paths->op, .mode = paths->mode, .uid = paths->uid, .gid = paths->gid,
					 .fd = NO_FD, .flags = is_io_uring(task) ? WEIR_F_IO_URING : 0 };
		return report_change(&change);
	}
	return 0;
}

#define PATHS(op_) { .op = op_, .uid = ~0u, .gid = ~0u }

/* Both ways to hook the same function. `...` are its arguments, `fill` sets `paths` from them. */
#define LSM_CHANGE(name, op_, fill, args...)                   \
	SEC("fentry/security_path_" #name)                     \
	int BPF_PROG(fentry_path_##name, args)                 \
	{                                                      \
		struct lsm_paths paths = PATHS(op_);           \
		fill;                                          \
		return lsm_change(&paths);                     \
	}                                                      \
	SEC("kprobe/security_path_" #name)                     \
	int BPF_KPROBE(kprobe_path_##name, args)               \
	{                                                      \
		struct lsm_paths paths = PATHS(op_);           \
		fill;                                          \
		return lsm_change(&paths);                     \
	}

#define IN(i, dir, entry) (paths.dentry[i] = as_number(entry), paths.mnt[i] = (u64)BPF_CORE_READ(dir, mnt))
#define IS(i, path) (paths.dentry[i] = (u64)BPF_CORE_READ(path, dentry), paths.mnt[i] = (u64)BPF_CORE_READ(path, mnt))

LSM_CHANGE(unlink, WEIR_FS_UNLINK, IN(0, dir, entry), struct path *dir, struct dentry *entry)
LSM_CHANGE(rmdir, WEIR_FS_RMDIR, IN(0, dir, entry), struct path *dir, struct dentry *entry)
LSM_CHANGE(mkdir, WEIR_FS_MKDIR, (IN(0, dir, entry), paths.mode = mode), struct path *dir, struct dentry *entry, u16 mode)
LSM_CHANGE(mknod, WEIR_FS_MKNOD, (IN(0, dir, entry), paths.mode = mode), struct path *dir, struct dentry *entry, u16 mode)
LSM_CHANGE(symlink, WEIR_FS_SYMLINK, IN(0, dir, entry), struct path *dir, struct dentry *entry)
LSM_CHANGE(link, WEIR_FS_LINK, (IN(0, dir, entry), IN(1, dir, old)), struct dentry *old, struct path *dir, struct dentry *entry)
LSM_CHANGE(rename, WEIR_FS_RENAME, (IN(0, from, old), IN(1, to, entry)), struct path *from, struct dentry *old, struct path *to,
	   struct dentry *entry)
LSM_CHANGE(chmod, WEIR_FS_CHMOD, (IS(0, path), paths.mode = mode), struct path *path, u16 mode)
LSM_CHANGE(chown, WEIR_FS_CHOWN, (IS(0, path), paths.uid = uid, paths.gid = gid), struct path *path, u32 uid, u32 gid)
LSM_CHANGE(truncate, WEIR_FS_TRUNCATE, IS(0, path), struct path *path)

#endif
