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
