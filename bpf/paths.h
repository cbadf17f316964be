/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Paths as the kernel resolved them, walked from the last component up to the root of the mount namespace: what a
 * program wrote (symbolic links, `..`, /proc/self/root) has no say in them.
 */
#ifndef WEIR_PATHS_H
#define WEIR_PATHS_H

#define PATH_DEPTH 128
#define NAME_MAX 255

struct walk {
	struct dentry *dentry;
	struct vfsmount *mnt;
	u8 *out; /* 2 * PATH_MAX bytes; text stands in [at, PATH_MAX) */
	u32 at;
	u32 cut;
};

static __always_inline struct mount *mount_of(struct vfsmount *mnt)
{
	return (struct mount *)((void *)mnt - bpf_core_field_offset(struct mount, mnt));
}

/* One component a step; bpf_loop stops when it returns 1. */
static long walk_step(u32 index, struct walk *walk)
{
	struct dentry *dentry = walk->dentry;
	struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
	struct vfsmount *mnt = walk->mnt;
	struct dentry *root = BPF_CORE_READ(mnt, mnt_root);

	if (dentry == root || dentry == parent) {
		struct mount *mount = mount_of(mnt);
		struct mount *above = BPF_CORE_READ(mount, mnt_parent);

		if (!above || above == mount)
			return 1;
		/* A dentry above the root of its mount is detached: what it hangs on is unknown. */
		if (dentry != root)
			return 1;
		walk->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		walk->mnt = (struct vfsmount *)((void *)above + bpf_core_field_offset(struct mount, mnt));
		return 0;
	}
	u32 len = BPF_CORE_READ(dentry, d_name.len);
	const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);

	if (len > NAME_MAX)
		len = NAME_MAX;
	u32 at = walk->at;
	if (at < len + 1 || at > PATH_MAX) {
		walk->cut = 1;
		return 1;
	}
	at -= len + 1;
	at &= PATH_MAX - 1;
	walk->out[at] = '/';
	bpf_probe_read_kernel(walk->out + at + 1, len & 0xff, name);
	walk->at = at;
	walk->dentry = parent;
	return 0;
}

/* Writes a path to `at` of the record and returns its length. */
__noinline u32 copy_path(struct slot *slot, u32 at, u64 dentry_at, u64 mnt)
{
	struct dentry *dentry = (void *)dentry_at;
	u8 first = 0;

	if (!slot || !dentry || at > RECORD_TEXT)
		return 0;
	/* Files without a directory (memfd:, pipes, sockets) are their own parents, and hang nowhere. */
	if (dentry == BPF_CORE_READ(dentry, d_parent)) {
		const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);
		bpf_probe_read_kernel(&first, 1, name);
		if (first != '/')
			return copy_kernel_text(slot, at, (u64)name, NAME_MAX + 1);
	}
	struct walk walk = { .dentry = dentry, .mnt = (void *)mnt, .out = slot->path, .at = PATH_MAX };
	long steps = bpf_loop(PATH_DEPTH, walk_step, &walk, 0);

	if (walk.cut || steps == PATH_DEPTH)
		HEADER_OF(slot)->flags |= WEIR_F_TRUNC;
	u32 start = walk.at;
	if (start >= PATH_MAX) {
		slot->record[at] = '/';
		return 1;
	}
	u32 len = PATH_MAX - start;
	if (bpf_probe_read_kernel(slot->record + at, len, slot->path + start))
		return 0;
	return len;
}

/* Appends the path of a dentry on its mount. */
#define put_path(w, span, dentry, mnt) wrote(w, span, copy_path((w)->slot, (w)->at, (u64)(dentry), (u64)(mnt)))

static __always_inline void put_file_path(struct writer *w, struct span *span, struct file *file)
{
	span->off = span->len = 0;
	if (file)
		put_path(w, span, BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt));
}

/*
 * 1 = from the lower layer of an overlay, 2 = written into it, 0 = no overlay. The pointer behind the inode is the
 * upper dentry: `struct ovl_inode` begins with what is read here since 4.19, but no kernel promises it.
 */
static __always_inline u32 overlay_layer(struct inode *inode, u64 magic)
{
	void *upper = NULL;

	if (magic != OVERLAYFS_SUPER_MAGIC)
		return 0;
	bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode));
	return upper ? 2 : 1;
}

/* A field of a struct whose first bytes were copied as a block: one helper call for many fields. */
#define IN_BLOCK(block, type, field) \
	(*(typeof(((type *)0)->field) *)((void *)(block) + bpf_core_field_offset(type, field)))

__noinline int fill_file(struct weir_file *to, u64 inode_at)
{
	struct inode *inode = (void *)inode_at;

	if (!to || !inode)
		return 0;
	u64 block[16];
	if (bpf_probe_read_kernel(block, sizeof(block), inode))
		return 0;
	struct super_block *sb = IN_BLOCK(block, struct inode, i_sb);
	u64 magic = BPF_CORE_READ(sb, s_magic);

	to->ino = IN_BLOCK(block, struct inode, i_ino);
	to->dev = BPF_CORE_READ(sb, s_dev);
	to->mode = IN_BLOCK(block, struct inode, i_mode);
	to->nlink = IN_BLOCK(block, struct inode, i_nlink);
	to->uid = IN_BLOCK(block, struct inode, i_uid.val);
	to->gid = IN_BLOCK(block, struct inode, i_gid.val);
	to->magic = magic;
	to->layer = overlay_layer(inode, magic);
	return 0;
}

/* Of the current process. */
static __always_inline struct file *file_of_fd(u32 fd)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();
	struct files_struct *files = task->files;
	struct file *file = NULL;

	if (!files)
		return NULL;
	struct fdtable *fdt = files->fdt;
	if (!fdt || fd >= fdt->max_fds)
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), fdt->fd + fd);
	return file;
}

#endif
