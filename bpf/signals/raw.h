/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Every system call that returns, for what no tracepoint of its own is there for: calls of 32-bit programs, and module
 * calls of kernels without modules. It costs every call of the machine some 30 ns, so it is only attached on request.
 */
#ifndef WEIR_RAW_H
#define WEIR_RAW_H

#if defined(__TARGET_ARCH_x86)

/* Numbers of arch/x86/entry/syscalls/syscall_32.tbl. */
static __always_inline int compat_exit(struct task_struct *task, struct pt_regs *regs, u32 nr, s32 ret)
{
	u32 bx = regs->bx, cx = regs->cx, dx = regs->dx;

	switch (nr) {
	case 5:   /* open */
	case 8:   /* creat */
	case 295: /* openat */
	case 437: /* openat2 */
		if (ret >= 0 && !config.has_file_lsm) {
			struct file *file = file_of_fd(ret);
			if (file)
				report_open(file, ret, 0, WEIR_F_COMPAT32);
		}
		return 0;
	case 102: { /* socketcall */
		u32 arg[3] = {};
		bpf_probe_read_user(arg, sizeof(arg), (void *)(u64)cx);
		if (bx == 3)
			return report_connect(arg[0], arg[1], arg[2], ret);
		if (bx == 5 || bx == 18)
			return report_accept(ret);
		return 0;
	}
	case 362:
		return report_connect(bx, cx, dx, ret);
	case 364:
		return report_accept(ret);
	case 213: /* setuid32 */
		return privilege_exit(WEIR_CRED_SETUID, ret);
	case 208: /* setresuid32 */
		return privilege_exit(WEIR_CRED_SETRESUID, ret);
	case 203: /* setreuid32 */
		return privilege_exit(WEIR_CRED_SETREUID, ret);
	case 185:
		return privilege_exit(WEIR_CRED_CAPSET, ret);
	case 310:
		return namespace_exit(WEIR_NS_UNSHARE, ret, bx);
	case 346:
		return namespace_exit(WEIR_NS_SETNS, ret, cx);
	}
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(raw_exit, struct pt_regs *regs, long ret)
{
	struct task_struct *task = current_task();
	u32 nr = regs->orig_ax;

	if (is_compat(task))
		return compat_exit(task, regs, nr, ret);
	if (ret != -38)
		return 0;
	switch (nr) {
	case 175:
		return module_exit(WEIR_MODULE_INIT, ret);
	case 313:
		return module_exit(WEIR_MODULE_FINIT, ret);
	case 176:
		return module_exit(WEIR_MODULE_DELETE, ret);
	}
	return 0;
}

#endif

#endif
