/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Reaching into other processes: ptrace, their memory, their descriptors, signals that end them. */
#ifndef WEIR_INTRUSION_H
#define WEIR_INTRUSION_H

#define INTRUSION_SECONDS 10

static __noinline int intrusion(u32 op, u32 pid, u64 request, u64 address, s32 ret)
{
	u32 count = 0;

	if (is_repeated_use(WEIR_PTRACE, op << 16 | (request & 0xffff), ret, INTRUSION_SECONDS, &count))
		return 0;
	struct slot *slot = begin_call(WEIR_PTRACE, WEIR_S_PTRACE);
	if (!slot)
		return 0;
	BODY(weir_ptrace, trace, slot);
	mark_repeats(&trace->h, count);
	trace->op = op;
	trace->ret = ret;
	trace->request = request;
	trace->address = address;
	fill_target(&trace->target, pid);
	SEND(slot, WEIR_PTRACE, CRITICAL);
	return 0;
}

enum { PTRACE_TRACEME = 0, PTRACE_POKETEXT = 4, PTRACE_POKEDATA = 5, PTRACE_POKEUSR = 6, PTRACE_SETREGS = 13,
       PTRACE_SETFPREGS = 15, PTRACE_ATTACH = 16, PTRACE_SETREGSET = 0x4205, PTRACE_SEIZE = 0x4206 };

SEC("tracepoint/syscalls/sys_exit_ptrace")
int ptrace_exit(struct syscall_exit *ctx)
{
	struct task_struct *task = current_task();
	u64 arg[6];

	read_args(task, arg);
	switch (arg[0]) {
	case PTRACE_TRACEME:
		arg[1] = BPF_CORE_READ(task, real_parent, tgid);
		break;
	case PTRACE_POKETEXT:
	case PTRACE_POKEDATA:
	case PTRACE_POKEUSR:
	case PTRACE_SETREGS:
	case PTRACE_SETFPREGS:
	case PTRACE_SETREGSET:
	case PTRACE_ATTACH:
	case PTRACE_SEIZE:
		break;
	default:
		return 0;
	}
	return intrusion(WEIR_PTRACE_PTRACE, arg[1], arg[0], arg[2], ctx->ret < 0 ? ctx->ret : 0);
}

SEC("tracepoint/syscalls/sys_exit_process_vm_readv")
int vm_read_exit(struct syscall_exit *ctx)
{
	u64 arg[6];
	read_args(current_task(), arg);
	return intrusion(WEIR_PTRACE_VM_READ, arg[0], 0, 0, ctx->ret < 0 ? ctx->ret : 0);
}

SEC("tracepoint/syscalls/sys_exit_process_vm_writev")
int vm_write_exit(struct syscall_exit *ctx)
{
	u64 arg[6];
	read_args(current_task(), arg);
	return intrusion(WEIR_PTRACE_VM_WRITE, arg[0], 0, 0, ctx->ret < 0 ? ctx->ret : 0);
}

SEC("tracepoint/syscalls/sys_exit_pidfd_getfd")
int pidfd_getfd_exit(struct syscall_exit *ctx)
{
	u64 arg[6];
	u32 pid = 0;

	read_args(current_task(), arg);
	/* The descriptor's file knows its process. */
	struct file *file = file_of_fd(arg[0]);
	struct pid *target = file ? BPF_CORE_READ(file, private_data) : NULL;
	/* Since 6.9 in the inode of a file system of its own. */
	if (file && !target)
		target = BPF_CORE_READ(file, f_inode, i_private);
	if (target)
		pid = BPF_CORE_READ(target, numbers[0].nr);
	return intrusion(WEIR_PTRACE_PIDFD_GETFD, pid, arg[1], 0, ctx->ret < 0 ? ctx->ret : 0);
}

enum { SIGKILL = 9, SIGSTOP = 19 };

SEC("tp_btf/signal_generate")
int BPF_PROG(signal_sent, int sig, void *info, struct task_struct *target, int group, int result)
{
	u32 count = 0;

	if (sig != SIGKILL && sig != SIGSTOP)
		return 0;
	/* 0 = by a process; 1 = by the kernel (SEND_SIG_PRIV), which is not what is asked for here. */
	if ((u64)info == 1)
		return 0;
	u32 tgid = BPF_CORE_READ(target, tgid);
	if (tgid == bpf_get_current_pid_tgid() >> 32)
		return 0;
	if (is_repeated_use(WEIR_SIGNAL, sig, tgid, INTRUSION_SECONDS, &count))
		return 0;
	struct slot *slot = begin_call(WEIR_SIGNAL, WEIR_S_SIGNAL);
	if (!slot)
		return 0;
	BODY(weir_signal, sent, slot);
	sent->signal = sig;
	fill_target(&sent->target, tgid);
	BPF_CORE_READ_STR_INTO(&sent->target_comm, target, comm);
	SEND(slot, WEIR_SIGNAL, CRITICAL);
	return 0;
}

#endif
