/*
 * What a workload does that a sensor may slow down, each timed by itself: prints one JSON object with nanoseconds per
 * operation (of `bulk`: per 64 KiB moved). `workload NAME SECONDS` runs one, for that long.
 *
 * `workload paced-NAME SECONDS RATE` does RATE operations a second instead and prints how many it did: `paced-same` opens
 * one file for reading, `paced-write` opens files for writing (which are never folded), `paced-connect` and `paced-spawn`
 * do what their names say; a rate of 0 means as fast as possible.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double read_clock(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static double now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

static int listener(struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(*at);
	memset(at, 0, sizeof(*at));
	at->sin_family = AF_INET;
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (void *)at, sizeof(*at)) || listen(fd, 128) || getsockname(fd, (void *)at, &len)) {
		perror("listen");
		exit(1);
	}
	return fd;
}

static struct sockaddr_in address;
static int server;
static char block[65536];

static void *read_all(void *unused)
{
	static char into[65536];
	int fd = accept(server, NULL, NULL);
	while (read(fd, into, sizeof(into)) > 0)
		;
	close(fd);
	return unused;
}

static void one_getppid(void)
{
	syscall(SYS_getppid);
}

static void one_open(void)
{
	int fd = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
	close(fd);
}

static void one_spawn(void)
{
	char *argv[] = { "/bin/true", NULL };
	pid_t pid;
	int status;
	if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ)) {
		perror("spawn");
		exit(1);
	}
	waitpid(pid, &status, 0);
}

static void one_connect(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct linger hard = { 1, 0 };
	/* A reset leaves no port in TIME_WAIT behind. */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	if (connect(fd, (void *)&address, sizeof(address))) {
		perror("connect");
		exit(1);
	}
	/* Until the server has accepted and closed. */
	char nothing;
	if (read(fd, &nothing, 1) > 0)
		exit(1);
	close(fd);
}

static void *accept_all(void *unused)
{
	for (;;) {
		int fd = accept4(server, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			return unused;
		close(fd);
	}
}

static int stream;

static void one_bulk(void)
{
	if (write(stream, block, sizeof(block)) != sizeof(block)) {
		perror("write");
		exit(1);
	}
}

/* Two threads that wait for each other: on one CPU, since where they run would decide how long they take. */
static void stay(void)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* `clock` is what counts: time, or, of two threads, the CPU of both. */
static void measure(const char *name, void (*one)(void), double seconds, long step, clockid_t clock)
{
	double best = 1e18;
	/* The least of several rounds: what the machine does beside only adds. */
	for (int round = 0; round < 5; round++) {
		double end = now() + seconds * 1e9 / 5, begin = read_clock(clock);
		long count = 0;
		do {
			for (long i = 0; i < step; i++)
				one();
			count += step;
		} while (now() < end);
		double each = (read_clock(clock) - begin) / count;
		if (each < best)
			best = each;
	}
	printf("{\"name\":\"%s\",\"ns\":%.1f}\n", name, best);
	fflush(stdout);
}

static char files[100][64];

static void one_write(void)
{
	static int next;
	close(open(files[next++ % 100], O_WRONLY | O_CLOEXEC));
}

static void make_files(void)
{
	for (int i = 0; i < 100; i++) {
		snprintf(files[i], sizeof(files[i]), "/tmp/weir-bench-%d-%d", getpid(), i);
		close(open(files[i], O_CREAT | O_WRONLY, 0600));
	}
}

static void remove_files(void)
{
	for (int i = 0; i < 100; i++)
		unlink(files[i]);
}

static void pace(const char *name, void (*one)(void), double seconds, double rate)
{
	double begin = now(), end = begin + seconds * 1e9, t = begin;
	long count = 0;
	while (t < end) {
		/* In slices of a millisecond. */
		long due = rate > 0 ? (t - begin) / 1e9 * rate : count + 100;
		if (count >= due) {
			struct timespec pause = { 0, 500000 };
			nanosleep(&pause, NULL);
		}
		for (; count < due; count++)
			one();
		t = now();
	}
	printf("{\"name\":\"%s\",\"count\":%ld,\"rate\":%.0f}\n", name, count, count / ((t - begin) / 1e9));
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "getppid";
	double seconds = argc > 2 ? atof(argv[2]) : 1;
	pthread_t thread;

	server = listener(&address);
	if (!strcmp(what, "getppid")) {
		measure(what, one_getppid, seconds, 10000, CLOCK_MONOTONIC);
	} else if (!strcmp(what, "open")) {
		measure(what, one_open, seconds, 1000, CLOCK_MONOTONIC);
	} else if (!strcmp(what, "spawn")) {
		measure(what, one_spawn, seconds, 10, CLOCK_MONOTONIC);
	} else if (!strcmp(what, "connect")) {
		stay();
		pthread_create(&thread, NULL, accept_all, NULL);
		measure(what, one_connect, seconds, 100, CLOCK_PROCESS_CPUTIME_ID);
	} else if (!strcmp(what, "bulk")) {
		stay();
		pthread_create(&thread, NULL, read_all, NULL);
		stream = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(stream, (void *)&address, sizeof(address)))
			return 1;
		measure(what, one_bulk, seconds, 100, CLOCK_PROCESS_CPUTIME_ID);
	} else if (!strncmp(what, "paced-", 6)) {
		double rate = argc > 3 ? atof(argv[3]) : 0;
		const char *name = what + 6;
		pthread_create(&thread, NULL, accept_all, NULL);
		make_files();
		pace(name,
		     !strcmp(name, "same")    ? one_open :
		     !strcmp(name, "write")   ? one_write :
		     !strcmp(name, "connect") ? one_connect :
						one_spawn,
		     seconds, rate);
		remove_files();
	} else {
		fprintf(stderr, "no workload %s: getppid open spawn connect bulk\n", what);
		return 1;
	}
	return 0;
}
