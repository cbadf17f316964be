/* Files that matter, under every name they have. */
#include "deed.h"
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <pthread.h>

static void opened(const char *how, int fd)
{
	char block[16];

	if (fd < 0) {
		told(how, "\"failed\":\"%s\"", strerror(errno));
		return;
	}
	told(how, "\"read\":%d", read(fd, block, sizeof(block)) >= 0);
	close(fd);
}

/* Opens PATH, a file in a directory DIR with the name NAME, through every alias: aliases PATH DIR NAME. */
DEED(aliases)
{
	const char *path = argv[1], *dir = argv[2], *name = argv[3];
	char text[4096];

	told("main", NONE);
	opened("plain", open(path, O_RDONLY));
	snprintf(text, sizeof(text), "%s/../%s/%s", dir, strrchr(dir, '/') + 1, name);
	opened("dots", open(text, O_RDONLY));
	snprintf(text, sizeof(text), "/proc/self/root%s", path);
	opened("proc-root", open(text, O_RDONLY));
	unlink("alias-symlink");
	must(symlink(path, "alias-symlink") == 0, "symlink");
	opened("symlink", open("alias-symlink", O_RDONLY));
	unlink("alias-hardlink");
	if (link(path, "alias-hardlink") == 0)
		opened("hardlink", open("alias-hardlink", O_RDONLY));
	unlink("alias-hardlink");
	int at = open(dir, O_RDONLY | O_DIRECTORY);
	opened("openat", openat(at, name, O_RDONLY));
	struct open_how how = {.flags = O_RDONLY};
	opened("openat2", syscall(SYS_openat2, at, name, &how, sizeof(how)));
	struct {
		struct file_handle head;
		char rest[MAX_HANDLE_SZ];
	} handle = {.head = {.handle_bytes = MAX_HANDLE_SZ}};
	int mount_id;
	if (name_to_handle_at(AT_FDCWD, path, &handle.head, &mount_id, 0) == 0)
		opened("handle", open_by_handle_at(at, &handle.head, O_RDONLY));
	int known = open(path, O_PATH);
	snprintf(text, sizeof(text), "/proc/self/fd/%d", known);
	opened("reopened", open(text, O_RDONLY));
	return 0;
}

/* Opens a file of the working directory that has a name like one that matters. */
DEED(own_file)
{
	told("main", NONE);
	write_file("shadow", "nothing secret\n");
	opened("own", open("shadow", O_RDONLY));
	return 0;
}

static volatile char racing[64];
static volatile int is_racing = 1;

static void *rewrite(void *argument)
{
	while (is_racing) {
		racing[7] = 'a';
		racing[7] = 'b';
	}
	return argument;
}

/* Another thread rewrites the name while the kernel opens and removes files by it. */
DEED(race)
{
	int rounds = atoi(argv[1]), seen[2] = {0, 0};
	pthread_t thread;

	memcpy((char *)racing, "racing-a", 9);
	write_file("racing-a", "a");
	write_file("racing-b", "b");
	told("main", NONE);
	pthread_create(&thread, NULL, rewrite, NULL);
	for (int i = 0; i < rounds; i++) {
		char block[1];
		int fd = open((const char *)racing, O_RDONLY | O_CLOEXEC);
		must(fd >= 0 && read(fd, block, 1) == 1, "open");
		seen[block[0] == 'b']++;
		close(fd);
	}
	int removed = unlink((const char *)racing);
	is_racing = 0;
	pthread_join(thread, NULL);
	told("raced", "\"a\":%d,\"b\":%d,\"removed\":%d,\"gone\":\"%s\"", seen[0], seen[1], removed == 0,
	     access("racing-a", F_OK) ? "racing-a" : "racing-b");
	return 0;
}

/* The same files without a race. */
DEED(no_race)
{
	write_file("racing-a", "a");
	told("main", NONE);
	opened("own", open("racing-a", O_RDONLY));
	return unlink("racing-a");
}

/* Changes what names mean: links, renames, removals, and files that start programs. */
DEED(tamper)
{
	told("main", NONE);
	must(symlink("/etc", "link-to-etc") == 0, "symlink");
	write_file("linked-file", "text\n");
	must(link("linked-file", "hardlink") == 0, "link");
	write_file(".bash_history", "ls\n");
	must(rename(".bash_history", "history.old") == 0, "rename");
	must(unlink("history.old") == 0, "unlink");
	write_file("syslog", "line\n");
	int fd = open("syslog", O_WRONLY | O_TRUNC);
	must(fd >= 0 && ftruncate(fd, 0) == 0, "truncate");
	close(fd);
	must(truncate("syslog", 0) == 0, "truncate");
	must(mkdir("root", 0755) == 0 && mkdir("root/bin", 0755) == 0 && mkdir("root/etc", 0755) == 0, "mkdir");
	must(mkdir(".ssh", 0700) == 0, "mkdir");
	write_file(".ssh/authorized_keys", "ssh-ed25519 AAAA nobody\n");
	write_file("root/etc/crontab", "* * * * * root true\n");
	must(chmod("syslog", 04755) == 0, "chmod");
	must(chown("syslog", 65534, 65534) == 0, "chown");
	pid_t pid = fork();
	if (pid == 0) {
		must(chroot("root") == 0 && chdir("/") == 0, "chroot");
		told("chrooted", NONE);
		write_file("/etc/ld.so.preload", "/tmp/none.so\n");
		_exit(0);
	}
	must(ended(pid) == 0, "the chrooted child");
	must(unlink("hardlink") == 0 && rmdir("root/bin") == 0, "cleaning up");
	return 0;
}

/* Does the same to files of its own that mean nothing. */
DEED(tidy)
{
	told("main", NONE);
	write_file("notes.txt", "one\n");
	must(rename("notes.txt", "notes.old") == 0 && unlink("notes.old") == 0, "rename");
	must(mkdir("folder", 0755) == 0 && rmdir("folder") == 0, "mkdir");
	return 0;
}

/* Reads what processes keep secret, twice, and writes the memory of a child: peek TOKEN. */
DEED(peek)
{
	char path[64];
	int pipes[2];

	must(pipe(pipes) == 0, "pipe");
	told("main", "\"parent\":%d", getppid());
	snprintf(path, sizeof(path), "/proc/%d/environ", getppid());
	for (int i = 0; i < 2; i++) {
		opened("environ", open(path, O_RDONLY));
		opened("token", open(argv[1], O_RDONLY));
	}
	pid_t pid = fork();
	if (pid == 0) {
		char block[1];
		close(pipes[1]);
		_exit(read(pipes[0], block, 1) > 0);
	}
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	int fd = open(path, O_RDWR);
	must(fd >= 0, path);
	must(pwrite(fd, (const char *)racing, 1, (off_t)(uintptr_t)racing) == 1, "pwrite");
	told("memory", "\"path\":\"%s\",\"victim\":%d", path, pid);
	close(pipes[1]);
	return ended(pid);
}

DEED(look_at_self)
{
	told("main", NONE);
	opened("status", open("/proc/self/status", O_RDONLY));
	opened("maps", open("/proc/self/maps", O_RDONLY));
	return 0;
}
