/* How programs are started. */
#include "deed.h"
#include <linux/memfd.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

extern char **environ;

static pid_t spawned(const char *path, char *const argv[])
{
	pid_t pid = fork();

	must(pid >= 0, "fork");
	if (pid == 0) {
		execv(path, argv);
		_exit(127);
	}
	return pid;
}

/* Runs a program on a terminal of its own: pty PROGRAM [ARGUMENTS]. */
DEED(pty)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	char name[64];
	pid_t pid;

	must(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0, "posix_openpt");
	must(ptsname_r(master, name, sizeof(name)) == 0, "ptsname");
	told("main", NONE);
	pid = fork();
	if (pid == 0) {
		setsid();
		int tty = open(name, O_RDWR);
		must(tty >= 0 && ioctl(tty, TIOCSCTTY, 0) == 0, "TIOCSCTTY");
		for (int fd = 0; fd < 3; fd++)
			dup2(tty, fd);
		close(tty);
		close(master);
		execv(argv[1], argv + 1);
		_exit(127);
	}
	char block[4096];
	while (read(master, block, sizeof(block)) > 0)
		;
	return ended(pid);
}

/* Runs a program without any terminal. */
DEED(plain)
{
	told("main", NONE);
	return ended(spawned(argv[1], argv + 1));
}

/* A web server that was talked into running a shell (its name is that of the link it is started by). */
DEED(httpd)
{
	told("httpd", NONE);
	if (argc > 1 && strcmp(argv[1], "worker") == 0) {
		pid_t pid = fork();
		if (pid == 0) {
			told("worker", NONE);
			_exit(0);
		}
		return ended(pid);
	}
	return ended(spawned("/bin/sh", (char *[]){"sh", "-c", "/bin/ls /; true", NULL}));
}

static void copy_into(int fd)
{
	static char block[1 << 16];
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ssize_t size;

	while ((size = read(from, block, sizeof(block))) > 0)
		must(write(fd, block, size) == size, "write");
	close(from);
}

/* Starts a program that never had a name: from memory, by descriptor and through /proc. */
DEED(memfd)
{
	int fd = syscall(SYS_memfd_create, "payload", 0);
	char path[64];

	must(fd >= 0, "memfd_create");
	copy_into(fd);
	told("main", NONE);
	pid_t one = fork();
	if (one == 0) {
		syscall(SYS_execveat, fd, "", (char *[]){"[kworker/0:1]", "nothing", "by-descriptor", NULL}, environ,
			AT_EMPTY_PATH);
		_exit(127);
	}
	int status = ended(one);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return status + ended(spawned(path, (char *[]){"[kworker/0:2]", "nothing", "by-path", NULL}));
}

/* Copies itself into the working directory and starts that. */
DEED(copied)
{
	copy_self("copied", 0755);
	told("main", NONE);
	return ended(spawned("./copied", (char *[]){"copied", "nothing", "copy", NULL}));
}

/* Starts a program from memory-backed storage, and one whose name is gone. */
DEED(hidden)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/shm/weir-deed-%d", getpid());
	copy_self(path, 0755);
	told("main", "\"path\":\"%s\"", path);
	int status = ended(spawned(path, (char *[]){path, "nothing", "shm", NULL}));
	unlink(path);
	copy_self("unlinked", 0755);
	int fd = open("unlinked", O_RDONLY);
	must(fd >= 0 && unlink("unlinked") == 0, "unlink");
	pid_t pid = fork();
	if (pid == 0) {
		fexecve(fd, (char *[]){"unlinked", "nothing", "unlinked", NULL}, environ);
		_exit(127);
	}
	return status + ended(pid);
}

/* Writes a program, makes it executable and starts it. */
DEED(drop)
{
	copy_self("/dropped", 0600);
	told("main", NONE);
	must(chmod("/dropped", 0755) == 0, "chmod");
	return ended(spawned("/dropped", (char *[]){"dropped", "nothing", "dropped", NULL}));
}

static void *exec_here(void *path)
{
	execv(path, (char *[]){path, "nothing", "by-thread", NULL});
	_exit(127);
}

/* Starts programs in every odd way: execs SHELL. */
DEED(execs)
{
	char script[512], *many[204] = {"/proc/self/exe", "nothing", "many"};
	static char huge[100 * 1024];
	char self[512];

	ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);
	must(size > 0, "readlink");
	self[size] = 0;
	told("main", NONE);
	snprintf(script, sizeof(script), "#!%s\nexit 0\n", argv[1]);
	write_file("script.sh", script);
	must(chmod("script.sh", 0755) == 0, "chmod");
	ended(spawned("./script.sh", (char *[]){"script.sh", "one", NULL}));
	for (int i = 3; i < 203; i++)
		many[i] = "argument";
	many[0] = self;
	ended(spawned(self, many));
	memset(huge, 'x', sizeof(huge) - 1);
	ended(spawned(self, (char *[]){self, "nothing", "huge", huge, NULL}));
	ended(spawned(self, (char *[]){self, "nothing", "odd", "", "gr\xc3\xbc\xc3\x9f", "\x1b[31mred", "\xff\xfe", NULL}));
	must(symlink(self, "relative") == 0 || errno == EEXIST, "symlink");
	ended(spawned("./relative", (char *[]){"relative", "nothing", "relative", NULL}));
	pid_t pid = fork();
	if (pid == 0) {
		pthread_t thread;
		pthread_create(&thread, NULL, exec_here, self);
		pause();
	}
	ended(pid);
	ended(spawned("./absent", (char *[]){"absent", NULL}));
	must(chmod("script.sh", 0644) == 0, "chmod");
	ended(spawned("./script.sh", (char *[]){"script.sh", "denied", NULL}));
	return 0;
}

/* Leaves its parents behind: a subreaper, a daemon under it by two forks, and a program that this daemon starts. */
DEED(daemon)
{
	must(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0, "subreaper");
	told("main", NONE);
	pid_t pid = fork();
	if (pid == 0) {
		setsid();
		if (fork() != 0)
			_exit(0);
		while (getppid() != 1 && kill(getppid(), 0) == 0 && getppid() == getpgid(0))
			pause_ms(1);
		pause_ms(30);
		told("daemon", "\"parent\":%d", getppid());
		execv("/proc/self/exe", (char *[]){"daemon-image", "nothing", "image", NULL});
		_exit(127);
	}
	int status = ended(pid);
	/* The orphan is ours now. */
	while (wait(NULL) > 0)
		;
	return status;
}

DEED(child)
{
	told("main", NONE);
	return ended(spawned("/proc/self/exe", (char *[]){"child", "nothing", "child", NULL}));
}
