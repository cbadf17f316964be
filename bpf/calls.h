/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* System calls: their arguments, read when they return (the registers still hold them). */
#ifndef WEIR_CALLS_H
#define WEIR_CALLS_H

static __always_inline void read_args(struct task_struct *task, u64 arg[6])
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

#if defined(__TARGET_ARCH_x86)
	arg[0] = BPF_CORE_READ(regs, di);
	arg[1] = BPF_CORE_READ(regs, si);
	arg[2] = BPF_CORE_READ(regs, dx);
	arg[3] = BPF_CORE_READ(regs, r10);
	arg[4] = BPF_CORE_READ(regs, r8);
	arg[5] = BPF_CORE_READ(regs, r9);
#else
	/* The first register holds the result by now. */
	struct user_pt_regs *user = (void *)regs;
	arg[0] = BPF_CORE_READ(regs, orig_x0);
	bpf_probe_read_kernel(&arg[1], 5 * sizeof(u64), &user->regs[1]);
#endif
}

static __always_inline u32 call_number(struct task_struct *task)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

#if defined(__TARGET_ARCH_x86)
	return BPF_CORE_READ(regs, orig_ax);
#else
	return BPF_CORE_READ(regs, syscallno);
#endif
}

#if defined(__TARGET_ARCH_x86)
#define NR_IO_URING_ENTER 426
#define NR_OPEN 2
#define NR_CREAT 85
#define NR_OPENAT 257
#define NR_OPENAT2 437
#define NR_OPEN_BY_HANDLE_AT 304
#else
#define NR_IO_URING_ENTER 426
#define NR_OPEN 0xfffe
#define NR_CREAT 0xffff
#define NR_OPENAT 56
#define NR_OPENAT2 437
#define NR_OPEN_BY_HANDLE_AT 265
#endif

/* Done by a request of io_uring: by a worker, or at once while requests are handed in. */
static __always_inline bool is_io_uring(struct task_struct *task)
{
	return (BPF_CORE_READ(task, flags) & PF_IO_WORKER) || call_number(task) == NR_IO_URING_ENTER;
}

#endif
