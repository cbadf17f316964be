/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Who does it: the process, its image, its credentials, its namespaces and its cgroup. */
#ifndef WEIR_TASKS_H
#define WEIR_TASKS_H

static __always_inline struct task_struct *current_task(void)
{
	return (struct task_struct *)bpf_get_current_task_btf();
}

/* The cgroup that names the container: of the unified hierarchy, or of the v1 controller that user space chose. */
static __always_inline struct cgroup *cgroup_of(struct task_struct *task)
{
	struct css_set *set = BPF_CORE_READ(task, cgroups);
	struct cgroup_subsys_state *css = NULL;

	if (!config.cgroup_subsys)
		return BPF_CORE_READ(set, dfl_cgrp);
	u32 index = config.cgroup_subsys - 1;
	if (index >= 16)
		return NULL;
	bpf_probe_read_kernel(&css, sizeof(css),
			      (void *)set + bpf_core_field_offset(struct css_set, subsys) + index * sizeof(void *));
	return css ? BPF_CORE_READ(css, cgroup) : NULL;
}

/* The same of the current task, by plain loads. */
static __always_inline u64 cgroup_id_of_current(void)
{
	if (!config.cgroup_subsys)
		return bpf_get_current_cgroup_id();
	struct css_set *set = current_task()->cgroups;
	struct cgroup_subsys_state *css = NULL;

	/* One helper call: the pointer is found by an index that only the verifier knows to be constant. */
	bpf_probe_read_kernel(&css, sizeof(css),
			      (void *)set + bpf_core_field_offset(struct css_set, subsys) +
				      ((config.cgroup_subsys - 1) & 15) * sizeof(void *));
	return css ? BPF_CORE_READ(css, cgroup, kn, id) : 0;
}

__noinline u64 find_cgroup_id(u64 task)
{
	struct cgroup *cgroup = cgroup_of((struct task_struct *)task);
	return cgroup ? BPF_CORE_READ(cgroup, kn, id) : 0;
}

#define cgroup_id_of(task) find_cgroup_id(as_number(task))

/* A pid in its innermost namespace, and that namespace; `level` = how deep it is. */
static __always_inline u32 pid_at_level(u64 pid, u32 level, u32 *pidns)
{
	struct upid upid = {};

	if (!pid || level > 32)
		return 0;
	bpf_probe_read_kernel(&upid, sizeof(upid),
			      (void *)pid + bpf_core_field_offset(struct pid, numbers) +
				      level * bpf_core_type_size(struct upid));
	if (upid.ns)
		*pidns = BPF_CORE_READ(upid.ns, ns.inum);
	return upid.nr;
}

/* Of any process. */
static __always_inline u32 inner_pid(struct task_struct *leader, u32 *pidns, u32 *depth)
{
	struct pid *pid = BPF_CORE_READ(leader, thread_pid);

	*depth = pid ? BPF_CORE_READ(pid, level) : 0;
	return pid_at_level((u64)pid, *depth, pidns);
}

static __always_inline u64 caps_at(const kernel_cap_t *caps)
{
	u64 value = 0;
	bpf_probe_read_kernel(&value, sizeof(value), caps);
	return value;
}

#define CAPS_OF(creds, set) caps_at((const void *)(creds) + bpf_core_field_offset(struct cred, set))

__noinline int read_creds(struct weir_creds *to, u64 task_at)
{
	struct task_struct *task = (void *)task_at;
	if (!to)
		return 0;
	const struct cred *cred = BPF_CORE_READ(task, real_cred);

	to->uid = BPF_CORE_READ(cred, uid.val);
	to->euid = BPF_CORE_READ(cred, euid.val);
	to->suid = BPF_CORE_READ(cred, suid.val);
	to->fsuid = BPF_CORE_READ(cred, fsuid.val);
	to->gid = BPF_CORE_READ(cred, gid.val);
	to->egid = BPF_CORE_READ(cred, egid.val);
	to->sgid = BPF_CORE_READ(cred, sgid.val);
	to->fsgid = BPF_CORE_READ(cred, fsgid.val);
	to->inheritable = CAPS_OF(cred, cap_inheritable);
	to->permitted = CAPS_OF(cred, cap_permitted);
	to->effective = CAPS_OF(cred, cap_effective);
	to->bounding = CAPS_OF(cred, cap_bset);
	to->ambient = CAPS_OF(cred, cap_ambient);
	to->securebits = BPF_CORE_READ(cred, securebits);
	to->no_new_privs = BPF_CORE_READ(task, atomic_flags) & 1;
	return 0;
}

#define fill_creds(to, task) read_creds(to, as_number(task))

__noinline int read_namespaces(struct weir_namespaces *to, u64 task_at)
{
	struct task_struct *task = (void *)task_at;
	if (!to)
		return 0;
	struct nsproxy *proxy = BPF_CORE_READ(task, nsproxy);
	u32 depth = 0, pidns = 0;

	if (proxy) {
		to->mnt = BPF_CORE_READ(proxy, mnt_ns, ns.inum);
		to->net = BPF_CORE_READ(proxy, net_ns, ns.inum);
		to->uts = BPF_CORE_READ(proxy, uts_ns, ns.inum);
		to->ipc = BPF_CORE_READ(proxy, ipc_ns, ns.inum);
		to->cgroup = BPF_CORE_READ(proxy, cgroup_ns, ns.inum);
		to->pid_for_children = BPF_CORE_READ(proxy, pid_ns_for_children, ns.inum);
	}
	to->user = BPF_CORE_READ(task, real_cred, user_ns, ns.inum);
	inner_pid(task, &pidns, &depth);
	to->pid = pidns;
	return 0;
}

#define fill_namespaces(to, task) read_namespaces(to, as_number(task))

static __noinline void remember_image(struct process_state *state)
{
	struct image image = { .key = state->key, .parent = state->parent, .flags = state->flags };
	u32 tgid = state->key.tgid;
	bpf_map_update_elem(&images, &tgid, &image, BPF_ANY);
}

/*
 * What is known of a process, made up from the kernel where the sensor has not seen its birth: its image counts as
 * loaded when the process was made, which every observer of the same process finds alike.
 */
static __noinline struct process_state *state_of(struct task_struct *leader)
{
	struct process_state *state = bpf_task_storage_get(&processes, leader, 0, 0);
	if (state)
		return state;
	state = bpf_task_storage_get(&processes, leader, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!state)
		return NULL;
	u32 pidns = 0, depth = 0, tgid = BPF_CORE_READ(leader, tgid);
	u64 start = BPF_CORE_READ(leader, start_boottime);
	/* A thread that calls exec becomes the leader: the storage of the one before went with its task. */
	struct image *image = bpf_map_lookup_elem(&images, &tgid);
	if (image && image->key.start == start) {
		state->key = image->key;
		state->parent = image->parent;
		state->flags = image->flags;
		return state;
	}
	struct task_struct *parent = BPF_CORE_READ(leader, real_parent, group_leader);

	state->key.start = start;
	state->key.exec_ktime = start;
	state->key.tgid = state->key.exec_tgid = tgid;
	state->parent.start = BPF_CORE_READ(parent, start_boottime);
	state->parent.exec_ktime = state->parent.start;
	state->parent.tgid = state->parent.exec_tgid = BPF_CORE_READ(parent, tgid);
	state->flags = WEIR_P_SCANNED;
	if (bpf_map_lookup_elem(&self, &state->key.tgid))
		state->flags |= WEIR_P_SELF;
	if (BPF_CORE_READ(leader, flags) & PF_KTHREAD)
		state->flags |= WEIR_P_KTHREAD;
	if (inner_pid(leader, &pidns, &depth) == 1 && depth > 0)
		state->flags |= WEIR_P_INIT_TREE;
	remember_image(state);
	return state;
}

/* The part of the header that kinds of programs without task storage can fill in, too. */
__noinline int read_task(struct weir_header *h, u64 task_at)
{
	struct task_struct *task = (void *)task_at;
	if (!h)
		return 0;
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	const struct cred *cred = BPF_CORE_READ(task, real_cred);
	struct nsproxy *proxy = BPF_CORE_READ(task, nsproxy);
	u32 depth = 0, pidns = 0;

	h->ktime = bpf_ktime_get_boot_ns();
	h->tid = BPF_CORE_READ(task, pid);
	h->process.tgid = BPF_CORE_READ(task, tgid);
	h->process.start = BPF_CORE_READ(leader, start_boottime);
	h->ppid = BPF_CORE_READ(task, real_parent, tgid);
	h->uid = BPF_CORE_READ(cred, uid.val);
	h->euid = BPF_CORE_READ(cred, euid.val);
	h->gid = BPF_CORE_READ(cred, gid.val);
	h->egid = BPF_CORE_READ(cred, egid.val);
	h->cap_effective = CAPS_OF(cred, cap_effective);
	h->auid = -1;
	if (bpf_core_field_exists(task->loginuid))
		h->auid = BPF_CORE_READ(task, loginuid.val);
	h->ns_tgid = inner_pid(leader, &pidns, &depth);
	h->pidns = pidns;
	if (proxy) {
		h->mntns = BPF_CORE_READ(proxy, mnt_ns, ns.inum);
		h->netns = BPF_CORE_READ(proxy, net_ns, ns.inum);
	}
	if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
		h->flags |= WEIR_F_KTHREAD;
	if (BPF_CORE_READ(task, flags) & PF_IO_WORKER)
		h->flags |= WEIR_F_IO_URING;
	BPF_CORE_READ_STR_INTO(&h->comm, task, comm);
	return 0;
}

#define fill_task(h, task) read_task(h, as_number(task))

static __always_inline u64 caps_in(const kernel_cap_t *caps)
{
	if (bpf_core_field_exists(caps->val))
		return caps->val;
	const kernel_cap_t___words *words = (const void *)caps;
	return (u64)words->cap[1] << 32 | words->cap[0];
}

/* What fill_task does, of the current task: plain loads instead of a helper call each. */
__noinline int read_current(struct weir_header *h)
{
	struct task_struct *task = current_task();

	if (!h)
		return 0;
	struct task_struct *leader = task->group_leader;
	const struct cred *cred = task->real_cred;
	struct nsproxy *proxy = task->nsproxy;
	struct pid *pid = leader->thread_pid;
	u32 pidns = 0;

	h->ktime = bpf_ktime_get_boot_ns();
	h->tid = task->pid;
	h->process.tgid = task->tgid;
	h->process.start = leader->start_boottime;
	h->ppid = task->real_parent->tgid;
	h->uid = cred->uid.val;
	h->euid = cred->euid.val;
	h->gid = cred->gid.val;
	h->egid = cred->egid.val;
	h->cap_effective = caps_in(&cred->cap_effective);
	h->auid = -1;
	if (bpf_core_field_exists(task->loginuid))
		h->auid = task->loginuid.val;
	h->ns_tgid = pid_at_level(as_number(pid), pid->level, &pidns);
	h->pidns = pidns;
	if (proxy) {
		h->mntns = proxy->mnt_ns->ns.inum;
		h->netns = proxy->net_ns->ns.inum;
	}
	u32 flags = task->flags;
	if (flags & PF_KTHREAD)
		h->flags |= WEIR_F_KTHREAD;
	if (flags & PF_IO_WORKER)
		h->flags |= WEIR_F_IO_URING;
	/* Not by the helper for it: programs of cgroups may not call that on kernels up to 6.12. */
	bpf_probe_read_kernel(&h->comm, sizeof(h->comm), &task->comm);
	return 0;
}

static __always_inline bool is_compat(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return bpf_core_field_exists(task->thread_info.status) && (task->thread_info.status & TS_COMPAT);
#else
	return false;
#endif
}

static __always_inline void name_process(struct weir_header *h, struct process_state *state, u32 type)
{
	if (state) {
		h->process = state->key;
		h->process_flags = state->flags;
		return;
	}
	h->process.exec_ktime = h->process.start;
	h->process.exec_tgid = h->process.tgid;
	COUNT(type, no_state);
}

/* Takes a buffer and fills in its header for the current task. */
static __noinline struct slot *begin_current(struct process_state *state, u64 cgroup, u32 type, u32 ring)
{
	struct slot *slot = take_slot();

	if (!slot) {
		send_nothing(type, ring);
		return NULL;
	}
	__builtin_memset(slot->record, 0, sizeof(struct weir_header));
	struct weir_header *h = (struct weir_header *)slot->record;
	read_current(h);
	h->cgroup_id = cgroup;
	if (is_compat(current_task()))
		h->flags |= WEIR_F_COMPAT32;
	name_process(h, state, type);
	return slot;
}

/* Takes a buffer and fills in its header for `task`; in programs that may read task storage. */
static __noinline struct slot *begin_for(struct task_struct *task, struct process_state *state, u32 type,
					   u32 ring)
{
	struct slot *slot = take_slot();

	if (!slot) {
		send_nothing(type, ring);
		return NULL;
	}
	__builtin_memset(slot->record, 0, sizeof(struct weir_header));
	struct weir_header *h = (struct weir_header *)slot->record;
	fill_task(h, task);
	h->cgroup_id = cgroup_id_of(task);
	name_process(h, state, type);
	return slot;
}

/* Zeroes the fixed part behind the header, and makes the writer that appends behind it. */
#define BODY(type, name, slot)                                                                              \
	struct type *name = (struct type *)(slot)->record;                                                  \
	__builtin_memset((void *)name + sizeof(struct weir_header), 0, sizeof(*name) - sizeof(struct weir_header)); \
	struct writer writer = { .slot = slot, .at = sizeof(struct type) };                                 \
	struct writer *w = &writer;                                                                         \
	(void)w

#define SEND(slot, type, ring) send(slot, type, ring, writer.at)

#endif
