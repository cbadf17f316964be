/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Kernel modules: asked for, loaded, removed. */
#ifndef WEIR_MODULE_H
#define WEIR_MODULE_H

static __noinline int module_exit(u32 op, s32 ret)
{
	struct task_struct *task = current_task();
	u64 arg[6];

	read_args(task, arg);
	struct slot *slot = begin_call(WEIR_MODULE, WEIR_S_MODULE);
	if (!slot)
		return 0;
	BODY(weir_module, module, slot);
	module->op = op;
	module->ret = ret;
	if (op == WEIR_MODULE_FINIT) {
		struct file *file = file_of_fd(arg[0]);
		if (file) {
			fill_file(&module->file, (u64)BPF_CORE_READ(file, f_inode));
			put_file_path(w, &module->path, file);
		}
		put_user_text(w, &module->params, arg[1], 1024);
		module->flags = arg[2];
	} else if (op == WEIR_MODULE_INIT) {
		put_user_text(w, &module->params, arg[2], 1024);
	} else {
		put_user_text(w, &module->name, arg[0], 64);
		module->flags = arg[1];
	}
	SEND(slot, WEIR_MODULE, CRITICAL);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_init_module")
int init_module_exit(struct syscall_exit *ctx)
{
	return module_exit(WEIR_MODULE_INIT, ctx->ret);
}

SEC("tracepoint/syscalls/sys_exit_finit_module")
int finit_module_exit(struct syscall_exit *ctx)
{
	return module_exit(WEIR_MODULE_FINIT, ctx->ret);
}

SEC("tracepoint/syscalls/sys_exit_delete_module")
int delete_module_exit(struct syscall_exit *ctx)
{
	return module_exit(WEIR_MODULE_DELETE, ctx->ret);
}

SEC("tp_btf/module_load")
int BPF_PROG(module_loaded, struct module *loaded)
{
	struct slot *slot = begin_call(WEIR_MODULE, WEIR_S_MODULE);
	if (!slot)
		return 0;
	BODY(weir_module, module, slot);
	module->op = WEIR_MODULE_LOADED;
	module->taints = BPF_CORE_READ(loaded, taints);
	put_kernel_text(w, &module->name, as_number(loaded) + bpf_core_field_offset(struct module, name), 56);
	SEND(slot, WEIR_MODULE, CRITICAL);
	return 0;
}

/* The kernel asks user space for a module, because of what a program did. */
static __always_inline int module_request(u64 name)
{
	struct slot *slot = begin_call(WEIR_MODULE, WEIR_S_MODULE);
	if (!slot)
		return 0;
	BODY(weir_module, module, slot);
	module->op = WEIR_MODULE_REQUEST;
	put_kernel_text(w, &module->name, name, 256);
	SEND(slot, WEIR_MODULE, CRITICAL);
	return 0;
}

SEC("fentry/security_kernel_module_request")
int BPF_PROG(fentry_module_request, char *name)
{
	return module_request(as_number(name));
}

SEC("kprobe/security_kernel_module_request")
int BPF_KPROBE(kprobe_module_request, char *name)
{
	return module_request((u64)name);
}

#endif
