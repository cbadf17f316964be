/* What protocols look like from outside: names that are asked for, and hosts that are spoken to. */
#include "deed.h"
#include <netinet/tcp.h>
#include <pthread.h>

struct server {
	int fd, stream;
	const char *answer;
	int connections;
};

static size_t dns_message(uint8_t *out, uint16_t id, uint16_t flags, const char *name, const uint8_t *address)
{
	uint8_t *at = out + 12;

	memset(out, 0, 12);
	out[0] = id >> 8, out[1] = id, out[2] = flags >> 8, out[3] = flags, out[5] = 1;
	for (const char *label = name; *label;) {
		size_t size = strcspn(label, ".");
		*at++ = size;
		memcpy(at, label, size);
		at += size;
		label += size + (label[size] == '.');
	}
	memcpy(at, "\0\0\1\0\1", 5);
	at += 5;
	if (address != NULL) {
		out[7] = 1;
		memcpy(at, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4", 12);
		memcpy(at + 12, address, 4);
		at += 16;
	}
	return at - out;
}

static void dns_over_udp(int server, const struct sockaddr_in *at, uint16_t id, const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	uint8_t message[512], block[512];
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	size_t length = dns_message(message, id, 0x0100, name, NULL);

	must(sendto(fd, message, length, 0, (void *)at, sizeof(*at)) == (ssize_t)length, "query");
	must(recvfrom(server, block, sizeof(block), 0, (void *)&from, &size) > 0, "query");
	pause_ms(5);
	length = dns_message(message, id, 0x8180, name, (const uint8_t *)"\x0a\x01\x02\x03");
	must(sendto(server, message, length, 0, (void *)&from, size) == (ssize_t)length, "answer");
	must(recv(fd, block, sizeof(block), 0) > 0, "answer");
	close(fd);
}

static void dns_over_tcp(int server, const struct sockaddr_in *at, uint16_t id, const char *name)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	uint8_t message[512], block[512];

	must(connect(fd, (void *)at, sizeof(*at)) == 0, "connect");
	int other = accept(server, NULL, NULL);
	size_t length = dns_message(message + 2, id, 0x0100, name, NULL);
	message[0] = length >> 8, message[1] = length;
	send_all(fd, message, length + 2);
	must(recv(other, block, sizeof(block), 0) > 0, "query");
	length = dns_message(message + 2, id, 0x8183, name, NULL);
	message[0] = length >> 8, message[1] = length;
	send_all(other, message, length + 2);
	must(recv(fd, block, sizeof(block), 0) > 0, "answer");
	close(other);
	close(fd);
}

/* Asks for names: over UDP, over TCP, with labels as a tunnel has them, and in the local network's way. */
DEED(names)
{
	int udp = socket(AF_INET, SOCK_DGRAM, 0), tcp = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	struct sockaddr_in at = loopback(53);
	uint8_t message[512];

	/* An address of this machine that nobody's resolver uses. */
	at.sin_addr.s_addr = inet_addr("127.77.77.77");
	setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	must(bind(udp, (void *)&at, sizeof(at)) == 0, "port 53");
	must(bind(tcp, (void *)&at, sizeof(at)) == 0 && listen(tcp, 4) == 0, "port 53");
	told("main", NONE);
	dns_over_udp(udp, &at, 0x1234, "udp.weir.example");
	dns_over_tcp(tcp, &at, 0x2345, "tcp.weir.example");
	dns_over_udp(udp, &at, 0x3456,
		     "mfrggzdfmztwq2lknnwg23tpoa2dmnzyhe3tsojqgezdgnbvgy3to.oqqgk3tdn5sgkzbamrqxiyjanf2hg5dfnztxi.t.example");
	at.sin_port = htons(5353);
	size_t length = dns_message(message, 0, 0, "printer.local", NULL);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	must(sendto(fd, message, length, 0, (void *)&at, sizeof(at)) == (ssize_t)length, "mDNS");
	return 0;
}

static size_t client_hello(uint8_t *out, const char *name, int with_ech, int padding)
{
	uint8_t *at = out + 43;
	size_t size = strlen(name);

	memcpy(out, "\x16\x03\x01\0\0\x01\0\0\0\x03\x03", 11);
	memset(out + 11, 0x5a, 32);
	*at++ = 0;
	memcpy(at, "\0\4\x13\x01\x13\x02\1\0", 8);
	at += 8;
	uint8_t *extensions = at;
	at += 2;
#define U16(value) (*at++ = (uint8_t)((value) >> 8), *at++ = (uint8_t)(value))
	U16(0), U16(size + 5), U16(size + 3), *at++ = 0, U16(size);
	memcpy(at, name, size);
	at += size;
	memcpy(at, "\0\x10\0\x0e\0\x0c\2h2\x08http/1.1", 18);
	at += 18;
	memcpy(at, "\0\x2b\0\x03\x02\x03\x04", 7);
	at += 7;
	if (with_ech) {
		U16(0xfe0d), U16(8);
		memset(at, 0, 8);
		at += 8;
	}
	if (padding > 0) {
		/* As long as a key share of the newer kind. */
		U16(21), U16(padding);
		memset(at, 0, padding);
		at += padding;
	}
	size_t rest = at - extensions - 2, body = at - out - 9, record = at - out - 5;
	extensions[0] = rest >> 8, extensions[1] = rest;
	out[3] = record >> 8, out[4] = record;
	out[6] = body >> 16, out[7] = body >> 8, out[8] = body;
	return at - out;
}

static void *serve(void *argument)
{
	struct server *server = argument;
	char block[4096];

	for (int i = 0; i < server->connections; i++) {
		int fd = accept(server->fd, NULL, NULL);
		while (recv(fd, block, sizeof(block), 0) > 0)
			if (send(fd, server->answer, strlen(server->answer), MSG_NOSIGNAL) < 0)
				break;
		close(fd);
	}
	return NULL;
}

/* Sends parts one after the other on a connection of its own, each in a segment of its own. */
static void say(int port, int parts, const void *const bytes[], const size_t sizes[])
{
	int fd = connected(port), one = 1;
	char block[256];

	must(fd >= 0, "connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (int i = 0; i < parts; i++) {
		send_all(fd, bytes[i], sizes[i]);
		must(recv(fd, block, sizeof(block), 0) > 0, "answer");
	}
	shutdown(fd, SHUT_WR);
	while (recv(fd, block, sizeof(block), 0) > 0)
		;
	close(fd);
}

/* Greets servers over TLS and HTTP, in one piece and in several. */
DEED(hosts)
{
	int port;
	struct server server = {.fd = listening(8, &port), .answer = "HTTP/1.1 204 No Content\r\n\r\n", .connections = 5};
	static uint8_t hello[4096];
	pthread_t thread;

	pthread_create(&thread, NULL, serve, &server);
	told("main", "\"port\":%d", port);
	size_t size = client_hello(hello, "one.weir.example", 0, 0);
	say(port, 1, (const void *[]){hello}, (size_t[]){size});
	size = client_hello(hello, "two.weir.example", 0, 1600);
	say(port, 2, (const void *[]){hello, hello + 700}, (size_t[]){700, size - 700});
	size = client_hello(hello, "outer.weir.example", 1, 0);
	say(port, 1, (const void *[]){hello}, (size_t[]){size});
	const char *first = "GET /first?token=1 HTTP/1.1\r\nHost: http.weir.example\r\nUser-Agent: deed/1\r\n\r\n";
	const char *second = "POST /second HTTP/1.1\r\nHost: http.weir.example\r\nContent-Length: 0\r\n\r\n";
	say(port, 2, (const void *[]){first, second}, (size_t[]){strlen(first), strlen(second)});
	/* Preface, SETTINGS, and HEADERS with :method GET, :scheme http, :path / and a literal :authority. */
	static const char h2c[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
				  "\0\0\0\4\0\0\0\0\0"
				  "\0\0\x15\1\5\0\0\0\1"
				  "\x82\x86\x84\x41\x10h2c.weir.example";
	say(port, 1, (const void *[]){h2c}, (size_t[]){sizeof(h2c) - 1});
	pthread_join(thread, NULL);
	return 0;
}

/* Speaks a protocol that nobody knows, over TCP and UDP. */
DEED(gibberish)
{
	int port;
	struct server server = {.fd = listening(8, &port), .answer = "\1\2\3\4", .connections = 1};
	static const uint8_t noise[64] = {0x80, 0x00, 0x01, 0x16, 0x03};
	pthread_t thread;

	pthread_create(&thread, NULL, serve, &server);
	told("main", "\"port\":%d", port);
	say(port, 2, (const void *[]){noise, noise}, (size_t[]){64, 64});
	pthread_join(thread, NULL);
	struct sockaddr_in at = loopback(port);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	must(sendto(fd, noise, sizeof(noise), 0, (void *)&at, sizeof(at)) == sizeof(noise), "sendto");
	return 0;
}
