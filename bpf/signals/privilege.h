/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Changes of user, group and capabilities by system calls, and those that no call explains. */
#ifndef WEIR_PRIVILEGE_H
#define WEIR_PRIVILEGE_H

/* Keeping capabilities over the next setuid() is no privilege; a runtime does it at every start of a container. */
#define SECURE_KEEP_CAPS_BIT 0x10

static __always_inline bool are_same_creds(const struct weir_creds *a, const struct weir_creds *b)
{
	return a->uid == b->uid && a->euid == b->euid && a->suid == b->suid && a->fsuid == b->fsuid && a->gid == b->gid &&
	       a->egid == b->egid && a->sgid == b->sgid && a->fsgid == b->fsgid && a->inheritable == b->inheritable &&
	       a->permitted == b->permitted && a->effective == b->effective && a->bounding == b->bounding &&
	       a->ambient == b->ambient && !((a->securebits ^ b->securebits) & ~SECURE_KEEP_CAPS_BIT);
}

/* Reports what changed, and what was refused. */
static __noinline int privilege_exit(u32 op, s32 ret)
{
	struct task_struct *task = current_task();
	struct process_state *state = state_of(task->group_leader);
	struct thread_state *thread = thread_of(task);
	struct weir_creds now = {};
	u64 arg[6];

	if (!thread)
		return 0;
	fill_creds(&now, task);
	/* Nobody has more or less by it until the next exec; a runtime gives up forty at every start of a container. */
	if (op == WEIR_CRED_PRCTL)
		thread->creds.bounding = now.bounding;
	bool changed = !are_same_creds(&thread->creds, &now);
	if (!changed && ret != -1)
		return 0;
	u64 cgroup = cgroup_id_of_current();
	if (!is_wanted(state ? state->flags : 0, cgroup, WEIR_CRED, WEIR_S_PRIVILEGE) ||
	    is_over_budget(cgroup, WEIR_RATE_OTHER, WEIR_CRED)) {
		__builtin_memcpy(&thread->creds, &now, sizeof(now));
		return 0;
	}
	read_args(task, arg);
	send_creds(task, state, thread, op, (s64)ret << 32 | (u32)arg[0]);
	return 0;
}

#define PRIVILEGE(call, op)                                  \
	SEC("tracepoint/syscalls/sys_exit_" #call)           \
	int call##_exit(struct syscall_exit *ctx)            \
	{                                                    \
		return privilege_exit(op, ctx->ret);         \
	}

PRIVILEGE(setuid, WEIR_CRED_SETUID)
PRIVILEGE(setgid, WEIR_CRED_SETGID)
PRIVILEGE(setreuid, WEIR_CRED_SETREUID)
PRIVILEGE(setregid, WEIR_CRED_SETREGID)
PRIVILEGE(setresuid, WEIR_CRED_SETRESUID)
PRIVILEGE(setresgid, WEIR_CRED_SETRESGID)
PRIVILEGE(capset, WEIR_CRED_CAPSET)

/* These return the old value, not an error. */
SEC("tracepoint/syscalls/sys_exit_setfsuid")
int setfsuid_exit(struct syscall_exit *ctx)
{
	return privilege_exit(WEIR_CRED_SETFSUID, 0);
}

SEC("tracepoint/syscalls/sys_exit_setfsgid")
int setfsgid_exit(struct syscall_exit *ctx)
{
	return privilege_exit(WEIR_CRED_SETFSGID, 0);
}

SEC("tracepoint/syscalls/sys_exit_setgroups")
int setgroups_exit(struct syscall_exit *ctx)
{
	return privilege_exit(WEIR_CRED_SETGROUPS, ctx->ret);
}

enum { PR_CAPBSET_DROP = 24, PR_SET_SECUREBITS = 28, PR_CAP_AMBIENT = 47 };

SEC("tracepoint/syscalls/sys_exit_prctl")
int prctl_exit(struct syscall_exit *ctx)
{
	u64 arg[6];

	read_args(current_task(), arg);
	if (arg[0] != PR_CAPBSET_DROP && arg[0] != PR_SET_SECUREBITS && arg[0] != PR_CAP_AMBIENT)
		return 0;
	/* Refusals are how programs find out which capabilities there are. */
	return privilege_exit(WEIR_CRED_PRCTL, 0);
}

/* Calls that are allowed to change credentials. */
static __always_inline bool may_change_creds(u32 nr)
{
	switch (nr) {
#if defined(__TARGET_ARCH_x86)
	case 56: case 57: case 58: case 59: case 105: case 106: case 113: case 114: case 116: case 117: case 119:
	case 122: case 123: case 126: case 157: case 250: case 272: case 308: case 317: case 322: case 435:
#else
	case 90: case 91: case 97: case 143: case 144: case 145: case 146: case 147: case 149: case 151: case 152:
	case 159: case 167: case 219: case 220: case 221: case 268: case 277: case 281: case 435:
#endif
		return true;
	}
	return false;
}

/* Credentials put in force from a call that has no business with them: reported on the spot. */
static __always_inline int commit(const struct cred *fresh)
{
	struct task_struct *task = current_task();
	u32 flags = BPF_CORE_READ(task, flags);

	if (flags & (PF_KTHREAD | PF_EXITING | PF_IO_WORKER) || is_compat(task) || may_change_creds(call_number(task)))
		return 0;
	const struct cred *old = BPF_CORE_READ(task, real_cred);
	if (!(CAPS_OF(fresh, cap_effective) & ~CAPS_OF(old, cap_effective)) &&
	    BPF_CORE_READ(fresh, euid.val) == BPF_CORE_READ(old, euid.val))
		return 0;
	struct slot *slot = begin_call(WEIR_CRED, WEIR_S_PRIVILEGE);
	if (!slot)
		return 0;
	BODY(weir_cred, cred, slot);
	fill_creds(&cred->before, task);
	cred->after.uid = BPF_CORE_READ(fresh, uid.val);
	cred->after.euid = BPF_CORE_READ(fresh, euid.val);
	cred->after.suid = BPF_CORE_READ(fresh, suid.val);
	cred->after.gid = BPF_CORE_READ(fresh, gid.val);
	cred->after.egid = BPF_CORE_READ(fresh, egid.val);
	cred->after.permitted = CAPS_OF(fresh, cap_permitted);
	cred->after.effective = CAPS_OF(fresh, cap_effective);
	cred->after.bounding = CAPS_OF(fresh, cap_bset);
	cred->op = WEIR_CRED_COMMIT;
	cred->h.flags |= WEIR_F_DRIFT;
	SEND(slot, WEIR_CRED, CRITICAL);
	return 0;
}

SEC("fentry/commit_creds")
int BPF_PROG(fentry_commit_creds, struct cred *fresh)
{
	return commit(fresh);
}

SEC("kprobe/commit_creds")
int BPF_KPROBE(kprobe_commit_creds, struct cred *fresh)
{
	return commit(fresh);
}

#endif
