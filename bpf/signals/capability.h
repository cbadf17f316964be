/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Capabilities that were asked for: the first time by an image and with a result, then counted. */
#ifndef WEIR_CAPABILITY_H
#define WEIR_CAPABILITY_H

#define CAP_SECONDS 60
#define CAP_OPT_NOAUDIT 2
#define CAP_SYS_ADMIN_BIT 21

/*
 * Whoever asks for memory is asked for CAP_SYS_ADMIN, which grants the last few per cent of it: no use that anybody
 * made. Where the kernel says that it asks silently (NOAUDIT) nothing else is needed; its tracepoint does not say so.
 */
static __always_inline bool asks_for_memory(struct task_struct *task)
{
	switch ((s32)call_number(task)) {
	case -1: /* a page fault */
#if defined(__TARGET_ARCH_x86)
	case 9: case 10: case 12: case 25: case 30: case 56: case 57: case 58: case 59: case 322: case 435:
#else
	case 196: case 214: case 216: case 220: case 221: case 222: case 226: case 281: case 435:
#endif
		return true;
	}
	return false;
}

static __always_inline int capability(const struct cred *cred, struct user_namespace *userns, int cap, s32 ret)
{
	struct task_struct *task = current_task();
	u32 count = 0;

	if (cap < 0 || cap > 63 || !(config.cap_mask & (1ull << cap)))
		return 0;
	if (task->flags & (PF_KTHREAD | PF_EXITING))
		return 0;
	/* Somebody else's credentials (an overlay that copies a file up, say). */
	if (as_number(task->real_cred) != as_number(cred))
		return 0;
	if (is_repeated_use(WEIR_CAP, cap, ret, CAP_SECONDS, &count))
		return 0;
	u64 cgroup = cgroup_id_of_current();
	struct process_state *state = state_of(task->group_leader);
	if (!is_wanted(state ? state->flags : 0, cgroup, WEIR_CAP, WEIR_S_CAPABILITY) ||
	    is_under_pressure(WEIR_CAP, KEEP_ABOVE_CONNECTS))
		return 0;
	struct slot *slot = begin_current(state, cgroup, WEIR_CAP, BULK);
	if (!slot)
		return 0;
	BODY(weir_cap, use, slot);
	mark_repeats(&use->h, count);
	use->cap = cap;
	use->ret = ret;
	use->userns = BPF_CORE_READ(userns, ns.inum);
	use->syscall = call_number(task);
	SEND(slot, WEIR_CAP, BULK);
	return 0;
}

SEC("tp_btf/cap_capable")
int BPF_PROG(capability_tracepoint, const struct cred *cred, struct user_namespace *target,
	     const struct user_namespace *capable, int cap, int ret)
{
	if (cap == CAP_SYS_ADMIN_BIT && asks_for_memory(current_task()))
		return 0;
	return capability(cred, target, cap, ret);
}

SEC("fexit/cap_capable")
int BPF_PROG(capability_fexit, const struct cred *cred, struct user_namespace *target, int cap, unsigned int options,
	     int ret)
{
	if (options & CAP_OPT_NOAUDIT)
		return 0;
	return capability(cred, target, cap, ret);
}

/* The same by two hooks: what was asked for at the entry, whether it was granted at the return. */
SEC("kprobe/cap_capable")
int BPF_KPROBE(capability_kprobe, const struct cred *cred, struct user_namespace *target, int cap, unsigned int options)
{
	u64 thread = bpf_get_current_pid_tgid();
	struct asked_cap asked = { .cred = (u64)cred, .userns = (u64)target, .cap = cap };

	if (options & CAP_OPT_NOAUDIT)
		return 0;
	bpf_map_update_elem(&asked_caps, &thread, &asked, BPF_ANY);
	return 0;
}

SEC("kretprobe/cap_capable")
int BPF_KRETPROBE(capability_kretprobe, int ret)
{
	u64 thread = bpf_get_current_pid_tgid();
	struct asked_cap *asked = bpf_map_lookup_elem(&asked_caps, &thread);

	if (!asked)
		return 0;
	const struct cred *cred = (const struct cred *)asked->cred;
	struct user_namespace *userns = (struct user_namespace *)asked->userns;
	int cap = asked->cap;

	bpf_map_delete_elem(&asked_caps, &thread);
	return capability(cred, userns, cap, ret);
}

#endif
