/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Packets of this machine's own sockets: the first bytes of streams that look like DNS, TLS or HTTP go to user space,
 * which parses them, and datagrams are counted by peer. A stream that was looked at costs one lookup a packet.
 */
#ifndef WEIR_PACKET_H
#define WEIR_PACKET_H

#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd
#define KEEP_OF_STREAM 8192   /* bytes of a TLS or DNS stream that are kept */
#define SEGMENTS_TO_LOOK_AT 3
#define REQUESTS_A_SECOND 50
#define FLOW_SECONDS 30

/* Makes the current task the owner; in programs that may not read task storage. */
static __noinline void own_by_image(struct socket_state *socket)
{
	read_current(&socket->owner);
	socket->owner.cgroup_id = cgroup_id_of_current();
	u32 tgid = socket->owner.process.tgid;
	struct image *image = bpf_map_lookup_elem(&images, &tgid);

	if (image && image->key.start == socket->owner.process.start) {
		socket->owner.process = image->key;
		socket->owner.process_flags = image->flags;
	} else {
		socket->owner.process.exec_ktime = socket->owner.process.start;
		socket->owner.process.exec_tgid = tgid;
	}
}

SEC("cgroup/sock_create")
int socket_create(struct bpf_sock *ctx)
{
	bpf_get_socket_cookie(ctx); /* gives it one */
	/* Those of TCP get their owner when they connect or listen (tcp_state). */
	if (ctx->type == SOCK_STREAM)
		return 1;
	struct socket_state *socket = bpf_sk_storage_get(&sockets, ctx, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (socket)
		own_by_image(socket);
	return 1;
}

/* Sockets are handed on: who connects or sends is the owner from then on. */
static __always_inline int refresh_owner(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;

	if (!sk || ctx->type == SOCK_STREAM)
		return 1;
	struct socket_state *socket = bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (socket && socket->owner.process.tgid != bpf_get_current_pid_tgid() >> 32)
		own_by_image(socket);
	return 1;
}

SEC("cgroup/connect4")
int connect_v4(struct bpf_sock_addr *ctx)
{
	return refresh_owner(ctx);
}

SEC("cgroup/connect6")
int connect_v6(struct bpf_sock_addr *ctx)
{
	return refresh_owner(ctx);
}

SEC("cgroup/sendmsg4")
int sendmsg_v4(struct bpf_sock_addr *ctx)
{
	return refresh_owner(ctx);
}

SEC("cgroup/sendmsg6")
int sendmsg_v6(struct bpf_sock_addr *ctx)
{
	return refresh_owner(ctx);
}

/* One packet, as far as it is looked at. */
struct packet {
	u8 local[16];
	u8 remote[16];
	u16 local_port;
	u16 remote_port;
	u16 family;
	u16 protocol;
	u32 payload; /* offset in the packet */
	u32 length;  /* of the payload */
	u64 cookie;
};

static __noinline bool read_packet(struct __sk_buff *skb, struct packet *packet, u32 ingress)
{
	u8 head[40] = {};
	u32 l4;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (bpf_skb_load_bytes(skb, 0, head, 20))
			return false;
		l4 = (head[0] & 15) * 4;
		packet->family = AF_INET;
		packet->protocol = head[9];
		__builtin_memcpy(ingress ? packet->remote : packet->local, head + 12, 4);
		__builtin_memcpy(ingress ? packet->local : packet->remote, head + 16, 4);
	} else if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		if (bpf_skb_load_bytes(skb, 0, head, 40))
			return false;
		l4 = 40;
		packet->family = AF_INET6;
		packet->protocol = head[6];
		__builtin_memcpy(ingress ? packet->remote : packet->local, head + 8, 16);
		__builtin_memcpy(ingress ? packet->local : packet->remote, head + 24, 16);
	} else {
		return false;
	}
	packet->payload = l4;
	if (packet->protocol == IPPROTO_TCP || packet->protocol == IPPROTO_UDP) {
		u16 ports[2];
		if (bpf_skb_load_bytes(skb, l4, ports, 4))
			return false;
		packet->local_port = bpf_ntohs(ports[ingress ? 1 : 0]);
		packet->remote_port = bpf_ntohs(ports[ingress ? 0 : 1]);
		if (packet->protocol == IPPROTO_TCP) {
			u8 offset = 0;
			if (bpf_skb_load_bytes(skb, l4 + 12, &offset, 1))
				return false;
			packet->payload = l4 + (offset >> 4) * 4;
		} else {
			packet->payload = l4 + 8;
		}
	}
	if (packet->payload > skb->len)
		return false;
	packet->length = skb->len - packet->payload;
	packet->cookie = bpf_get_socket_cookie(skb);
	return true;
}

static __always_inline void put_endpoints(struct weir_endpoints *ep, const struct packet *packet)
{
	__builtin_memcpy(ep->local.ip, packet->local, 16);
	__builtin_memcpy(ep->remote.ip, packet->remote, 16);
	ep->local.port = packet->local_port;
	ep->remote.port = packet->remote_port;
	ep->family = packet->family;
	ep->protocol = packet->protocol;
	ep->type = packet->protocol == IPPROTO_TCP ? SOCK_STREAM : packet->protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_RAW;
	ep->cookie = packet->cookie;
}

/* A record in the name of the socket's owner. */
static __noinline struct slot *begin_of_owner(struct socket_state *socket, u32 type)
{
	struct slot *slot = take_slot();

	if (!slot) {
		send_nothing(type, BULK);
		return NULL;
	}
	struct weir_header *h = (struct weir_header *)slot->record;
	__builtin_memcpy(h, &socket->owner, sizeof(*h));
	h->ktime = bpf_ktime_get_boot_ns();
	h->flags = WEIR_F_NOT_CURRENT | (socket->flags & SOCKET_LISTENS ? WEIR_F_LISTENER : 0);
	h->count = 0;
	return slot;
}

static __always_inline bool is_owner_wanted(struct socket_state *socket, u32 type, u32 signal)
{
	return is_wanted(socket->owner.process_flags, socket->owner.cgroup_id, type, signal);
}

static __noinline int send_payload(struct __sk_buff *skb, struct socket_state *socket, struct packet *packet,
				   u32 kind_and_ingress, u32 offset)
{
	u32 kind = kind_and_ingress >> 1, ingress = kind_and_ingress & 1;
	u32 signal = kind == WEIR_L7_DNS ? WEIR_S_DNS : kind == WEIR_L7_TLS ? WEIR_S_TLS : WEIR_S_HTTP;

	if (!is_owner_wanted(socket, WEIR_L7, signal) || is_under_pressure(WEIR_L7, KEEP_ABOVE_PAYLOAD) ||
	    is_over_budget(socket->owner.cgroup_id, WEIR_RATE_NETWORK, WEIR_L7))
		return 0;
	struct slot *slot = begin_of_owner(socket, WEIR_L7);
	if (!slot)
		return 0;
	BODY(weir_l7, l7, slot);
	put_endpoints(&l7->ep, packet);
	l7->kind = kind;
	l7->ingress = ingress;
	l7->offset = offset;
	l7->total = packet->length;
	u32 len = packet->length;
	u32 most = config.l7_payload;
	if (most > TEXT_MAX)
		most = TEXT_MAX;
	if (len > most) {
		len = most;
		l7->h.flags |= WEIR_F_TRUNC;
	}
	/* Neither zero nor too large, in a form that old verifiers follow. */
	u64 less = (u64)len - 1;
	BOUND(less, TEXT_MAX - 1);
	if (len && !bpf_skb_load_bytes(skb, packet->payload, slot->record + sizeof(struct weir_l7), less + 1)) {
		l7->payload.off = sizeof(struct weir_l7);
		l7->payload.len = less + 1;
		writer.at += less + 1;
	} else {
		l7->h.flags |= WEIR_F_READ_FAULT;
	}
	SEND(slot, WEIR_L7, BULK);
	return 0;
}

static __noinline int report_flow(struct socket_state *socket, const struct flow_key *key, struct flow *flow)
{
	if (!is_owner_wanted(socket, WEIR_SOCK, WEIR_S_NETWORK) || is_under_pressure(WEIR_SOCK, KEEP_ABOVE_CLOSES) ||
	    is_over_budget(socket->owner.cgroup_id, WEIR_RATE_NETWORK, WEIR_SOCK))
		return 0;
	struct slot *slot = begin_of_owner(socket, WEIR_SOCK);
	if (!slot)
		return 0;
	BODY(weir_sock, sock, slot);
	__builtin_memcpy(sock->ep.local.ip, flow->local, 16);
	__builtin_memcpy(sock->ep.remote.ip, key->ip, 16);
	sock->ep.local.port = flow->local_port;
	sock->ep.remote.port = key->port;
	sock->ep.family = key->family;
	sock->ep.protocol = key->protocol;
	sock->ep.type = key->protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_RAW;
	sock->ep.cookie = key->cookie;
	sock->op = WEIR_SOCK_FLOW;
	sock->ingress = flow->ingress;
	sock->netns_cookie = socket->netns_cookie;
	sock->opened = flow->opened;
	sock->bytes_sent = flow->bytes[0];
	sock->bytes_received = flow->bytes[1];
	sock->packets_sent = flow->packets[0];
	sock->packets_received = flow->packets[1];
	if (is_peer_excluded(&sock->ep)) {
		COUNT(WEIR_SOCK, filtered);
		give_slot(slot);
		return 0;
	}
	SEND(slot, WEIR_SOCK, BULK);
	return 0;
}

/* Fewer packets than these, a question and its answer, are worth no second record. */
#define UNTOLD_PACKETS 3

/* What the last flow of a socket came to, when it or the socket is over. */
static __always_inline void report_rest(struct socket_state *socket)
{
	struct flow *flow = socket->flow.cookie ? bpf_map_lookup_elem(&flows, &socket->flow) : NULL;

	if (!flow)
		return;
	u64 packets = flow->packets[0] + flow->packets[1];
	if (packets - flow->told < UNTOLD_PACKETS)
		return;
	flow->told = packets;
	report_flow(socket, &socket->flow, flow);
}

static __noinline int count_flow(struct socket_state *socket, struct packet *packet, u32 ingress)
{
	struct flow_key key = { .cookie = packet->cookie,
				.port = packet->remote_port,
				.family = packet->family,
				.protocol = packet->protocol };
	u64 now = bpf_ktime_get_boot_ns();
	u32 way = ingress ? 1 : 0;

	__builtin_memcpy(key.ip, packet->remote, 16);
	struct flow *flow = bpf_map_lookup_elem(&flows, &key);
	bool begins = !flow;
	if (begins) {
		struct flow fresh = { .opened = now, .local_port = packet->local_port, .ingress = way };
		__builtin_memcpy(fresh.local, packet->local, 16);
		report_rest(socket);
		socket->flow = key;
		bpf_map_update_elem(&flows, &key, &fresh, BPF_NOEXIST);
		flow = bpf_map_lookup_elem(&flows, &key);
		if (!flow)
			return 0;
	}
	if (way) {
		flow->bytes[1] += packet->length;
		flow->packets[1]++;
	} else {
		flow->bytes[0] += packet->length;
		flow->packets[0]++;
	}
	if (!begins && now - flow->reported <= FLOW_SECONDS * BILLION)
		return 0;
	flow->reported = now;
	flow->told = flow->packets[0] + flow->packets[1];
	return report_flow(socket, &key, flow);
}

SEC("cgroup/sock_release")
int socket_release(struct bpf_sock *ctx)
{
	struct socket_state *socket = bpf_sk_storage_get(&sockets, ctx, 0, 0);

	if (socket && socket->flow.cookie) {
		report_rest(socket);
		bpf_map_delete_elem(&flows, &socket->flow);
	}
	return 1;
}

/* The beginning of a request; `b` holds eight bytes. */
static __always_inline bool is_http(const u8 *b)
{
#define IS4(w, x, y, z) (b[0] == w && b[1] == x && b[2] == y && b[3] == z)
	return IS4('G', 'E', 'T', ' ') || IS4('P', 'U', 'T', ' ') || IS4('P', 'O', 'S', 'T') || IS4('H', 'E', 'A', 'D') ||
	       IS4('D', 'E', 'L', 'E') || IS4('P', 'A', 'T', 'C') || IS4('O', 'P', 'T', 'I') || IS4('C', 'O', 'N', 'N') ||
	       IS4('T', 'R', 'A', 'C') || IS4('P', 'R', 'I', ' ');
#undef IS4
}

static __always_inline bool is_over_requests(struct stream *stream)
{
	u64 now = bpf_ktime_get_boot_ns();

	if (now - stream->window > BILLION) {
		stream->window = now;
		stream->requests = 0;
	}
	return stream->requests++ >= REQUESTS_A_SECOND;
}

/* What the stream is was found out: the following bytes of it. */
static __always_inline int follow_stream(struct __sk_buff *skb, struct socket_state *socket, struct stream *stream,
					 struct packet *packet, u32 kind, u32 ingress)
{
	u32 offset = stream->sent;

	stream->sent += packet->length;
	if (kind == WEIR_L7_TLS) {
		if (packet->length >= stream->want || stream->sent >= KEEP_OF_STREAM)
			stream->state = STREAM_DONE;
		else
			stream->want -= packet->length;
	} else if (stream->sent >= (KEEP_OF_STREAM << 4)) {
		stream->state = STREAM_DONE;
	}
	return send_payload(skb, socket, packet, kind << 1 | ingress, offset);
}

static __noinline int look_at_stream(struct __sk_buff *skb, struct socket_state *socket, struct packet *packet,
				     u32 ingress)
{
	struct stream *stream = &socket->streams[ingress & 1];
	u8 first[8] = {};

	if (stream->state == STREAM_TLS)
		return follow_stream(skb, socket, stream, packet, WEIR_L7_TLS, ingress);
	if (stream->state == STREAM_DNS)
		return follow_stream(skb, socket, stream, packet, WEIR_L7_DNS, ingress);
	if (packet->length < 8 || bpf_skb_load_bytes(skb, packet->payload, first, 8))
		return 0;
	if (is_http(first)) {
		stream->state = STREAM_HTTP;
		stream->sent = 0;
		/* The rest of a head that does not end with this segment comes with the next one. */
		stream->want = packet->length < config.l7_payload ? 1 : 0;
		if (is_over_requests(stream)) {
			COUNT(WEIR_L7, throttled);
			return 0;
		}
		stream->sent = packet->length;
		return send_payload(skb, socket, packet, WEIR_L7_HTTP << 1 | ingress, 0);
	}
	if (stream->state == STREAM_HTTP) {
		if (!stream->want || !stream->sent)
			return 0;
		stream->want = 0;
		return send_payload(skb, socket, packet, WEIR_L7_HTTP << 1 | ingress, stream->sent);
	}
	if (packet->remote_port == 53 || packet->local_port == 53) {
		stream->state = STREAM_DNS;
		return follow_stream(skb, socket, stream, packet, WEIR_L7_DNS, ingress);
	}
	if (first[0] == 0x16 && first[1] == 3 && first[5] == 1) {
		stream->state = STREAM_TLS;
		stream->want = (((u32)first[3] << 8) | first[4]) + 5;
		return follow_stream(skb, socket, stream, packet, WEIR_L7_TLS, ingress);
	}
	if (++stream->segments >= SEGMENTS_TO_LOOK_AT)
		stream->state = STREAM_DONE;
	return 0;
}

static __always_inline int packet(struct __sk_buff *skb, u32 ingress)
{
	struct bpf_sock *sk = skb->sk;

	if (!sk)
		return 1;
	sk = bpf_sk_fullsock(sk);
	if (!sk)
		return 1;
	/* Acknowledgements and the like carry nothing: the shortest first bytes that are looked at are longer. */
	if (sk->protocol == IPPROTO_TCP && skb->len <= (skb->protocol == bpf_htons(ETH_P_IP) ? 60 : 80))
		return 1;
	struct socket_state *socket = bpf_sk_storage_get(&sockets, sk, 0, 0);
	if (!socket || socket->streams[ingress].state == STREAM_DONE)
		return 1;
	struct packet packet = {};
	if (!read_packet(skb, &packet, ingress) || !packet.length)
		return 1;
	if (packet.protocol == IPPROTO_TCP) {
		look_at_stream(skb, socket, &packet, ingress);
		return 1;
	}
	count_flow(socket, &packet, ingress);
	if (packet.protocol == IPPROTO_UDP && (packet.remote_port == 53 || packet.local_port == 53 ||
					       packet.remote_port == 5353 || packet.local_port == 5353))
		send_payload(skb, socket, &packet, WEIR_L7_DNS << 1 | ingress, 0);
	return 1;
}

SEC("cgroup_skb/egress")
int packet_egress(struct __sk_buff *skb)
{
	return packet(skb, 0);
}

SEC("cgroup_skb/ingress")
int packet_ingress(struct __sk_buff *skb)
{
	return packet(skb, 1);
}

#endif
