/* More of something than anybody expects. */
#include "deed.h"
#include <pthread.h>
#include <spawn.h>

extern char **environ;

static void *thread_end(void *argument)
{
	return argument;
}

/* storm FORKS EXECS THREADS */
DEED(storm)
{
	int forks = atoi(argv[1]), execs = atoi(argv[2]), threads = atoi(argv[3]);

	told("main", NONE);
	for (int i = 0; i < forks; i++) {
		pid_t pid = fork();
		if (pid == 0)
			_exit(7);
		must(pid > 0, "fork");
		ended(pid);
	}
	for (int i = 0; i < execs; i++) {
		pid_t pid;
		char number[16];
		snprintf(number, sizeof(number), "%d", i);
		must(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, (char *[]){"stormed", "silent", number, NULL},
				 environ) == 0,
		     "posix_spawn");
		ended(pid);
	}
	for (int i = 0; i < threads; i++) {
		pthread_t thread;
		must(pthread_create(&thread, NULL, thread_end, NULL) == 0, "pthread_create");
		pthread_join(thread, NULL);
	}
	return 0;
}

DEED(silent)
{
	return 0;
}

/* Opens COUNT files, each by a name of its own, as fast as it can: opens COUNT. */
DEED(opens)
{
	int count = atoi(argv[1]);
	char name[64];

	told("main", NONE);
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "o%d", i % 20000);
		int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
		must(fd >= 0, name);
		close(fd);
	}
	return 0;
}

/* Starts EXECS programs and opens OPENS files a second, for SECONDS: load EXECS OPENS SECONDS. */
DEED(load)
{
	int execs = atoi(argv[1]), opens = atoi(argv[2]), seconds = atoi(argv[3]);
	int done_execs = 0, done_opens = 0;
	struct timespec from, now;
	char name[64];

	alarm(seconds + 60);
	told("main", NONE);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (;;) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		double at = (now.tv_sec - from.tv_sec) + (now.tv_nsec - from.tv_nsec) / 1e9;
		if (at >= seconds)
			break;
		int due = 0;
		for (; done_execs < at * execs; done_execs++, due++) {
			pid_t pid;
			must(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, (char *[]){"loaded", "silent", NULL},
					 environ) == 0,
			     "posix_spawn");
			ended(pid);
		}
		for (; done_opens < at * opens; done_opens++, due++) {
			snprintf(name, sizeof(name), "l%d", done_opens % 5000);
			int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
			must(fd >= 0, name);
			close(fd);
		}
		if (due == 0)
			usleep(1000);
	}
	told("done", "\"execs\":%d,\"opens\":%d", done_execs, done_opens);
	return 0;
}
