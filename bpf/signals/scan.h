/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What was there before the sensor: processes (as EXEC records, read from the iterator) and owners of sockets. */
#ifndef WEIR_SCAN_H
#define WEIR_SCAN_H

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	u64 session_id;
	u64 seq_num;
} CORE;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} CORE;

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
} CORE;

SEC("iter.s/task")
int scan_tasks(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;

	if (!task)
		return 0;
	thread_of(task);
	if (task->pid != task->tgid)
		return 0;
	struct process_state *state = state_of(task);
	struct slot *slot = begin_for(task, state, WEIR_EXEC, CRITICAL);
	if (!slot)
		return 0;
	BODY(weir_exec, exec, slot);
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	exec->h.type = WEIR_EXEC;
	exec->h.flags |= WEIR_F_SCAN;
	if (state)
		exec->parent = state->parent;
	fill_creds(&exec->creds, task);
	fill_namespaces(&exec->ns, task);
	fill_terminal(exec, task);
	if (mm) {
		fill_image(w, exec, mm);
		u64 start = BPF_CORE_READ(mm, arg_start), end = BPF_CORE_READ(mm, arg_end);
		u64 len = end - start;
		exec->args_total = len;
		if (len > TEXT_MAX) {
			len = TEXT_MAX;
			exec->h.flags |= WEIR_F_TRUNC;
		}
		if (len && writer.at <= RECORD_TEXT) {
			if (bpf_copy_from_user_task(slot->record + writer.at, len, (void *)start, task, 0))
				exec->h.flags |= WEIR_F_READ_FAULT;
			else
				wrote(w, &exec->args, len);
		}
	}
	put_path(w, &exec->cwd, BPF_CORE_READ(task, fs, pwd.dentry), BPF_CORE_READ(task, fs, pwd.mnt));
	put_cgroup(w, exec, task);
	u32 size = (writer.at + 7) & ~7u;
	exec->h.size = size;
	if (size <= RECORD_MAX)
		bpf_seq_write(seq, slot->record, size);
	give_slot(slot);
	return 0;
}

SEC("iter/task_file")
int scan_sockets(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;

	if (!task || !file)
		return 0;
	struct socket *socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	struct sock *sk = socket->sk;
	if (!sk)
		return 0;
	u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (!is_inet(family))
		return 0;
	struct socket_state *owned = bpf_sk_storage_get(&sockets, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!owned || owned->owner.process.tgid)
		return 0;
	fill_task(&owned->owner, task);
	owned->owner.cgroup_id = cgroup_id_of(task);
	u32 tgid = owned->owner.process.tgid;
	struct image *image = bpf_map_lookup_elem(&images, &tgid);
	if (image) {
		owned->owner.process = image->key;
		owned->owner.process_flags = image->flags;
	}
	u8 tcp = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (tcp == TCP_LISTEN)
		owned->flags |= SOCKET_LISTENS;
	else if (tcp == TCP_ESTABLISHED && BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP)
		owned->flags |= SOCKET_STOOD;
	bpf_get_socket_cookie(sk);
	return 0;
}

struct beat {
	u64 nonce;
};

/* Run by user space: a record through each ring, to see that it arrives. */
SEC("syscall")
int heartbeat(struct beat *ctx)
{
#pragma unroll
	for (u32 ring = 0; ring < 2; ring++) {
		struct slot *slot = take_slot();
		if (!slot) {
			send_nothing(WEIR_HEARTBEAT, ring);
			continue;
		}
		__builtin_memset(slot->record, 0, sizeof(struct weir_header));
		BODY(weir_heartbeat, beat, slot);
		beat->h.ktime = bpf_ktime_get_boot_ns();
		/* Whoever beats learns the number that it has outside of its pid namespace. */
		beat->h.process.tgid = bpf_get_current_pid_tgid() >> 32;
		beat->nonce = ctx->nonce;
		SEND(slot, WEIR_HEARTBEAT, ring);
	}
	return 0;
}

#endif
