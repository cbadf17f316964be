/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* System calls: their arguments, read when they return (the registers still hold them). */
#ifndef WEIR_CALLS_H
#define WEIR_CALLS_H

/* Of the current task. The registers are read directly: a helper call each would cost more than all of them. */
static __always_inline void read_args(struct task_struct *task, u64 arg[6])
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

#if defined(__TARGET_ARCH_x86)
	arg[0] = regs->di;
	arg[1] = regs->si;
	arg[2] = regs->dx;
	arg[3] = regs->r10;
	arg[4] = regs->r8;
	arg[5] = regs->r9;
#else
	/* The first register holds the result by now. */
	arg[0] = regs->orig_x0;
	arg[1] = regs->user_regs.regs[1];
	arg[2] = regs->user_regs.regs[2];
	arg[3] = regs->user_regs.regs[3];
	arg[4] = regs->user_regs.regs[4];
	arg[5] = regs->user_regs.regs[5];
#endif
}

static __always_inline u32 call_number(struct task_struct *task)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

#if defined(__TARGET_ARCH_x86)
	return regs->orig_ax;
#else
	return regs->syscallno;
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
	return (task->flags & PF_IO_WORKER) || call_number(task) == NR_IO_URING_ENTER;
}

#endif
