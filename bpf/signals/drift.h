/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Credentials that changed without a call that explains it: what an exploit of the kernel leaves behind. Each thread's
 * credentials are kept when it is made, calls exec or changes them by a system call, and compared when it does
 * something that is reported.
 */
#ifndef WEIR_DRIFT_H
#define WEIR_DRIFT_H

static __noinline struct thread_state *thread_of(struct task_struct *task)
{
	struct thread_state *thread = bpf_task_storage_get(&threads, task, 0, 0);
	if (thread)
		return thread;
	thread = bpf_task_storage_get(&threads, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!thread)
		return NULL;
	fill_creds(&thread->creds, task);
	fill_namespaces(&thread->ns, task);
	return thread;
}

static __noinline void send_creds(struct task_struct *task, struct process_state *state, struct thread_state *thread,
				  u32 op, s64 ret_and_arg)
{
	struct slot *slot = begin_for(task, state, WEIR_CRED, CRITICAL);
	if (!slot)
		return;
	BODY(weir_cred, cred, slot);
	__builtin_memcpy(&cred->before, &thread->creds, sizeof(cred->before));
	fill_creds(&cred->after, task);
	cred->op = op;
	/* BPF functions take five arguments: the result above, the call's first argument (32 bits tell it) below. */
	cred->ret = ret_and_arg >> 32;
	cred->arg = (u32)ret_and_arg;
	if (op == WEIR_CRED_DRIFT)
		cred->h.flags |= WEIR_F_DRIFT;
	__builtin_memcpy(&thread->creds, &cred->after, sizeof(cred->after));
	SEND(slot, WEIR_CRED, CRITICAL);
}

/* Whether a thread holds more, or is somebody else, than when it was last seen. */
static __always_inline bool has_drifted(struct task_struct *task, struct thread_state *thread)
{
	const struct cred *cred = task->real_cred;

	return cred->uid.val != thread->creds.uid || cred->euid.val != thread->creds.euid ||
	       caps_in(&cred->cap_effective) & ~thread->creds.permitted ||
	       caps_in(&cred->cap_permitted) & ~thread->creds.permitted;
}

/* To be called by whatever reports something that the current thread did. */
static __noinline void check_drift(struct task_struct *task, struct process_state *state)
{
	struct thread_state *thread = thread_of(task);

	if (!thread || !has_drifted(task, thread))
		return;
	/* Calls of 32-bit programs are not seen, so their changes have an explanation that we lack. */
	if (is_compat(task) || !(config.signals & WEIR_S_PRIVILEGE)) {
		fill_creds(&thread->creds, task);
		return;
	}
	send_creds(task, state, thread, WEIR_CRED_DRIFT, 0);
}

#endif
