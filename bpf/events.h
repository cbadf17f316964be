/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * What the kernel side tells the user side: one record an event, little endian, 8-byte aligned.
 *
 * A record is a header, a fixed part that its type names, and bytes of variable length which `struct span`s in the
 * fixed part point at. The TypeScript offsets (src/ebpf/layout) are generated from the BTF of the built object, so
 * that this file is the only place where the layout is written. Fields that a hook cannot know are zero.
 */
#ifndef WEIR_EVENTS_H
#define WEIR_EVENTS_H

/* Types of records; also the index of the counters. */
enum weir_type {
	WEIR_EXEC = 1,
	WEIR_FORK = 2,
	WEIR_EXIT = 3,
	WEIR_OPEN = 4,
	WEIR_FS = 5,
	WEIR_SOCK = 6,
	WEIR_L7 = 7,
	WEIR_CRED = 8,
	WEIR_CAP = 9,
	WEIR_NS = 10,
	WEIR_MOUNT = 11,
	WEIR_MODULE = 12,
	WEIR_BPF = 13,
	WEIR_PTRACE = 14,
	WEIR_MEMFD = 15,
	WEIR_IOURING = 16,
	WEIR_CGROUP = 17,
	WEIR_HEARTBEAT = 18,
	WEIR_THROTTLE = 19,
	WEIR_FD = 20,
	WEIR_SIGNAL = 21,
	WEIR_SYSCALL = 22,
	WEIR_EXEC_FAILED = 23,
	WEIR_TYPES = 24,
};

/* weir_header.flags */
enum weir_flag {
	WEIR_F_TRUNC = 1 << 0,       /* a string was cut */
	WEIR_F_READ_FAULT = 1 << 1,  /* memory of the process could not be read: an empty string means unknown */
	WEIR_F_ARG_CHANGED = 1 << 2, /* a string differed between the entry and the exit of the system call */
	WEIR_F_COMPAT32 = 1 << 3,    /* a 32-bit program */
	WEIR_F_AGGREGATED = 1 << 4,  /* `count` repeats stand behind this record */
	WEIR_F_SCAN = 1 << 5,        /* not an event: a process that was there before the sensor */
	WEIR_F_KTHREAD = 1 << 6,
	WEIR_F_IO_URING = 1 << 7,    /* done by an io_uring request, not by a system call */
	WEIR_F_DRIFT = 1 << 8,       /* credentials differ from those last seen, and nothing explains it */
	WEIR_F_WATCHED = 1 << 9,     /* the file is on the watch list (by inode) */
	WEIR_F_NOT_CURRENT = 1 << 10, /* the process is the owner of the socket, not the one that ran */
	WEIR_F_LISTENER = 1 << 11,   /* the owner is that of the listening socket: nobody has accepted yet */
};

/* weir_header.process_flags; they belong to the process, not to the event. */
enum weir_process_flag {
	WEIR_P_INIT_TREE = 1 << 0, /* started by the image: the container's init or a descendant of it */
	WEIR_P_FORKED = 1 << 1,    /* has not called exec since its fork: exec_* name its ancestor's image */
	WEIR_P_SCANNED = 1 << 2,   /* was there before the sensor */
	WEIR_P_SELF = 1 << 3,      /* belongs to Weir */
	WEIR_P_KTHREAD = 1 << 4,
	WEIR_P_EXCLUDED = 1 << 5,  /* excluded by its binary */
};

struct span {
	__u16 off; /* from the start of the record */
	__u16 len;
};

/* A process by start (survives pid reuse), and the image it runs by exec. Times are nanoseconds since boot. */
struct process_key {
	__u64 start;      /* when the process (its thread group leader) was made; 0 = unknown */
	__u64 exec_ktime; /* when its image was loaded; of a forked process: of the ancestor that called exec */
	__u32 tgid;       /* in the host's pid namespace */
	__u32 exec_tgid;  /* who loaded the image: another pid than tgid after a fork without exec */
};

struct weir_header {
	__u16 type;  /* enum weir_type */
	__u16 flags; /* enum weir_flag */
	__u32 size;  /* of the whole record, so that unknown types can be skipped */
	__u64 ktime; /* nanoseconds since boot (CLOCK_BOOTTIME) */
	__u32 cpu;
	__u32 count; /* repeats that were folded since the last record of the same key; 0 = none */
	__u64 seq;   /* per ring and CPU; also counts records that could not be written */
	struct process_key process;
	__u64 cgroup_id;
	__u32 tid;
	__u32 ppid; /* now: may be a subreaper */
	__u32 uid;
	__u32 euid;
	__u32 gid;
	__u32 egid;
	__u32 auid; /* login uid; 0xffffffff = unset */
	__u32 ns_tgid; /* pid in the innermost pid namespace; 1 = init of the container */
	__u32 mntns;
	__u32 pidns;
	__u32 netns;
	__u32 process_flags;
	__u64 cap_effective;
	char comm[16];
};

struct weir_file {
	__u64 ino;
	__u32 dev;   /* major << 20 | minor, as the kernel has it */
	__u32 mode;  /* st_mode */
	__u32 nlink;
	__u32 uid;
	__u32 gid;
	__u32 magic; /* of the file system: 0x794c7630 overlay, 0x01021994 tmpfs, 0x9fa0 proc, ... */
	__u32 layer; /* 0 not overlayfs, 1 lower, 2 upper */
	__u32 pad;
};

struct weir_address {
	__u8 ip[16]; /* IPv4 in the first four bytes */
	__u16 port;  /* host byte order */
	__u16 pad;
};

struct weir_endpoints {
	struct weir_address local;
	struct weir_address remote;
	__u16 family; /* AF_*; 0 = none */
	__u16 type;   /* SOCK_* */
	__u16 protocol;
	__u16 pad;
	__u64 cookie; /* names a socket for its lifetime */
};

struct weir_namespaces {
	__u32 mnt;
	__u32 pid; /* of the process itself */
	__u32 net;
	__u32 uts;
	__u32 ipc;
	__u32 cgroup;
	__u32 user;
	__u32 pid_for_children;
};

struct weir_creds {
	__u32 uid, euid, suid, fsuid;
	__u32 gid, egid, sgid, fsgid;
	__u64 inheritable, permitted, effective, bounding, ambient;
	__u32 securebits;
	__u32 no_new_privs;
};

enum weir_exec_flag {
	WEIR_X_SECURE = 1 << 0,    /* the image was started with privileges raised (AT_SECURE) */
	WEIR_X_SETUID = 1 << 1,    /* euid changed through the set-user-ID bit */
	WEIR_X_SETGID = 1 << 2,
	WEIR_X_FILE_CAPS = 1 << 3, /* capabilities gained through those of the file */
	WEIR_X_MEMFD = 1 << 4,     /* the image is an anonymous memory file */
	WEIR_X_UNLINKED = 1 << 5,  /* the image has no name left on its file system */
	WEIR_X_TMPFS = 1 << 6,     /* the image lies on tmpfs, such as /dev/shm */
	WEIR_X_UPPER = 1 << 7,     /* the image was written into the container, it is not of its image */
	WEIR_X_KTHREAD = 1 << 8,   /* started by the kernel (a usermode helper) */
	WEIR_X_WRITABLE = 1 << 9,  /* the process may write its own image */
	WEIR_X_THREAD = 1 << 10,   /* exec came from a thread other than the leader */
};

/* Type EXEC (also what a scan of processes yields, with WEIR_F_SCAN). */
struct weir_exec {
	struct weir_header h;
	struct process_key parent;   /* at the fork: immune to re-parenting */
	struct process_key previous; /* the image this one replaced, in the same process; start 0 = none */
	struct weir_creds creds;
	struct weir_creds old_creds; /* before the exec; zero in a scan */
	struct weir_namespaces ns;
	struct weir_file exe;
	__u64 ctime, mtime; /* of the image, nanoseconds since 1970 */
	struct weir_endpoints stdin_sock;
	struct weir_endpoints stdout_sock;
	__u32 exec_flags; /* enum weir_exec_flag */
	__u32 session;    /* audit session */
	__u32 pgid, sid;
	__u32 tty;        /* device number of the controlling terminal; 0 = none */
	__u32 old_tid;    /* the thread that called exec */
	__u32 args_total; /* bytes of arguments the process has; more than `args` holds = cut */
	__u32 argc, envc;
	__u32 stdin_mode; /* st_mode of file descriptor 0; 0 = closed */
	char previous_comm[16];
	struct span args;     /* NUL-separated */
	struct span env;      /* NUL-separated; only when asked for */
	struct span exe_path; /* resolved by the kernel, in the process' mount namespace */
	struct span filename; /* as given to exec */
	struct span interp;   /* who interprets it, when it is a script */
	struct span cwd;
	struct span cgroup;   /* leaf name */
	struct span stdin_path;
};

struct weir_exec_failed {
	struct weir_header h;
	__s32 ret; /* negative errno */
	__u32 args_total;
	struct span filename;
	struct span args; /* NUL-separated, the first 20 */
};

struct weir_fork {
	struct weir_header h; /* process = the child */
	struct process_key parent;
	__u64 clone_flags;
};

struct weir_exit {
	struct weir_header h;
	__u32 code;   /* exit status */
	__u32 signal; /* that ended it; 0 = none */
	__u32 core;   /* 1 = a core was dumped */
	__u32 threads;
	__u64 utime, stime; /* nanoseconds */
	__u64 max_rss;      /* bytes */
};

struct weir_open {
	struct weir_header h;
	struct weir_file file;
	__u32 open_flags; /* O_* */
	__u32 created;    /* 1 = the call made the file */
	__s32 ret;        /* file descriptor, or negative errno */
	__u32 watch;      /* class of the watch list; 0 = none */
	struct span path; /* resolved by the kernel */
	struct span raw;  /* as given by the program, when it differs in kind (.., /proc/self, relative to a descriptor) */
};

enum weir_fs_op {
	WEIR_FS_UNLINK = 1,
	WEIR_FS_RMDIR = 2,
	WEIR_FS_RENAME = 3,
	WEIR_FS_LINK = 4,
	WEIR_FS_SYMLINK = 5,
	WEIR_FS_MKDIR = 6,
	WEIR_FS_MKNOD = 7,
	WEIR_FS_CHMOD = 8,
	WEIR_FS_CHOWN = 9,
	WEIR_FS_TRUNCATE = 10,
	WEIR_FS_SETXATTR = 11,
	WEIR_FS_UTIMES = 12,
};

struct weir_fs {
	struct weir_header h;
	struct weir_file file; /* where the call works on an open file, or the hook has the inode */
	__u32 op;              /* enum weir_fs_op */
	__s32 ret;
	__u32 mode;            /* of chmod, mkdir, mknod */
	__u32 uid, gid;        /* of chown; 0xffffffff = unchanged */
	__u32 resolved;        /* bit 0: path, bit 1: target were resolved by the kernel and need no base */
	__u32 watch;
	__u32 dev;             /* of mknod */
	struct span path;      /* what is changed; the link that is made */
	struct span base;      /* directory that a relative `path` starts from */
	struct span target;    /* new name of a rename; what a link points at */
	struct span target_base;
};

enum weir_sock_op {
	WEIR_SOCK_CREATE = 1,
	WEIR_SOCK_BIND = 2,
	WEIR_SOCK_CONNECT = 3,
	WEIR_SOCK_ACCEPT = 4,
	WEIR_SOCK_LISTEN = 5,
	WEIR_SOCK_CLOSE = 6,
	WEIR_SOCK_FLOW = 7, /* datagrams with one peer */
};

struct weir_sock {
	struct weir_header h;
	struct weir_endpoints ep;
	__u16 op;          /* enum weir_sock_op */
	__u16 ingress;     /* 1 = the peer began */
	__s32 ret;         /* negative errno; -115 (EINPROGRESS) is no failure */
	__u32 backlog;
	__u32 established; /* of a close: 1 = the connection stood */
	__u64 bytes_sent, bytes_received;
	__u64 packets_sent, packets_received; /* of a flow */
	__u64 opened;      /* when the connection or flow began */
	__u64 netns_cookie;
	struct span path;  /* of a Unix socket; begins with NUL when abstract */
};

enum weir_l7_kind {
	WEIR_L7_DNS = 1,
	WEIR_L7_TLS = 2,
	WEIR_L7_HTTP = 3,
};

struct weir_l7 {
	struct weir_header h;
	struct weir_endpoints ep;
	__u16 kind;    /* what the first bytes look like: enum weir_l7_kind */
	__u16 ingress; /* 1 = received */
	__u32 offset;  /* of the payload in this direction's stream, from the first segment that was kept */
	__u32 total;   /* bytes of the packet's payload; more than `payload` holds = cut */
	__u32 pad;
	struct span payload;
	__u32 pad2;
};

enum weir_cred_op {
	WEIR_CRED_SETUID = 1,
	WEIR_CRED_SETGID = 2,
	WEIR_CRED_SETREUID = 3,
	WEIR_CRED_SETREGID = 4,
	WEIR_CRED_SETRESUID = 5,
	WEIR_CRED_SETRESGID = 6,
	WEIR_CRED_SETFSUID = 7,
	WEIR_CRED_SETFSGID = 8,
	WEIR_CRED_SETGROUPS = 9,
	WEIR_CRED_CAPSET = 10,
	WEIR_CRED_PRCTL = 11,
	WEIR_CRED_DRIFT = 12,  /* found changed, without a call that explains it */
	WEIR_CRED_COMMIT = 13, /* seen at commit_creds */
};

struct weir_cred {
	struct weir_header h;
	struct weir_creds before;
	struct weir_creds after;
	__u32 op; /* enum weir_cred_op */
	__s32 ret;
	__u64 arg; /* first argument of the call (the uid asked for, the option of prctl) */
};

struct weir_cap {
	struct weir_header h;
	__u32 cap;
	__s32 ret; /* 0 = had it, -1 = EPERM */
	__u32 userns;
	__u32 syscall; /* number, in the numbering of the machine; 0xffffffff = unknown */
};

enum weir_ns_op {
	WEIR_NS_UNSHARE = 1,
	WEIR_NS_SETNS = 2,
	WEIR_NS_CLONE = 3,
};

struct weir_ns {
	struct weir_header h;
	struct weir_namespaces before;
	struct weir_namespaces after;
	__u64 flags; /* CLONE_NEW* */
	__u32 op;    /* enum weir_ns_op */
	__s32 ret;
};

enum weir_mount_op {
	WEIR_MOUNT_MOUNT = 1,
	WEIR_MOUNT_UMOUNT = 2,
	WEIR_MOUNT_PIVOT_ROOT = 3,
	WEIR_MOUNT_MOVE_MOUNT = 4,
	WEIR_MOUNT_OPEN_TREE = 5,
	WEIR_MOUNT_FSOPEN = 6,
	WEIR_MOUNT_FSCONFIG = 7,
	WEIR_MOUNT_FSMOUNT = 8,
	WEIR_MOUNT_SETATTR = 9,
	WEIR_MOUNT_CHROOT = 10,
};

struct weir_mount {
	struct weir_header h;
	__u64 flags;
	__u32 op; /* enum weir_mount_op */
	__s32 ret;
	struct span source;
	struct span target;
	struct span fstype;
	__u32 pad;
};

enum weir_module_op {
	WEIR_MODULE_INIT = 1,
	WEIR_MODULE_FINIT = 2,
	WEIR_MODULE_DELETE = 3,
	WEIR_MODULE_LOADED = 4, /* by the tracepoint module_load */
	WEIR_MODULE_REQUEST = 5,
};

struct weir_module {
	struct weir_header h;
	struct weir_file file; /* of finit_module */
	__u32 op; /* enum weir_module_op */
	__s32 ret;
	__u32 taints;
	__u32 flags;
	struct span name;
	struct span path;
	struct span params;
	__u32 pad;
};

enum weir_bpf_op {
	WEIR_BPF_BPF = 1,
	WEIR_BPF_PERF_EVENT_OPEN = 2,
};

struct weir_bpf {
	struct weir_header h;
	__u32 op;  /* enum weir_bpf_op */
	__u32 cmd; /* BPF_*; of perf_event_open: the type */
	__s32 ret;
	__u32 kind; /* type of the program or map */
	__u32 insn_count;
	__u32 attach_type;
	__u32 target_fd;
	__u32 target_pid;
	struct span name;
	__u32 pad;
};

enum weir_ptrace_op {
	WEIR_PTRACE_PTRACE = 1,
	WEIR_PTRACE_VM_READ = 2,
	WEIR_PTRACE_VM_WRITE = 3,
	WEIR_PTRACE_PIDFD_GETFD = 4,
};

struct weir_ptrace {
	struct weir_header h;
	struct process_key target;
	__u64 request;
	__u64 address;
	__u32 op; /* enum weir_ptrace_op */
	__s32 ret;
	char target_comm[16];
};

struct weir_memfd {
	struct weir_header h;
	__u32 flags;
	__s32 ret;
	struct span name;
	__u32 pad;
};

struct weir_iouring {
	struct weir_header h;
	__u32 opcode; /* IORING_OP_*; 0xffffffff = io_uring_setup */
	__u32 entries;
	__s32 ret;
	__u32 flags;
};

enum weir_cgroup_op {
	WEIR_CGROUP_MKDIR = 1,
	WEIR_CGROUP_RMDIR = 2,
	WEIR_CGROUP_ATTACH = 3,
};

struct weir_cgroup {
	struct weir_header h; /* process = who did it */
	__u64 id;
	__u64 parent_id;
	__u32 hierarchy;
	__u32 level;
	__u32 op; /* enum weir_cgroup_op */
	__u32 moved_tgid; /* of attach */
	struct span path; /* in its hierarchy */
	__u32 pad;
};

struct weir_heartbeat {
	struct weir_header h;
	__u64 nonce;
};

struct weir_throttle {
	struct weir_header h; /* cgroup_id = whose */
	__u32 class;      /* enum weir_rate_class */
	__u32 ended;      /* 0 = begins, 1 = is over */
	__u64 suppressed; /* records that were not made meanwhile */
};

struct weir_fd {
	struct weir_header h;
	struct weir_endpoints ep; /* of the socket that became standard input, output or error */
	__u32 old_fd, new_fd;
};

struct weir_signal {
	struct weir_header h;
	struct process_key target;
	__u32 signal;
	__s32 ret;
	char target_comm[16];
};

enum weir_syscall_op {
	WEIR_SYS_USERFAULTFD = 1,
	WEIR_SYS_KEYCTL = 2,
	WEIR_SYS_ADD_KEY = 3,
	WEIR_SYS_REQUEST_KEY = 4,
	WEIR_SYS_SECCOMP = 5,
	WEIR_SYS_SETTIMEOFDAY = 6,
	WEIR_SYS_CLOCK_SETTIME = 7,
	WEIR_SYS_REBOOT = 8,
	WEIR_SYS_KEXEC_LOAD = 9,
	WEIR_SYS_KEXEC_FILE_LOAD = 10,
	WEIR_SYS_SETHOSTNAME = 11,
	WEIR_SYS_SWAPON = 12,
	WEIR_SYS_ACCT = 13,
	WEIR_SYS_IOPERM = 14,
	WEIR_SYS_IOPL = 15,
};

struct weir_syscall {
	struct weir_header h;
	__u64 args[3];
	__u32 op; /* enum weir_syscall_op */
	__s32 ret;
};

/* What a program asks for before it counts as made: also the index of `weir_counters`. */
struct weir_counters {
	__u64 attempted;    /* = emitted + all drops */
	__u64 emitted;
	__u64 drop_ring;    /* the ring was full */
	__u64 drop_scratch; /* no buffer was free to build it in */
	__u64 drop_toobig;
	__u64 drop_pressure;  /* let go while the ring was filling, so that what matters more finds room */
	__u64 drop_simulated;
	__u64 drop_unread;    /* what it is about could not be read, or nobody knows whose it is */
	__u64 filtered;     /* excluded by configuration, or by Weir itself being the actor */
	__u64 deduped;      /* folded into another record's count */
	__u64 throttled;
	__u64 read_fault;
	__u64 truncated;
	__u64 no_state;     /* the kernel gave no storage for the process: identity is incomplete */
};

/* Budgets of a cgroup; see `weir_config.rate`. */
enum weir_rate_class {
	WEIR_RATE_EXEC = 0,
	WEIR_RATE_FILE = 1,
	WEIR_RATE_NETWORK = 2,
	WEIR_RATE_OTHER = 3,
	WEIR_RATE_CLASSES = 4,
};

/* Signals: bits of weir_config.signals and of the values of the map `scopes`. */
enum weir_signal_bit {
	WEIR_S_PROCESS = 1 << 0, /* exec, fork, exit, failed exec */
	WEIR_S_FILE = 1 << 1,
	WEIR_S_NETWORK = 1 << 2,
	WEIR_S_DNS = 1 << 3,
	WEIR_S_TLS = 1 << 4,
	WEIR_S_HTTP = 1 << 5,
	WEIR_S_PRIVILEGE = 1 << 6,
	WEIR_S_CAPABILITY = 1 << 7,
	WEIR_S_NAMESPACE = 1 << 8,
	WEIR_S_MOUNT = 1 << 9,
	WEIR_S_MODULE = 1 << 10,
	WEIR_S_PTRACE = 1 << 11,
	WEIR_S_MEMFD = 1 << 12,
	WEIR_S_BPF = 1 << 13,
	WEIR_S_IO_URING = 1 << 14,
	WEIR_S_SIGNAL = 1 << 15,
	WEIR_S_FD = 1 << 16,
	WEIR_S_SYSCALL = 1 << 17,
};

/* Written by user space into .rodata (`config`) before the object is loaded. */
struct weir_config {
	__u32 signals;        /* enum weir_signal_bit */
	__u32 cgroup_subsys;  /* index + 1 in css_set.subsys that names containers on cgroup v1; 0 = unified */
	__u32 with_env;       /* send environments (user space filters them) */
	__u32 simulate_drop;  /* percent of records to lose on purpose */
	__u32 dedup_seconds;  /* how long repeats of an open are folded */
	__u32 scope_default;  /* signals of cgroups without an entry in `scopes` */
	__u32 has_scopes;     /* the map `scopes` may have entries */
	__u32 has_path_rules; /* the map `path_rules` has entries */
	__u32 has_address_rules;
	__u32 has_binary_rules;
	__u32 l7_payload;     /* bytes kept of a segment, at most 2048 */
	__u32 failed_opens;   /* 1 = also opens that failed */
	__u32 has_file_lsm;   /* 1 = security_file_open is hooked: system calls report only failures */
	__u32 has_path_lsm;   /* 1 = security_path_* are hooked and hand over resolved paths */
	__u32 rate[WEIR_RATE_CLASSES];  /* records a second and cgroup; 0 = unlimited */
	__u32 burst[WEIR_RATE_CLASSES];
	__u32 pad;
	__u64 cap_mask;       /* capabilities whose use is reported */
	__u64 wake_bytes;     /* bulk records wake the reader when this much waits */
};

/* Keys and values of maps that user space writes. */
struct weir_inode_key {
	__u64 ino;
	__u32 dev;
	__u32 pad;
};

#define WEIR_RULE_TEXT 252
/* LPM key of `path_rules` and `binary_rules`: prefix_len in bits, then the start of a path. */
struct weir_path_key {
	__u32 prefix_len;
	char text[WEIR_RULE_TEXT];
};

/* LPM key of `address_rules`: prefix_len in bits, counted from `port`; IPv4 as ::ffff:a.b.c.d. */
struct weir_address_key {
	__u32 prefix_len;
	__u8 ip[16];
};

enum weir_rule {
	WEIR_RULE_EXCLUDE = 1,
	WEIR_RULE_INCLUDE = 2,
};

#define WEIR_AT(type, field, at) _Static_assert(__builtin_offsetof(struct type, field) == at, #type "." #field)
WEIR_AT(weir_header, ktime, 8);
WEIR_AT(weir_header, seq, 24);
WEIR_AT(weir_header, process, 32);
WEIR_AT(weir_header, cgroup_id, 56);
WEIR_AT(weir_header, cap_effective, 112);
WEIR_AT(weir_header, comm, 120);
_Static_assert(sizeof(struct weir_header) == 136, "weir_header");
_Static_assert(sizeof(struct weir_creds) == 80, "weir_creds");
_Static_assert(sizeof(struct weir_file) == 40, "weir_file");
_Static_assert(sizeof(struct weir_endpoints) == 56, "weir_endpoints");
_Static_assert(sizeof(struct weir_exec) % 8 == 0, "weir_exec");
_Static_assert(sizeof(struct weir_open) % 8 == 0, "weir_open");
_Static_assert(sizeof(struct weir_fs) % 8 == 0, "weir_fs");
_Static_assert(sizeof(struct weir_sock) % 8 == 0, "weir_sock");

#endif
