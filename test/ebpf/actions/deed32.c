/*
 * A 32-bit program without any library: opens a file, connects and starts a program, by the system calls of i386.
 *
 * On x86-64 these have other numbers and enter the kernel by another door, which sensors are apt to forget.
 */
static int call(int number, int one, int two, int three)
{
	int result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(one), "c"(two), "d"(three) : "memory");
	return result;
}

static char path[] = "compat-file";
static char program[] = "/proc/self/exe";
static char *arguments[] = {program, "again", 0};

struct address {
	unsigned short family, port;
	unsigned int ip;
	char rest[8];
};

__attribute__((used)) static void act(int argc)
{
	/* 127.0.0.1:4445, where nobody listens. */
	struct address at = {2, 0x5d11, 0x0100007f, {0}};
	int fd;

	if (argc > 1)
		call(1, 0, 0, 0);
	fd = call(5, (int)path, 0x42, 0644); /* open: O_CREAT | O_RDWR */
	call(6, fd, 0, 0);
	fd = call(359, 2, 1, 0);               /* socket */
	call(362, fd, (int)&at, sizeof(at)); /* connect */
	call(11, (int)program, (int)arguments, 0);
	call(1, 1, 0, 0);
}

__asm__(".globl _start\n_start:\n\tmov (%esp), %eax\n\tpush %eax\n\tcall act\n");
