/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Cgroups that are made, removed and entered, in the hierarchy that names containers. */
#ifndef WEIR_CGROUP_H
#define WEIR_CGROUP_H

static __noinline int report_cgroup(u64 cgroup_at, u64 path, u32 op, u32 moved)
{
	struct cgroup *cgroup = (void *)cgroup_at;
	struct cgroup *own = cgroup_of((struct task_struct *)bpf_get_current_task());

	if (!own || BPF_CORE_READ(own, root) != BPF_CORE_READ(cgroup, root))
		return 0;
	struct task_struct *task = current_task();
	struct slot *slot = begin_current(state_of(task->group_leader), cgroup_id_of_current(), WEIR_CGROUP, CRITICAL);
	if (!slot)
		return 0;
	BODY(weir_cgroup, change, slot);
	struct kernfs_node *node = BPF_CORE_READ(cgroup, kn);
	struct kernfs_node___rcu *newer = (void *)node;
	struct kernfs_node *parent = bpf_core_field_exists(newer->__parent) ? BPF_CORE_READ(newer, __parent) :
									       BPF_CORE_READ(node, parent);

	change->op = op;
	change->id = BPF_CORE_READ(node, id);
	change->parent_id = parent ? BPF_CORE_READ(parent, id) : 0;
	change->level = BPF_CORE_READ(cgroup, level);
	change->hierarchy = BPF_CORE_READ(cgroup, root, hierarchy_id);
	change->moved_tgid = moved;
	put_kernel_text(w, &change->path, path, TEXT_MAX);
	SEND(slot, WEIR_CGROUP, CRITICAL);
	return 0;
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(cgroup_made, struct cgroup *cgroup, const char *path)
{
	return report_cgroup(as_number(cgroup), as_number(path), WEIR_CGROUP_MKDIR, 0);
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(cgroup_removed, struct cgroup *cgroup, const char *path)
{
	return report_cgroup(as_number(cgroup), as_number(path), WEIR_CGROUP_RMDIR, 0);
}

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(cgroup_entered, struct cgroup *cgroup, const char *path, struct task_struct *task, bool all)
{
	return report_cgroup(as_number(cgroup), as_number(path), WEIR_CGROUP_ATTACH, BPF_CORE_READ(task, tgid));
}

#endif
