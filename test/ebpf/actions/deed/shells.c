/* Shells that somebody else types into. */
#include "deed.h"

static int spoken_to(int server, const char *command)
{
	static char block[4096];
	int fd = accept4(server, NULL, NULL, SOCK_CLOEXEC);

	must(fd >= 0, "accept");
	send_all(fd, command, strlen(command));
	while (recv(fd, block, sizeof(block), 0) > 0)
		;
	close(fd);
	return 0;
}

/* reverse KIND SHELL: a shell whose input and output is a connection that it opened itself. */
DEED(reverse)
{
	int port, server = listening(4, &port);
	char text[256];

	told("main", "\"port\":%d", port);
	pid_t pid = fork();
	if (pid == 0) {
		close(server);
		told("shell", NONE);
		if (strcmp(argv[1], "bash") == 0) {
			snprintf(text, sizeof(text), "exec %s -i >& /dev/tcp/127.0.0.1/%d 0>&1", argv[2], port);
			execl(argv[2], "bash", "--norc", "-c", text, NULL);
		} else if (strcmp(argv[1], "nc") == 0) {
			snprintf(text, sizeof(text), "%d", port);
			execl(argv[2], "nc", "127.0.0.1", text, "-e", argv[3], NULL);
		} else {
			int fd = connected(port);
			must(fd >= 0, "connect");
			for (int i = 0; i < 3; i++)
				dup2(fd, i);
			execl(argv[2], "sh", "-i", NULL);
		}
		_exit(127);
	}
	spoken_to(server, "exit\n");
	ended(pid);
	return 0;
}

/* The same shell at the end of two pipes. */
DEED(piped)
{
	int in[2], out[2];
	char block[64];

	must(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0, "pipe");
	told("main", NONE);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execl(argv[1], "sh", NULL);
		_exit(127);
	}
	must(write(in[1], "exit\n", 5) == 5, "write");
	close(in[1]);
	close(out[1]);
	while (read(out[0], block, sizeof(block)) > 0)
		;
	return ended(pid);
}
