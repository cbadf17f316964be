/* Who a process is, and what it may do. */
#include "deed.h"
#include <linux/capability.h>
#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

extern char **environ;

#define NOBODY 65534

static void ask_for_root(void *argument)
{
	(void)argument;
	become(NOBODY);
	told("asking", "\"refused\":%d", setuid(0) != 0);
}

static void drop_and_regain(void *argument)
{
	(void)argument;
	must(setresuid(0, NOBODY, 0) == 0, "drop");
	told("dropping", NONE);
	must(setresuid(0, 0, 0) == 0, "regain");
}

static void lose_capability(void *argument)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	(void)argument;
	must(syscall(SYS_capget, &head, data) == 0, "capget");
	data[CAP_SYS_ADMIN / 32].effective &= ~(1u << (CAP_SYS_ADMIN % 32));
	data[CAP_SYS_ADMIN / 32].permitted &= ~(1u << (CAP_SYS_ADMIN % 32));
	must(syscall(SYS_capset, &head, data) == 0, "capset");
	told("capset", NONE);
}

static void start_privileged(void *path)
{
	become(NOBODY);
	execv(path, (char *[]){path, "nothing", strrchr(path, '/') ? strrchr(path, '/') + 1 : path, NULL});
	_exit(127);
}

/* Changes users and capabilities, by calls and by programs that bring their own. */
DEED(escalate)
{
	struct vfs_cap_data caps = {.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE};

	told("main", NONE);
	in_child(ask_for_root, NULL);
	in_child(drop_and_regain, NULL);
	in_child(lose_capability, NULL);
	copy_self("suid-root", 0755);
	must(chmod("suid-root", 04755) == 0, "chmod");
	copy_self("file-caps", 0755);
	caps.data[0].permitted = 1u << CAP_NET_RAW;
	must(setxattr("file-caps", "security.capability", &caps, XATTR_CAPS_SZ_2, 0) == 0, "setxattr");
	int status = in_child(start_privileged, "./suid-root") + in_child(start_privileged, "./file-caps");
	unlink("suid-root");
	unlink("file-caps");
	return status;
}

/* A user without privileges starts a program without privileges. */
DEED(modest)
{
	told("main", NONE);
	copy_self("modest", 0755);
	return in_child(start_privileged, "./modest");
}

static void use_refused(void *argument)
{
	(void)argument;
	become(NOBODY);
	told("refused", NONE);
	must(chroot("/") != 0 && errno == EPERM, "chroot");
	must(mknod("node", S_IFCHR | 0600, makedev(1, 3)) != 0, "mknod");
	must(mount("none", ".", "tmpfs", 0, NULL) != 0, "mount");
	must(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) < 0, "raw socket");
}

/* Uses capabilities that it has, and others that it lacks. */
DEED(capabilities)
{
	told("main", NONE);
	must(chmod(".", 0777) == 0, "chmod");
	in_child(use_refused, NULL);
	must(mknod("node", S_IFCHR | 0600, makedev(1, 3)) == 0, "mknod");
	must(unlink("node") == 0, "unlink");
	must(chroot("/") == 0, "chroot");
	return 0;
}

static void use_none(void *argument)
{
	(void)argument;
	become(NOBODY);
	told("nobody", NONE);
	must(close(open("/proc/self/status", O_RDONLY)) == 0, "open");
}

/* A user without privileges asks for none. */
DEED(no_capabilities)
{
	told("main", NONE);
	return in_child(use_none, NULL);
}

static void unshare_user(void *argument)
{
	(void)argument;
	told("user", NONE);
	if (unshare(CLONE_NEWUSER) != 0)
		told("user-refused", NONE);
}

static void unshare_rest(void *argument)
{
	(void)argument;
	told("rest", NONE);
	must(unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID) == 0, "unshare");
}

static void enter_first(void *argument)
{
	int own = open("/proc/self/ns/mnt", O_RDONLY), first = open("/proc/1/ns/mnt", O_RDONLY);

	(void)argument;
	told("enter", NONE);
	/* Where the first process is out of reach, there is still the way back. */
	must(unshare(CLONE_NEWNS) == 0 && setns(first >= 0 ? first : own, CLONE_NEWNS) == 0, "setns");
}

/* Makes namespaces and enters one. */
DEED(namespaces)
{
	struct clone_args args = {.flags = CLONE_NEWUTS | CLONE_NEWIPC, .exit_signal = SIGCHLD};

	told("main", NONE);
	in_child(unshare_user, NULL);
	in_child(unshare_rest, NULL);
	in_child(enter_first, NULL);
	pid_t pid = syscall(SYS_clone3, &args, sizeof(args));
	must(pid >= 0, "clone3");
	if (pid == 0)
		_exit(0);
	return ended(pid);
}

static void nothing_else(void *argument)
{
	(void)argument;
	told("child", NONE);
}

DEED(forked)
{
	told("main", NONE);
	return in_child(nothing_else, NULL);
}

/* Mounts in a mount namespace of its own, in the old way and in the new one. */
DEED(mounts)
{
	must(unshare(CLONE_NEWNS) == 0, "unshare");
	told("main", NONE);
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private");
	must(mkdir("new", 0755) == 0 && mkdir("bound", 0755) == 0, "mkdir");
	must(mount("weir-tmpfs", "new", "tmpfs", MS_NOSUID | MS_NODEV, "size=1m") == 0, "tmpfs");
	must(mount("new", "bound", NULL, MS_BIND, NULL) == 0, "bind");
	write_file("new/release_agent", "/bin/false\n");
	int fs = syscall(SYS_fsopen, "tmpfs", 1);
	must(fs >= 0 && syscall(SYS_fsconfig, fs, 6, NULL, NULL, 0) == 0, "fsopen");
	int made = syscall(SYS_fsmount, fs, 1, 0);
	must(made >= 0 && syscall(SYS_move_mount, made, "", AT_FDCWD, "bound", 4) == 0, "move_mount");
	must(umount2("bound", MNT_DETACH) == 0, "umount2");
	must(mkdir("new/old", 0755) == 0 && chdir("new") == 0, "mkdir");
	must(syscall(SYS_pivot_root, ".", "old") == 0, "pivot_root");
	return 0;
}

/* Looks at the mounts. */
DEED(list_mounts)
{
	char block[4096];
	int fd = open("/proc/self/mounts", O_RDONLY);

	told("main", NONE);
	return fd < 0 || read(fd, block, sizeof(block)) <= 0;
}
