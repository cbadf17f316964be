/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Sockets: made, bound, connected, accepted, listening, closed. System calls say who and with what result, the state
 * changes of TCP say what became of it; a socket's owner is kept with the socket, since packets and state changes are
 * handled when somebody else runs.
 */
#ifndef WEIR_SOCKET_H
#define WEIR_SOCKET_H

__noinline int read_endpoints(struct weir_endpoints *ep, u64 sk_at)
{
	struct sock *sk = (void *)sk_at;
	u64 block[17]; /* struct sock_common, as far as it is read */

	if (!ep || !sk || bpf_probe_read_kernel(block, sizeof(block), sk))
		return 0;
	ep->family = IN_BLOCK(block, struct sock_common, skc_family);
	ep->type = BPF_CORE_READ(sk, sk_type);
	ep->protocol = BPF_CORE_READ(sk, sk_protocol);
	ep->cookie = IN_BLOCK(block, struct sock_common, skc_cookie.counter);
	if (ep->family == AF_INET) {
		*(u32 *)ep->local.ip = IN_BLOCK(block, struct sock_common, skc_rcv_saddr);
		*(u32 *)ep->remote.ip = IN_BLOCK(block, struct sock_common, skc_daddr);
	} else if (ep->family == AF_INET6) {
		struct in6_addr local = IN_BLOCK(block, struct sock_common, skc_v6_rcv_saddr);
		struct in6_addr remote = IN_BLOCK(block, struct sock_common, skc_v6_daddr);
		__builtin_memcpy(ep->local.ip, &local, 16);
		__builtin_memcpy(ep->remote.ip, &remote, 16);
	} else {
		return 0;
	}
	ep->local.port = IN_BLOCK(block, struct sock_common, skc_num);
	ep->remote.port = bpf_ntohs(IN_BLOCK(block, struct sock_common, skc_dport));
	return 0;
}

/* The address a program asked for, where the socket has none (a connection that was refused has forgotten it). */
static __noinline void fill_asked(struct weir_endpoints *ep, const void *address)
{
	u8 raw[28] = {};

	if (!address || bpf_probe_read_user(raw, 16, address))
		return;
	u16 family = *(u16 *)raw;
	if (family == AF_INET) {
		ep->family = AF_INET;
		ep->remote.port = bpf_ntohs(*(u16 *)(raw + 2));
		*(u32 *)ep->remote.ip = *(u32 *)(raw + 4);
	} else if (family == AF_INET6 && !bpf_probe_read_user(raw, 28, address)) {
		ep->family = AF_INET6;
		ep->remote.port = bpf_ntohs(*(u16 *)(raw + 2));
		__builtin_memcpy(ep->remote.ip, raw + 8, 16);
	}
}

static __always_inline bool has_remote(const struct weir_endpoints *ep)
{
	const u32 *ip = (const u32 *)ep->remote.ip;
	return ep->remote.port || ip[0] | ip[1] | ip[2] | ip[3];
}

/* Rules on the peer: 1 = only excludes, 2 = what no rule includes is excluded. */
static __noinline bool is_peer_excluded(const struct weir_endpoints *ep)
{
	if (!config.has_address_rules)
		return false;
	u32 port = ep->remote.port;
	u32 *rule = bpf_map_lookup_elem(&port_rules, &port);
	bool included = false;

	if (rule) {
		if (*rule == WEIR_RULE_EXCLUDE)
			return true;
		included = true;
	}
	struct weir_address_key key = { .prefix_len = 128 };
	if (ep->family == AF_INET) {
		key.ip[10] = key.ip[11] = 0xff;
		__builtin_memcpy(key.ip + 12, ep->remote.ip, 4);
	} else {
		__builtin_memcpy(key.ip, ep->remote.ip, 16);
	}
	rule = bpf_map_lookup_elem(&address_rules, &key);
	if (rule) {
		if (*rule == WEIR_RULE_EXCLUDE)
			return true;
		included = true;
	}
	return config.has_address_rules == 2 && !included;
}

static __noinline void put_unix_path(struct writer *w, struct span *span, struct sock *sk)
{
	struct unix_sock *unix = (struct unix_sock *)sk;
	struct unix_address *address = BPF_CORE_READ(unix, addr);

	if (!address)
		return;
	int len = BPF_CORE_READ(address, len);
	/* sun_family comes first; a name of the file system ends with NUL, an abstract one begins with it. */
	if (len <= 2 || len > 110)
		return;
	void *name = (void *)address + bpf_core_field_offset(struct unix_address, name) + 2;
	char first = 0;
	bpf_probe_read_kernel(&first, 1, name);
	if (first)
		put_kernel_text(w, span, name, 109);
	else
		put_kernel_bytes(w, span, name, len - 2);
}

/* Says what a call did to a socket; NULL when it is not wanted. */
static __noinline struct slot *begin_sock(struct task_struct *task, u32 percent)
{
	u64 cgroup = cgroup_id_of_current();
	struct process_state *state = state_of(task->group_leader);

	if (!is_wanted(state ? state->flags : 0, cgroup, WEIR_SOCK, WEIR_S_NETWORK) ||
	    is_under_pressure(WEIR_SOCK, percent) || is_over_budget(cgroup, WEIR_RATE_NETWORK, WEIR_SOCK))
		return NULL;
	check_drift(task, state);
	return begin_current(state, cgroup, WEIR_SOCK, BULK);
}

static __always_inline struct sock *sock_of_fd(u32 fd)
{
	struct socket *socket = socket_of(file_of_fd(fd));
	return socket ? BPF_CORE_READ(socket, sk) : NULL;
}

static __always_inline bool is_inet(u16 family)
{
	return family == AF_INET || family == AF_INET6;
}

SEC("tracepoint/syscalls/sys_exit_socket")
int socket_exit(struct syscall_exit *ctx)
{
	struct task_struct *task = current_task();
	u64 arg[6];

	read_args(task, arg);
	u32 family = arg[0], type = arg[1] & 0xf;
	/* Ordinary sockets are reported when they are used. */
	if (family == AF_UNIX || (is_inet(family) && (type == SOCK_STREAM || type == SOCK_DGRAM)) ||
	    (family == AF_NETLINK && arg[2] == 0))
		return 0;
	struct slot *slot = begin_sock(task, KEEP_ABOVE_CONNECTS);
	if (!slot)
		return 0;
	BODY(weir_sock, sock, slot);
	sock->op = WEIR_SOCK_CREATE;
	sock->ep.family = family;
	sock->ep.type = type;
	sock->ep.protocol = arg[2];
	sock->ret = ctx->ret < 0 ? ctx->ret : 0;
	if (ctx->ret >= 0)
		fill_endpoints(&sock->ep, sock_of_fd(ctx->ret));
	SEND(slot, WEIR_SOCK, BULK);
	return 0;
}

static __noinline int report_connect(u32 fd, u64 address, u32 len, s32 ret)
{
	struct task_struct *task = current_task();
	struct sock *sk = sock_of_fd(fd);
	if (!sk)
		return 0;
	u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (!is_inet(family) && family != AF_UNIX && family != AF_VSOCK)
		return 0;
	struct slot *slot = begin_sock(task, KEEP_ABOVE_CONNECTS);
	if (!slot)
		return 0;
	BODY(weir_sock, sock, slot);
	sock->op = WEIR_SOCK_CONNECT;
	sock->ret = ret;
	fill_endpoints(&sock->ep, sk);
	if (is_inet(family)) {
		/* A refused connection keeps the address and forgets the port. */
		if (!sock->ep.remote.port || !has_remote(&sock->ep))
			fill_asked(&sock->ep, (void *)address);
		if (is_peer_excluded(&sock->ep)) {
			COUNT(WEIR_SOCK, filtered);
			give_slot(slot);
			return 0;
		}
		sock->netns_cookie = BPF_CORE_READ(sk, __sk_common.skc_net.net, net_cookie);
	} else if (family == AF_UNIX) {
		struct sock *peer = BPF_CORE_READ((struct unix_sock *)sk, peer);
		if (peer)
			put_unix_path(w, &sock->path, peer);
		/* Refused: what was asked for. */
		if (!peer && len > 2 && len <= 110)
			put_user_bytes(w, &sock->path, address + 2, len - 2);
	}
	SEND(slot, WEIR_SOCK, BULK);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_connect")
int connect_exit(struct syscall_exit *ctx)
{
	u64 arg[6];

	read_args(current_task(), arg);
	return report_connect(arg[0], arg[1], arg[2], ctx->ret);
}

static __noinline int report_accept(s32 ret)
{
	if (ret < 0)
		return 0;
	struct task_struct *task = current_task();
	struct sock *sk = sock_of_fd(ret);
	if (!sk)
		return 0;
	u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (!is_inet(family) && family != AF_UNIX && family != AF_VSOCK)
		return 0;
	struct slot *slot = begin_sock(task, KEEP_ABOVE_CONNECTS);
	if (!slot)
		return 0;
	BODY(weir_sock, sock, slot);
	sock->op = WEIR_SOCK_ACCEPT;
	sock->ingress = 1;
	fill_endpoints(&sock->ep, sk);
	if (is_inet(family) && is_peer_excluded(&sock->ep)) {
		COUNT(WEIR_SOCK, filtered);
		give_slot(slot);
		return 0;
	}
	if (family == AF_UNIX)
		put_unix_path(w, &sock->path, sk);
	else
		sock->netns_cookie = BPF_CORE_READ(sk, __sk_common.skc_net.net, net_cookie);
	SEND(slot, WEIR_SOCK, BULK);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_accept")
int accept_exit_accept(struct syscall_exit *ctx)
{
	return report_accept(ctx->ret);
}

SEC("tracepoint/syscalls/sys_exit_accept4")
int accept_exit_accept4(struct syscall_exit *ctx)
{
	return report_accept(ctx->ret);
}

static __always_inline int named_exit(struct syscall_exit *ctx, u32 op)
{
	struct task_struct *task = current_task();
	u64 arg[6];

	read_args(task, arg);
	struct sock *sk = sock_of_fd(arg[0]);
	if (!sk)
		return 0;
	u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (!is_inet(family) && family != AF_UNIX && family != AF_VSOCK)
		return 0;
	struct slot *slot = begin_sock(task, KEEP_ABOVE_CONNECTS);
	if (!slot)
		return 0;
	BODY(weir_sock, sock, slot);
	sock->op = op;
	sock->ret = ctx->ret;
	if (op == WEIR_SOCK_LISTEN)
		sock->backlog = arg[1];
	fill_endpoints(&sock->ep, sk);
	if (family == AF_UNIX)
		put_unix_path(w, &sock->path, sk);
	SEND(slot, WEIR_SOCK, BULK);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_bind")
int bind_exit(struct syscall_exit *ctx)
{
	return named_exit(ctx, WEIR_SOCK_BIND);
}

SEC("tracepoint/syscalls/sys_exit_listen")
int listen_exit(struct syscall_exit *ctx)
{
	return named_exit(ctx, WEIR_SOCK_LISTEN);
}

#define SOCK_DONE (1 << 1)

enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT = 2,
	TCP_SYN_RECV = 3,
	TCP_CLOSE = 7,
	TCP_LISTEN = 10,
};

/* Makes the current task the owner; in programs that may read task storage. */
static __noinline void own_by_current(struct socket_state *socket)
{
	struct task_struct *task = current_task();
	struct process_state *state = state_of(task->group_leader);

	read_current(&socket->owner);
	socket->owner.cgroup_id = cgroup_id_of_current();
	if (state) {
		socket->owner.process = state->key;
		socket->owner.process_flags = state->flags;
	}
}

static __noinline int report_close(struct sock *sk, struct socket_state *socket)
{
	struct weir_header *owner = &socket->owner;
	bool stood = socket->flags & SOCKET_STOOD;

	if (!owner->process.tgid)
		return config.signals & WEIR_S_NETWORK ? send_unread(WEIR_SOCK, BULK) : 0;
	if (!is_wanted(owner->process_flags, owner->cgroup_id, WEIR_SOCK, WEIR_S_NETWORK) ||
	    is_under_pressure(WEIR_SOCK, KEEP_ABOVE_CLOSES))
		return 0;
	struct slot *slot = take_slot();
	if (!slot) {
		send_nothing(WEIR_SOCK, BULK);
		return 0;
	}
	__builtin_memcpy(slot->record, owner, sizeof(*owner));
	BODY(weir_sock, sock, slot);
	sock->h.ktime = bpf_ktime_get_boot_ns();
	sock->h.flags = WEIR_F_NOT_CURRENT | (socket->flags & SOCKET_LISTENS ? WEIR_F_LISTENER : 0);
	sock->h.count = 0;
	sock->op = WEIR_SOCK_CLOSE;
	sock->established = stood;
	sock->ingress = socket->flags & SOCKET_IS_INGRESS ? 1 : 0;
	sock->opened = socket->opened;
	sock->netns_cookie = BPF_CORE_READ(sk, __sk_common.skc_net.net, net_cookie);
	fill_endpoints(&sock->ep, sk);
	/* The port is given back before the state changes; the socket's own copy is not. */
	if (!sock->ep.local.port)
		sock->ep.local.port = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
	sock->bytes_sent = BPF_CORE_READ((struct tcp_sock *)sk, bytes_sent) -
			   BPF_CORE_READ((struct tcp_sock *)sk, bytes_retrans);
	sock->bytes_received = BPF_CORE_READ((struct tcp_sock *)sk, bytes_received);
	/* The peer's FIN was counted as a byte (SOCK_DONE says that it came). */
	if (sock->bytes_received && (BPF_CORE_READ(sk, __sk_common.skc_flags) & SOCK_DONE))
		sock->bytes_received--;
	if (is_peer_excluded(&sock->ep)) {
		COUNT(WEIR_SOCK, filtered);
		give_slot(slot);
		return 0;
	}
	SEND(slot, WEIR_SOCK, BULK);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tcp_state, struct sock *sk, int before, int after)
{
	struct socket_state *socket;

	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	if (before == TCP_CLOSE && (after == TCP_SYN_SENT || after == TCP_LISTEN)) {
		socket = bpf_sk_storage_get(&sockets, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (!socket)
			return 0;
		own_by_current(socket);
		socket->opened = bpf_ktime_get_boot_ns();
		if (after == TCP_LISTEN)
			socket->flags |= SOCKET_LISTENS;
		return 0;
	}
	if (after == TCP_ESTABLISHED) {
		/* One that is accepted gets its cookie here: it names the socket in every record. */
		bpf_get_socket_cookie(sk);
		socket = bpf_sk_storage_get(&sockets, sk, 0, 0);
		if (!socket)
			return 0;
		socket->flags |= SOCKET_STOOD;
		if (before == TCP_SYN_RECV)
			socket->flags |= SOCKET_IS_INGRESS;
		socket->opened = bpf_ktime_get_boot_ns();
		return 0;
	}
	if (after == TCP_CLOSE && before != TCP_LISTEN) {
		socket = bpf_sk_storage_get(&sockets, sk, 0, 0);
		if (socket)
			return report_close(sk, socket);
		/* Nobody knows whose it was. */
		if (config.signals & WEIR_S_NETWORK)
			return send_unread(WEIR_SOCK, BULK);
	}
	return 0;
}

#endif
