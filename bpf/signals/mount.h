/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Mounts by the old and the new calls, and changes of the root. */
#ifndef WEIR_MOUNT_H
#define WEIR_MOUNT_H

#define MOUNT_CALL(call, op_, source_, target_, fstype_, flags_)                     \
	SEC("tracepoint/syscalls/sys_exit_" #call)                                   \
	int call##_exit(struct syscall_exit *ctx)                                    \
	{                                                                            \
		u64 arg[7] = {};                                                     \
		read_args(current_task(), arg);                                      \
		struct slot *slot = begin_call(WEIR_MOUNT, WEIR_S_MOUNT);            \
		if (!slot)                                                           \
			return 0;                                                    \
		BODY(weir_mount, mount, slot);                                       \
		mount->op = op_;                                                     \
		mount->ret = ctx->ret < 0 ? ctx->ret : 0;                            \
		mount->flags = flags_;                                               \
		put_user_text(w, &mount->source, source_, TEXT_MAX);                 \
		put_user_text(w, &mount->target, target_, TEXT_MAX);                 \
		put_user_text(w, &mount->fstype, fstype_, 256);                      \
		SEND(slot, WEIR_MOUNT, CRITICAL);                                    \
		return 0;                                                            \
	}

MOUNT_CALL(mount, WEIR_MOUNT_MOUNT, arg[0], arg[1], arg[2], arg[3])
MOUNT_CALL(umount, WEIR_MOUNT_UMOUNT, 0, arg[0], 0, arg[1])
MOUNT_CALL(pivot_root, WEIR_MOUNT_PIVOT_ROOT, arg[0], arg[1], 0, 0)
MOUNT_CALL(move_mount, WEIR_MOUNT_MOVE_MOUNT, arg[1], arg[3], 0, arg[4])
MOUNT_CALL(open_tree, WEIR_MOUNT_OPEN_TREE, arg[1], 0, 0, arg[2])
MOUNT_CALL(fsopen, WEIR_MOUNT_FSOPEN, 0, 0, arg[0], arg[1])
MOUNT_CALL(fsconfig, WEIR_MOUNT_FSCONFIG, arg[2], 0, 0, arg[1])
MOUNT_CALL(fsmount, WEIR_MOUNT_FSMOUNT, 0, 0, 0, arg[2])
MOUNT_CALL(mount_setattr, WEIR_MOUNT_SETATTR, 0, arg[1], 0, arg[2])
MOUNT_CALL(chroot, WEIR_MOUNT_CHROOT, 0, arg[0], 0, 0)

#endif
