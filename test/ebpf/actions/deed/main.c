#include "deed.h"
#include <grp.h>
#include <sys/prctl.h>

extern const struct deed __start_deeds[], __stop_deeds[];

void told(const char *role, const char *more, ...)
{
	char line[4096], rest[3072] = "";
	va_list args;

	va_start(args, more);
	vsnprintf(rest, sizeof(rest), more, args);
	va_end(args);
	int size = snprintf(line, sizeof(line), "{\"role\":\"%s\",\"pid\":%d%s%s}\n", role, getpid(), *rest ? "," : "", rest);
	/* Standard error: a deed may give its standard output away. */
	if (write(2, line, size) != size)
		_exit(3);
}

void must(int is_well, const char *what)
{
	if (is_well)
		return;
	dprintf(2, "deed: %s: %s\n", what, strerror(errno));
	_exit(2);
}

int ended(pid_t pid)
{
	int status = 0;

	must(waitpid(pid, &status, 0) == pid, "waitpid");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int in_child(void (*act)(void *), void *argument)
{
	pid_t pid = fork();

	must(pid >= 0, "fork");
	if (pid == 0) {
		act(argument);
		_exit(0);
	}
	return ended(pid);
}

void pause_ms(int ms)
{
	usleep(ms * 1000);
}

void copy_self(const char *path, mode_t mode)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
	static char block[1 << 16];
	ssize_t size;

	must(from >= 0 && to >= 0, path);
	while ((size = read(from, block, sizeof(block))) > 0)
		must(write(to, block, size) == size, path);
	must(fchmod(to, mode) == 0, "fchmod");
	close(from);
	close(to);
}

void write_file(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);

	must(fd >= 0 && write(fd, text, strlen(text)) >= 0, path);
	close(fd);
}

void become(uid_t uid)
{
	must(setgroups(0, NULL) == 0 && setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0, "become");
}

DEED(nothing)
{
	told(argc > 1 ? argv[1] : "nothing", NONE);
	return 0;
}

/* Runs another deed as a user: as UID NAME [ARGUMENTS]. */
DEED(as)
{
	must(argc > 2, "as UID NAME");
	become(atoi(argv[1]));
	for (const struct deed *deed = __start_deeds; deed < __stop_deeds; deed++)
		if (strcmp(deed->name, argv[2]) == 0)
			return deed->run(argc - 2, argv + 2);
	return 2;
}

int main(int argc, char **argv)
{
	const char *base = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];

	signal(SIGPIPE, SIG_IGN);
	/* Whatever goes wrong, nobody waits for ever. */
	alarm(60);
	for (const struct deed *deed = __start_deeds; deed < __stop_deeds; deed++) {
		if (strcmp(deed->name, base) == 0)
			return deed->run(argc, argv);
		if (argc > 1 && strcmp(deed->name, argv[1]) == 0)
			return deed->run(argc - 1, argv + 1);
	}
	dprintf(2, "deed: there is no deed %s\n", argc > 1 ? argv[1] : base);
	return 2;
}
