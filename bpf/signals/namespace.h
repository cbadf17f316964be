/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Namespaces that a thread left for others. (Those that a child is born into: see process_fork.) */
#ifndef WEIR_NAMESPACE_H
#define WEIR_NAMESPACE_H

static __always_inline bool are_same_namespaces(const struct weir_namespaces *a, const struct weir_namespaces *b)
{
	return a->mnt == b->mnt && a->pid == b->pid && a->net == b->net && a->uts == b->uts && a->ipc == b->ipc &&
	       a->cgroup == b->cgroup && a->user == b->user && a->pid_for_children == b->pid_for_children;
}

static __noinline int namespace_exit(u32 op, s32 ret, u64 flags)
{
	struct task_struct *task = current_task();
	struct thread_state *thread = thread_of(task);
	struct weir_namespaces now = {};

	if (!thread)
		return 0;
	fill_namespaces(&now, task);
	bool changed = !are_same_namespaces(&thread->ns, &now);
	if (!changed && ret >= 0)
		return 0;
	struct slot *slot = begin_call(WEIR_NS, WEIR_S_NAMESPACE);
	if (slot) {
		BODY(weir_ns, ns, slot);
		__builtin_memcpy(&ns->before, &thread->ns, sizeof(ns->before));
		__builtin_memcpy(&ns->after, &now, sizeof(ns->after));
		ns->flags = flags;
		ns->op = op;
		ns->ret = ret;
		SEND(slot, WEIR_NS, CRITICAL);
	}
	__builtin_memcpy(&thread->ns, &now, sizeof(now));
	/* A new user namespace comes with a full set of capabilities in it: no drift. */
	fill_creds(&thread->creds, task);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_unshare")
int unshare_exit(struct syscall_exit *ctx)
{
	u64 arg[6];
	read_args(current_task(), arg);
	return namespace_exit(WEIR_NS_UNSHARE, ctx->ret, arg[0]);
}

SEC("tracepoint/syscalls/sys_exit_setns")
int setns_exit(struct syscall_exit *ctx)
{
	u64 arg[6];
	read_args(current_task(), arg);
	return namespace_exit(WEIR_NS_SETNS, ctx->ret, arg[1]);
}

#endif
