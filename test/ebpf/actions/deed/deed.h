/*
 * Deeds that the sensor must see, each a small program of its own in one binary: `deed NAME [ARGUMENTS]`.
 *
 * A deed does one thing, ends by itself, touches loopback and its working directory only, and prints a line of JSON for
 * every process that a test wants to find again: its role, its pid, and what it alone can know, such as a port.
 */
#ifndef DEED_H
#define DEED_H
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

struct deed {
	const char *name;
	int (*run)(int argc, char **argv);
};

/* Puts a deed on the list: DEED(name) { ... }, with argv[0] as its name. */
#define DEED(id)                                                                                                   \
	static int run_##id(int argc, char **argv);                                                                \
	static const struct deed deed_##id __attribute__((used, section("deeds"), aligned(8))) = {#id, run_##id};  \
	static int run_##id(int argc __attribute__((unused)), char **argv __attribute__((unused)))

/* Prints {"role":…,"pid":…} with more fields of JSON, in one write, so that lines of processes do not mix. */
void told(const char *role, const char *more, ...) __attribute__((format(printf, 2, 3)));
/* Nothing more to tell. */
#define NONE "%s", ""
/* Ends the program with a message unless `is_well`. */
void must(int is_well, const char *what);
/* Runs `act` in a child and waits for its end; returns its exit status. */
int in_child(void (*act)(void *), void *argument);
/* Waits for a child; returns its exit status, or 128 + its signal. */
int ended(pid_t pid);
void pause_ms(int ms);
/* Copies this program to `path`, ready to run. */
void copy_self(const char *path, mode_t mode);
void write_file(const char *path, const char *text);
/* Becomes a user without any privilege. */
void become(uid_t uid);
/* A listening TCP socket on 127.0.0.1; tells its port. */
int listening(int backlog, int *port);
struct sockaddr_in loopback(int port);
/* A TCP connection to 127.0.0.1; -1 when it was refused. */
int connected(int port);
void send_all(int fd, const void *bytes, size_t size);

#endif
