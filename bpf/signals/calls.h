/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What calls that are reported as they are have in common. */
#ifndef WEIR_SIGNALS_CALLS_H
#define WEIR_SIGNALS_CALLS_H

/* A record of the current task on the critical ring, or NULL when it is not wanted. */
static __noinline struct slot *begin_call(u32 type, u32 signal)
{
	struct task_struct *task = current_task();
	u64 cgroup = cgroup_id_of_current();
	struct process_state *state = state_of(task->group_leader);

	if (!is_wanted(state ? state->flags : 0, cgroup, type, signal) ||
	    is_over_budget(cgroup, WEIR_RATE_OTHER, type))
		return NULL;
	return begin_current(state, cgroup, type, CRITICAL);
}

/* The same thing done by the same image lately: folded. */
static __noinline bool is_repeated_use(u32 type, u32 what, u32 result, u64 seconds, u32 *count)
{
	struct task_struct *task = current_task();
	struct process_state *state = state_of(task->group_leader);
	struct use_key key = { .cgroup = cgroup_id_of_current(), .what = type << 24 | (what & 0xffffff), .result = result };

	key.exec_ktime = state ? state->key.exec_ktime : bpf_get_current_pid_tgid() >> 32;
	return is_repeat(&uses, &key, seconds, type, count);
}

/* A process by its pid as the machine sees it; of other pid namespaces only the number is known. */
static __always_inline void fill_target(struct process_key *target, u32 pid)
{
	struct image *image = bpf_map_lookup_elem(&images, &pid);

	if (image)
		*target = image->key;
	else
		target->tgid = pid;
}

#endif
