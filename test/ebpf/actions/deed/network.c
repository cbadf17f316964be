/* Sockets of every family, and what becomes of their connections. */
#include "deed.h"
#include <linux/if_alg.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/ip_icmp.h>
#include <pthread.h>
#include <sys/un.h>

struct sockaddr_in loopback(int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return at;
}

int listening(int backlog, int *port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = loopback(0);
	socklen_t size = sizeof(at);

	must(fd >= 0 && bind(fd, (void *)&at, size) == 0 && listen(fd, backlog) == 0, "listen");
	must(getsockname(fd, (void *)&at, &size) == 0, "getsockname");
	*port = ntohs(at.sin_port);
	return fd;
}

int connected(int port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = loopback(port);

	must(fd >= 0, "socket");
	if (connect(fd, (void *)&at, sizeof(at)) == 0)
		return fd;
	close(fd);
	return -1;
}

void send_all(int fd, const void *bytes, size_t size)
{
	for (const char *at = bytes; size > 0;) {
		ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
		must(sent > 0, "send");
		at += sent;
		size -= sent;
	}
}

static void connect_v6(int port)
{
	struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	/* IPv4 in the clothes of IPv6. */
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &at.sin6_addr);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	told("mapped", "\"connected\":%d", connect(fd, (void *)&at, sizeof(at)) == 0);
	close(fd);
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	socklen_t size = sizeof(own);
	if (bind(fd, (void *)&own, size) != 0 || listen(fd, 4) != 0)
		return;
	getsockname(fd, (void *)&own, &size);
	int other = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(other, (void *)&own, size) == 0)
		told("v6", "\"port\":%d", ntohs(own.sin6_port));
	close(other);
	close(fd);
}

/* TCP: a connection that stands, one refused, one that nobody answers, one that does not wait, and IPv6. */
DEED(tcp)
{
	int port, idle_port, fds[3];
	int server = listening(8, &port);
	char block[64];

	told("main", "\"port\":%d", port);
	pid_t pid = fork();
	if (pid == 0) {
		close(server);
		int fd = connected(port);
		must(fd >= 0, "connect");
		struct sockaddr_in own;
		socklen_t size = sizeof(own);
		getsockname(fd, (void *)&own, &size);
		told("client", "\"port\":%d", ntohs(own.sin_port));
		send_all(fd, "question", 8);
		must(recv(fd, block, sizeof(block), 0) == 6, "recv");
		pause_ms(50);
		close(fd);
		_exit(0);
	}
	int fd = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	must(fd >= 0 && recv(fd, block, sizeof(block), MSG_WAITALL * 0) == 8, "accept");
	send_all(fd, "answer", 6);
	must(recv(fd, block, sizeof(block), 0) == 0, "end");
	close(fd);
	must(ended(pid) == 0, "the client");
	connect_v6(port);
	close(server);
	told("refused", "\"port\":4444,\"refused\":%d", connected(4444) < 0);
	/* Nobody accepts, the queue is full: the kernel answers no more. */
	int idle = listening(0, &idle_port);
	struct sockaddr_in at = loopback(idle_port);
	for (int i = 0; i < 3; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		connect(fds[i], (void *)&at, sizeof(at));
	}
	pause_ms(50);
	told("idle", "\"port\":%d", idle_port);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	close(idle);
	return 0;
}

/* Talks to itself without any network. */
DEED(pair)
{
	int fds[2];
	char block[8];

	told("main", NONE);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair");
	must(write(fds[0], "hello", 5) == 5 && read(fds[1], block, 5) == 5, "talk");
	return 0;
}

static void try_family(const char *name, int family, int type, int protocol)
{
	int fd = socket(family, type, protocol);

	told(name, "\"made\":%s,\"error\":%d", fd >= 0 ? "true" : "false", fd < 0 ? errno : 0);
	if (fd >= 0)
		close(fd);
}

static void ping_self(void)
{
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	struct icmphdr echo = {.type = ICMP_ECHO, .un.echo.id = htons(7)};
	struct sockaddr_in at = loopback(0);

	must(fd >= 0, "raw socket");
	echo.checksum = (uint16_t)~(ICMP_ECHO + htons(7));
	must(sendto(fd, &echo, sizeof(echo), 0, (void *)&at, sizeof(at)) == sizeof(echo), "ping");
	told("raw", NONE);
	close(fd);
}

/* Datagrams in three ways, and sockets that are not of the Internet. */
DEED(datagrams)
{
	int server = socket(AF_INET, SOCK_DGRAM, 0), fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in at = loopback(0);
	socklen_t size = sizeof(at);
	char block[64];

	must(bind(server, (void *)&at, size) == 0 && getsockname(server, (void *)&at, &size) == 0, "bind");
	told("main", "\"port\":%d", ntohs(at.sin_port));
	for (int i = 0; i < 10; i++)
		must(sendto(fd, "ping", 4, 0, (void *)&at, size) == 4, "sendto");
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	must(connect(fd, (void *)&at, size) == 0 && send(fd, "pong", 4, 0) == 4, "send");
	struct iovec part = {.iov_base = "many", .iov_len = 4};
	struct mmsghdr many[2] = {{.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}},
				  {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}}};
	for (int i = 0; i < 4; i++)
		must(sendmmsg(fd, many, 2, 0) == 2, "sendmmsg");
	for (int i = 0; i < 19; i++)
		must(recv(server, block, sizeof(block), 0) == 4, "recv");
	close(fd);
	close(server);
	ping_self();
	try_family("packet", AF_PACKET, SOCK_RAW, htons(3));
	try_family("netlink", AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT);
	try_family("vsock", AF_VSOCK, SOCK_STREAM, 0);
	try_family("alg", AF_ALG, SOCK_SEQPACKET, 0);
	return 0;
}

static void pass_descriptor(int fd, int passed)
{
	char space[CMSG_SPACE(sizeof(int))] = "";
	struct iovec part = {.iov_base = "x", .iov_len = 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space)};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &passed, sizeof(int));
	must(sendmsg(fd, &message, 0) == 1, "SCM_RIGHTS");
}

static void unix_pair(const char *role, const struct sockaddr_un *at, socklen_t size)
{
	int server = socket(AF_UNIX, SOCK_STREAM, 0), fd = socket(AF_UNIX, SOCK_STREAM, 0);

	must(bind(server, (void *)at, size) == 0 && listen(server, 4) == 0, role);
	must(connect(fd, (void *)at, size) == 0, role);
	int other = accept(server, NULL, NULL);
	pass_descriptor(fd, 2);
	told(role, NONE);
	close(other);
	close(fd);
	close(server);
}

/* Sockets of this machine: under a path like that of a container engine, and under no path. */
DEED(local)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "docker.sock"};
	char cwd[512];

	must(getcwd(cwd, sizeof(cwd)) != NULL, "getcwd");
	told("main", "\"cwd\":\"%s\"", cwd);
	snprintf(at.sun_path, sizeof(at.sun_path), "%.90s/docker.sock", cwd);
	unix_pair("path", &at, sizeof(at));
	unlink(at.sun_path);
	memset(at.sun_path, 0, sizeof(at.sun_path));
	int length = snprintf(at.sun_path + 1, sizeof(at.sun_path) - 1, "weir-deed-%d", getpid());
	unix_pair("abstract", &at, sizeof(at.sun_family) + 1 + length);
	return 0;
}

static void *swallow(void *argument)
{
	int fd = accept(*(int *)argument, NULL, NULL);
	static char block[1 << 16];

	while (recv(fd, block, sizeof(block), 0) > 0)
		;
	close(fd);
	return NULL;
}

/* Sends MEGABYTES to a server: upload MEGABYTES. */
DEED(upload)
{
	int port, server = listening(4, &port), megabytes = atoi(argv[1]);
	static char block[1 << 20];
	pthread_t thread;

	pthread_create(&thread, NULL, swallow, &server);
	int fd = connected(port);
	must(fd >= 0, "connect");
	told("main", "\"port\":%d", port);
	int length = snprintf(block, 256, "POST /collect HTTP/1.1\r\nHost: drop.example\r\nContent-Length: %d\r\n\r\n",
			      megabytes << 20);
	send_all(fd, block, length);
	/* The body must not look like another request. */
	memset(block, 'x', length);
	for (int i = 0; i < megabytes; i++)
		send_all(fd, block, sizeof(block));
	shutdown(fd, SHUT_WR);
	pthread_join(thread, NULL);
	close(fd);
	return 0;
}
