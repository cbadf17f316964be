/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Powers of the kernel that few programs need: memory files, bpf(), io_uring, and calls that are telling as such. */
#ifndef WEIR_KERNEL_USE_H
#define WEIR_KERNEL_USE_H

#define USE_SECONDS 60

SEC("tracepoint/syscalls/sys_exit_memfd_create")
int memfd_exit(struct syscall_exit *ctx)
{
	u64 arg[6];

	read_args(current_task(), arg);
	struct slot *slot = begin_call(WEIR_MEMFD, WEIR_S_MEMFD);
	if (!slot)
		return 0;
	BODY(weir_memfd, memfd, slot);
	memfd->flags = arg[1];
	memfd->ret = ctx->ret;
	put_user_text(w, &memfd->name, arg[0], 256);
	SEND(slot, WEIR_MEMFD, CRITICAL);
	return 0;
}

enum { BPF_CMD_MAP_CREATE = 0, BPF_CMD_PROG_LOAD = 5, BPF_CMD_OBJ_PIN = 6, BPF_CMD_OBJ_GET = 7, BPF_CMD_PROG_ATTACH = 8,
       BPF_CMD_RAW_TRACEPOINT_OPEN = 17, BPF_CMD_LINK_CREATE = 28 };

/* Offsets in union bpf_attr (include/uapi/linux/bpf.h), which only grows. */
SEC("tracepoint/syscalls/sys_exit_bpf")
int bpf_exit(struct syscall_exit *ctx)
{
	u64 arg[6];

	read_args(current_task(), arg);
	u32 cmd = arg[0];
	if (cmd != BPF_CMD_MAP_CREATE && cmd != BPF_CMD_PROG_LOAD && cmd != BPF_CMD_OBJ_PIN && cmd != BPF_CMD_OBJ_GET &&
	    cmd != BPF_CMD_PROG_ATTACH && cmd != BPF_CMD_RAW_TRACEPOINT_OPEN && cmd != BPF_CMD_LINK_CREATE)
		return 0;
	struct slot *slot = begin_call(WEIR_BPF, WEIR_S_BPF);
	if (!slot)
		return 0;
	BODY(weir_bpf, use, slot);
	u32 words[3] = {};

	use->op = WEIR_BPF_BPF;
	use->cmd = cmd;
	use->ret = ctx->ret;
	if (bpf_probe_read_user(words, sizeof(words), (void *)arg[1]))
		use->h.flags |= WEIR_F_READ_FAULT;
	if (cmd == BPF_CMD_PROG_LOAD) {
		use->kind = words[0];
		use->insn_count = words[1];
		put_user_text(w, &use->name, arg[1] + 48, 16);
	} else if (cmd == BPF_CMD_MAP_CREATE) {
		use->kind = words[0];
		put_user_text(w, &use->name, arg[1] + 28, 16);
	} else if (cmd == BPF_CMD_PROG_ATTACH) {
		use->target_fd = words[0];
		use->attach_type = words[2];
	} else if (cmd == BPF_CMD_LINK_CREATE) {
		use->target_fd = words[1];
		use->attach_type = words[2];
	}
	SEND(slot, WEIR_BPF, CRITICAL);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_perf_event_open")
int perf_event_exit(struct syscall_exit *ctx)
{
	u64 arg[6];
	u32 type = 0, count = 0;

	read_args(current_task(), arg);
	bpf_probe_read_user(&type, sizeof(type), (void *)arg[0]);
	if (is_repeated_use(WEIR_BPF, 0x10000 | (type & 0xffff), 0, USE_SECONDS, &count))
		return 0;
	struct slot *slot = begin_call(WEIR_BPF, WEIR_S_BPF);
	if (!slot)
		return 0;
	BODY(weir_bpf, use, slot);
	mark_repeats(&use->h, count);
	use->op = WEIR_BPF_PERF_EVENT_OPEN;
	use->cmd = use->kind = type;
	use->ret = ctx->ret;
	use->target_pid = arg[1];
	SEND(slot, WEIR_BPF, CRITICAL);
	return 0;
}

/* Operations that stand for system calls which would be reported. */
static __always_inline bool is_telling_operation(u32 opcode)
{
	switch (opcode) {
	case 9:  /* SENDMSG */
	case 13: /* ACCEPT */
	case 16: /* CONNECT */
	case 18: /* OPENAT */
	case 28: /* OPENAT2 */
	case 35: /* RENAMEAT */
	case 36: /* UNLINKAT */
	case 37: /* MKDIRAT */
	case 38: /* SYMLINKAT */
	case 39: /* LINKAT */
	case 45: /* SOCKET */
	case 46: /* URING_CMD */
	case 56: /* BIND */
	case 57: /* LISTEN */
		return true;
	}
	return false;
}

static __noinline int io_uring_use(u32 opcode, u32 entries, s32 ret)
{
	u32 count = 0;

	if (is_repeated_use(WEIR_IOURING, opcode & 0xffff, 0, USE_SECONDS, &count))
		return 0;
	struct task_struct *task = current_task();
	struct process_state *state = state_of(task->group_leader);
	u64 cgroup = cgroup_id_of_current();
	if (!is_wanted(state ? state->flags : 0, cgroup, WEIR_IOURING, WEIR_S_IO_URING))
		return 0;
	struct slot *slot = begin_current(state, cgroup, WEIR_IOURING, BULK);
	if (!slot)
		return 0;
	BODY(weir_iouring, use, slot);
	mark_repeats(&use->h, count);
	use->opcode = opcode;
	use->entries = entries;
	use->ret = ret;
	SEND(slot, WEIR_IOURING, BULK);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_io_uring_setup")
int io_uring_setup_exit(struct syscall_exit *ctx)
{
	u64 arg[6];
	read_args(current_task(), arg);
	return io_uring_use(~0u, arg[0], ctx->ret < 0 ? ctx->ret : 0);
}

static __always_inline int io_uring_submit(struct io_kiocb *request)
{
	u32 opcode = BPF_CORE_READ(request, opcode);
	return is_telling_operation(opcode) ? io_uring_use(opcode, 0, 0) : 0;
}

/* Since 6.4 or so; before, the other one. */
SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(io_uring_submit_req, struct io_kiocb *request)
{
	return io_uring_submit(request);
}

SEC("tp_btf/io_uring_submit_sqe")
int BPF_PROG(io_uring_submit_sqe, struct io_kiocb *request)
{
	return io_uring_submit(request);
}

/* A descriptor becomes standard input, output or error of a connection: a shell on a socket. */
static __noinline int redirect(u32 from, s32 to)
{
	if (to < 0 || to > 2)
		return 0;
	struct sock *sk = sock_of_fd(to);
	if (!sk || !is_inet(BPF_CORE_READ(sk, __sk_common.skc_family)))
		return 0;
	struct slot *slot = begin_call(WEIR_FD, WEIR_S_FD);
	if (!slot)
		return 0;
	BODY(weir_fd, fd, slot);
	fd->old_fd = from;
	fd->new_fd = to;
	fill_endpoints(&fd->ep, sk);
	SEND(slot, WEIR_FD, CRITICAL);
	return 0;
}

#define REDIRECT(call)                                  \
	SEC("tracepoint/syscalls/sys_exit_" #call)      \
	int call##_exit(struct syscall_exit *ctx)       \
	{                                               \
		u64 arg[6];                             \
		if (ctx->ret < 0 || ctx->ret > 2)       \
			return 0;                       \
		read_args(current_task(), arg);         \
		return redirect(arg[0], ctx->ret);      \
	}

REDIRECT(dup)
REDIRECT(dup2)
REDIRECT(dup3)

static __noinline int telling_call(u32 op, s32 ret)
{
	struct task_struct *task = current_task();
	u64 arg[6];
	u32 count = 0;

	read_args(task, arg);
	if (is_repeated_use(WEIR_SYSCALL, op << 8 | (arg[0] & 0xff), ret < 0 ? ret : 0, USE_SECONDS, &count))
		return 0;
	struct slot *slot = begin_call(WEIR_SYSCALL, WEIR_S_SYSCALL);
	if (!slot)
		return 0;
	BODY(weir_syscall, call, slot);
	mark_repeats(&call->h, count);
	call->op = op;
	call->ret = ret < 0 ? ret : 0;
	call->args[0] = arg[0];
	call->args[1] = arg[1];
	call->args[2] = arg[2];
	SEND(slot, WEIR_SYSCALL, CRITICAL);
	return 0;
}

#define TELLING(call, op)                               \
	SEC("tracepoint/syscalls/sys_exit_" #call)      \
	int call##_exit(struct syscall_exit *ctx)       \
	{                                               \
		return telling_call(op, ctx->ret);      \
	}

TELLING(userfaultfd, WEIR_SYS_USERFAULTFD)
TELLING(keyctl, WEIR_SYS_KEYCTL)
TELLING(add_key, WEIR_SYS_ADD_KEY)
TELLING(request_key, WEIR_SYS_REQUEST_KEY)
TELLING(seccomp, WEIR_SYS_SECCOMP)
TELLING(settimeofday, WEIR_SYS_SETTIMEOFDAY)
TELLING(clock_settime, WEIR_SYS_CLOCK_SETTIME)
TELLING(kexec_load, WEIR_SYS_KEXEC_LOAD)
TELLING(kexec_file_load, WEIR_SYS_KEXEC_FILE_LOAD)
TELLING(sethostname, WEIR_SYS_SETHOSTNAME)
TELLING(swapon, WEIR_SYS_SWAPON)
TELLING(acct, WEIR_SYS_ACCT)
TELLING(ioperm, WEIR_SYS_IOPERM)
TELLING(iopl, WEIR_SYS_IOPL)

/* Does not return when it succeeds. */
SEC("tracepoint/syscalls/sys_enter_reboot")
int reboot_enter(struct syscall_enter *ctx)
{
	return telling_call(WEIR_SYS_REBOOT, 0);
}

#endif
