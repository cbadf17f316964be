// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* The kernel side of Weir: one object, whose programs are loaded as the running kernel allows. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_endian.h>
#include "events.h"
#include "maps.h"
#include "emit.h"
#include "text.h"
#include "paths.h"
#include "tasks.h"
#include "calls.h"
#include "filters.h"
#include "signals/drift.h"
#include "signals/process.h"
#include "signals/file.h"
#include "signals/change.h"
#include "signals/socket.h"
#include "signals/packet.h"
#include "signals/calls.h"
#include "signals/privilege.h"
#include "signals/capability.h"
#include "signals/namespace.h"
#include "signals/mount.h"
#include "signals/module.h"
#include "signals/intrusion.h"
#include "signals/kernel_use.h"
#include "signals/cgroup.h"
#include "signals/raw.h"
#include "signals/scan.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* BTF holds only what is mentioned: user space reads the names of these from it. Never called. */
struct weir_names {
	enum weir_type type;
	enum weir_flag flag;
	enum weir_process_flag process_flag;
	enum weir_exec_flag exec_flag;
	enum weir_fs_op fs_op;
	enum weir_sock_op sock_op;
	enum weir_l7_kind l7_kind;
	enum weir_cred_op cred_op;
	enum weir_ns_op ns_op;
	enum weir_mount_op mount_op;
	enum weir_module_op module_op;
	enum weir_bpf_op bpf_op;
	enum weir_ptrace_op ptrace_op;
	enum weir_cgroup_op cgroup_op;
	enum weir_rate_class rate_class;
	enum weir_signal_bit signal_bit;
	enum weir_syscall_op syscall_op;
	enum weir_rule rule;
	struct weir_exec record_exec;
	struct weir_exec_failed record_exec_failed;
	struct weir_fork record_fork;
	struct weir_exit record_exit;
	struct weir_open record_open;
	struct weir_fs record_fs;
	struct weir_sock record_sock;
	struct weir_l7 record_l7;
	struct weir_cred record_cred;
	struct weir_cap record_cap;
	struct weir_ns record_ns;
	struct weir_mount record_mount;
	struct weir_module record_module;
	struct weir_bpf record_bpf;
	struct weir_ptrace record_ptrace;
	struct weir_memfd record_memfd;
	struct weir_iouring record_iouring;
	struct weir_cgroup record_cgroup;
	struct weir_heartbeat record_heartbeat;
	struct weir_throttle record_throttle;
	struct weir_fd record_fd;
	struct weir_signal record_signal;
	struct weir_syscall record_syscall;
	struct weir_config config;
	struct weir_inode_key inode_key;
	struct weir_path_key path_key;
	struct weir_address_key address_key;
};

__noinline int weir_names(struct weir_names *names)
{
	return names ? names->type : 0;
}
