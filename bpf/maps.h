/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Everything that is kept between two events, and everything that user space reads or writes. */
#ifndef WEIR_MAPS_H
#define WEIR_MAPS_H

/* Everything on, so that a verifier that is given the bare object sees all of it. */
const volatile struct weir_config config SEC(".rodata.config") = {
	.signals = ~0u,
	.scope_default = ~0u,
	.with_env = 1,
	.simulate_drop = 1,
	.dedup_seconds = 10,
	.has_scopes = 1,
	.has_path_rules = 1,
	.has_address_rules = 1,
	.has_binary_rules = 1,
	.l7_payload = 2048,
	.failed_opens = 1,
	.rate = { 500, 2000, 2000, 2000 },
	.burst = { 5000, 10000, 10000, 10000 },
	.cap_mask = ~0ull,
	.wake_bytes = 65536,
};

/* Sizes of the rings are set by user space before the object is loaded. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} critical SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} bulk SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WEIR_TYPES);
	__type(key, u32);
	__type(value, struct weir_counters);
} counters SEC(".maps");

/* Sequence numbers by ring: 0 critical, 1 bulk. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, u64);
} sequences SEC(".maps");

/*
 * Buffers in which records are built. Several a CPU, each with a lock of its own: a program may be interrupted by
 * another one on its CPU, and some kinds of programs may be preempted.
 */
#define SLOTS 5
#define TEXT_MAX 4096
#define RECORD_TEXT (12 * 1024) /* where the last string may begin */
#define RECORD_MAX (RECORD_TEXT + TEXT_MAX)
#define PATH_MAX 4096

struct slot {
	u64 busy;
	u8 record[RECORD_MAX];
	u8 path[2 * PATH_MAX]; /* paths are walked from their end */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SLOTS);
	__type(key, u32);
	__type(value, struct slot);
} slots SEC(".maps");

/* What is known of a process; lives on its thread group leader, and goes with it. */
struct process_state {
	struct process_key key;
	struct process_key parent;
	u32 flags; /* enum weir_process_flag */
	u32 has_exited;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct process_state);
} processes SEC(".maps");

/* Credentials and namespaces that a thread was last seen with. */
struct thread_state {
	struct weir_creds creds;
	struct weir_namespaces ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread_state);
} threads SEC(".maps");

/* The same keys by pid, for kinds of programs that may not read task storage. */
struct image {
	struct process_key key;
	struct process_key parent;
	u32 flags;
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, u32);
	__type(value, struct image);
} images SEC(".maps");

/* Strings of a system call, as they were at its entry. */
#define HELD_TEXT 1024
struct held_call {
	u32 nr;
	u32 resolved; /* bit 0: first, bit 1: second were resolved by a hook inside the kernel */
	u16 len[2];
	u16 faulted;
	u16 pad;
	struct weir_file file;
	char text[2][HELD_TEXT];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct held_call);
} held SEC(".maps");

/* A socket's owner, and how far its first bytes were looked at. Accepted sockets begin with a copy of the listener's. */
enum socket_flag {
	SOCKET_LISTENS = 1 << 0, /* the owner is that of the listening socket */
	SOCKET_IS_INGRESS = 1 << 1,
	SOCKET_STOOD = 1 << 2,
};

enum stream_state {
	STREAM_NEW = 0,
	STREAM_TLS = 1,
	STREAM_HTTP = 2,
	STREAM_DNS = 3,
	STREAM_DONE = 4,
};

struct stream {
	u32 sent;  /* bytes of it that were kept */
	u32 want;  /* bytes of the TLS record still to come */
	u8 state;  /* enum stream_state */
	u8 segments;
	u16 pad;
	u32 requests;
	u64 window; /* when the count of requests began */
};

/* Datagrams of a socket with one peer. */
struct flow_key {
	u64 cookie;
	u8 ip[16];
	u16 port;
	u16 family;
	u32 protocol;
};

struct socket_state {
	struct weir_header owner;
	u64 opened;
	u64 netns_cookie;
	u32 flags;
	u32 pad;
	struct flow_key flow; /* the one that began last */
	struct stream streams[2]; /* 0 egress, 1 ingress */
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct socket_state);
} sockets SEC(".maps");

struct flow {
	u64 opened;
	u64 reported;
	u64 bytes[2]; /* egress, ingress */
	u64 packets[2];
	u64 told; /* packets that were reported */
	u8 local[16];
	u16 local_port;
	u16 ingress; /* 1 = the peer began */
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct flow_key);
	__type(value, struct flow);
} flows SEC(".maps");

/* Opens that were reported lately, and how often they were repeated since. */
struct open_key {
	u64 ino;
	u64 cgroup;
	u64 exec_ktime;
	u32 dev;
	u32 access;
};

struct repeats {
	u64 reported;
	u32 count;
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct open_key);
	__type(value, struct repeats);
} opens SEC(".maps");

/* The same for the use of capabilities, io_uring operations and other things that repeat. */
struct use_key {
	u64 cgroup;
	u64 exec_ktime;
	u32 what;
	u32 result;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct use_key);
	__type(value, struct repeats);
} uses SEC(".maps");

/* A capability that a thread is being asked for, between two hooks. */
struct asked_cap {
	u64 cred;
	u64 userns;
	s32 cap;
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, struct asked_cap);
} asked_caps SEC(".maps");

struct rate_key {
	u64 cgroup;
	u32 class;
	u32 pad;
};

struct rate {
	u64 tokens; /* in billionths of a record */
	u64 at;
	u64 suppressed;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct rate_key);
	__type(value, struct rate);
} rates SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, u32);
	__type(value, u32);
} self SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, u32);
} scopes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct weir_inode_key);
	__type(value, u32);
} watched SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct weir_path_key);
	__type(value, u32);
} path_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct weir_path_key);
	__type(value, u32);
} binary_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct weir_address_key);
	__type(value, u32);
} address_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, u32);
} port_rules SEC(".maps");

#endif
