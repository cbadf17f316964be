/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The kernel's types, as far as Weir reads them. Every access is relocated to the running kernel (CO-RE), so that only
 * the names matter: fields may be left out and their order is free. `___flavour` marks the shape of another version.
 */
#ifndef WEIR_KERNEL_H
#define WEIR_KERNEL_H

/* Makes libbpf's macros use the names of the registers that the kernel has, which stand below. */
#define __VMLINUX_H__

#include <linux/types.h>
#include <linux/bpf.h>

typedef __u64 u64;
typedef __u32 u32;
typedef __u16 u16;
typedef __u8 u8;
typedef __s64 s64;
typedef __s32 s32;
typedef int pid_t;

#ifndef NULL
#define NULL ((void *)0)
#endif
#ifndef bool
#define bool _Bool
#define true 1
#define false 0
#endif

#define CORE __attribute__((preserve_access_index))

struct qstr {
	union {
		struct {
			u32 hash;
			u32 len;
		};
		u64 hash_len;
	};
	const unsigned char *name;
} CORE;

struct timespec64 {
	s64 tv_sec;
	long tv_nsec;
} CORE;

typedef struct {
	u32 val;
} kuid_t;
typedef struct {
	u32 val;
} kgid_t;

struct super_block {
	u32 s_dev;
	unsigned long s_magic;
} CORE;

struct inode {
	u16 i_mode;
	kuid_t i_uid;
	kgid_t i_gid;
	struct super_block *i_sb;
	unsigned long i_ino;
	u32 i_nlink;
	u32 i_rdev;
	s64 i_mtime_sec;
	s64 i_ctime_sec;
	u32 i_mtime_nsec;
	u32 i_ctime_nsec;
	void *i_private;
} CORE;

/* Before 6.11. */
struct inode___timespec {
	struct timespec64 i_mtime;
	struct timespec64 i_ctime;
} CORE;

/* Between. */
struct inode___underscore {
	struct timespec64 __i_mtime;
	struct timespec64 __i_ctime;
} CORE;

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
} CORE;

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
} CORE;

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
} CORE;

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} CORE;

struct file {
	u32 f_mode;
	u32 f_flags;
	void *private_data;
	struct inode *f_inode;
	struct path f_path;
} CORE;

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
} CORE;

struct files_struct {
	struct fdtable *fdt;
} CORE;

struct fs_struct {
	struct path root;
	struct path pwd;
} CORE;

struct ns_common {
	unsigned int inum;
} CORE;

struct mnt_namespace {
	struct ns_common ns;
} CORE;
struct uts_namespace {
	struct ns_common ns;
} CORE;
struct ipc_namespace {
	struct ns_common ns;
} CORE;
struct cgroup_namespace {
	struct ns_common ns;
} CORE;
struct user_namespace {
	struct ns_common ns;
	struct user_namespace *parent;
} CORE;
struct pid_namespace {
	struct ns_common ns;
} CORE;
struct net {
	struct ns_common ns;
	u64 net_cookie;
} CORE;

struct nsproxy {
	struct uts_namespace *uts_ns;
	struct ipc_namespace *ipc_ns;
	struct mnt_namespace *mnt_ns;
	struct pid_namespace *pid_ns_for_children;
	struct net *net_ns;
	struct cgroup_namespace *cgroup_ns;
} CORE;

struct upid {
	int nr;
	struct pid_namespace *ns;
} CORE;

struct pid {
	unsigned int level;
	struct upid numbers[1];
} CORE;

typedef struct kernel_cap_struct {
	u64 val;
} CORE kernel_cap_t;

/* Before 6.3. */
typedef struct kernel_cap_struct___words {
	u32 cap[2];
} CORE kernel_cap_t___words;

struct cred {
	kuid_t uid;
	kgid_t gid;
	kuid_t suid;
	kgid_t sgid;
	kuid_t euid;
	kgid_t egid;
	kuid_t fsuid;
	kgid_t fsgid;
	unsigned int securebits;
	kernel_cap_t cap_inheritable;
	kernel_cap_t cap_permitted;
	kernel_cap_t cap_effective;
	kernel_cap_t cap_bset;
	kernel_cap_t cap_ambient;
	struct user_namespace *user_ns;
} CORE;

struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
	unsigned long env_start;
	unsigned long env_end;
	struct file *exe_file;
} CORE;

struct tty_driver {
	int major;
	int minor_start;
} CORE;

struct tty_struct {
	struct tty_driver *driver;
	int index;
} CORE;

typedef struct {
	int counter;
} atomic_t;

struct signal_struct {
	atomic_t live;
	struct pid *pids[4];
	struct tty_struct *tty;
	int group_exit_code;
	u64 utime;
	u64 stime;
	unsigned long maxrss;
	int nr_threads;
} CORE;

struct kernfs_node {
	const char *name;
	struct kernfs_node *parent;
	u64 id;
} CORE;

/* Since 6.15. */
struct kernfs_node___rcu {
	struct kernfs_node *__parent;
} CORE;

struct cgroup_root {
	int hierarchy_id;
} CORE;

struct cgroup {
	struct kernfs_node *kn;
	int level;
	struct cgroup_root *root;
} CORE;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
} CORE;

struct css_set {
	struct cgroup_subsys_state *subsys[16];
	struct cgroup *dfl_cgrp;
} CORE;

struct thread_info {
	unsigned long flags;
	u32 status; /* x86: TS_COMPAT = 2 */
} CORE;

struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	int exit_code;
	pid_t pid;
	pid_t tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	u64 utime;
	u64 stime;
	u64 start_boottime;
	kuid_t loginuid;
	unsigned int sessionid;
	const struct cred *real_cred;
	const struct cred *cred;
	char comm[16];
	struct fs_struct *fs;
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	struct mm_struct *mm;
	struct css_set *cgroups;
	unsigned long atomic_flags; /* bit 0: no_new_privs */
} CORE;

struct linux_binprm {
	struct file *file;
	struct cred *cred;
	unsigned int per_clear;
	const char *filename;
	const char *interp;
	int argc;
	int envc;
} CORE;

struct in6_addr {
	union {
		u8 u6_addr8[16];
	} in6_u;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	u32 skc_daddr;
	u32 skc_rcv_saddr;
	u16 skc_dport;
	u16 skc_num;
	u16 skc_family;
	volatile unsigned char skc_state;
	unsigned long skc_flags;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	struct {
		s64 counter;
	} skc_cookie;
} CORE;

struct sock {
	struct sock_common __sk_common;
	u16 sk_type;
	u16 sk_protocol;
} CORE;

struct inet_sock {
	u16 inet_sport;
} CORE;

struct tcp_sock {
	u64 bytes_sent;
	u64 bytes_retrans;
	u64 bytes_received;
} CORE;

struct socket {
	short type;
	struct sock *sk;
	struct file *file;
} CORE;

struct sockaddr_un {
	u16 sun_family;
	char sun_path[108];
};

struct unix_address {
	int len;
	struct sockaddr_un name[1];
} CORE;

struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
} CORE;

struct module {
	char name[56];
	unsigned long taints;
} CORE;

struct io_kiocb {
	u8 opcode;
} CORE;

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r8, r9, r10, bx, cx, dx, si, di, orig_ax, ax;
} CORE;
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	u64 regs[31];
	u64 sp;
	u64 pc;
	u64 pstate;
};
struct pt_regs {
	struct user_pt_regs user_regs;
	u64 orig_x0;
	s32 syscallno;
} CORE;
#else
#error "no such architecture"
#endif

/* What a program at a sys_exit tracepoint is given (Documentation/trace/events.rst; the format files of tracefs). */
struct syscall_exit {
	u64 common;
	int nr;
	long ret;
};

struct syscall_enter {
	u64 common;
	int nr;
	unsigned long args[6];
};

enum {
	PF_EXITING = 0x4,
	PF_IO_WORKER = 0x10,
	PF_KTHREAD = 0x200000,
};

#define TS_COMPAT 2

#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define AF_PACKET 17
#define AF_ALG 38
#define AF_VSOCK 40
#define AF_XDP 44

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3

#define IPPROTO_ICMP 1
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_ICMPV6 58

#define S_IFMT 00170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define S_IFDIR 0040000
#define S_IFCHR 0020000
#define S_IFBLK 0060000
#define S_IFIFO 0010000

#define FMODE_READ 1
#define FMODE_WRITE 2
#define FMODE_CREATED 0x100000

#define O_WRONLY 01
#define O_RDWR 02
#define O_CREAT 0100
#define O_TRUNC 01000
#define FMODE_NOACCOUNT (1u << 29)
#define O_APPEND 02000
#define O_PATH 010000000

#define EINPROGRESS 115

#define OVERLAYFS_SUPER_MAGIC 0x794c7630
#define TMPFS_MAGIC 0x01021994
#define PROC_SUPER_MAGIC 0x9fa0
#define CGROUP_SUPER_MAGIC 0x27e0eb
#define CGROUP2_SUPER_MAGIC 0x63677270

#endif
