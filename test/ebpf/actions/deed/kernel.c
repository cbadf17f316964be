/* Doors into the kernel and into other processes. */
#include "deed.h"
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

static long memory = 1;

DEED(modules)
{
	told("main", NONE);
	must(syscall(SYS_init_module, "no module", 9UL, "weir=1") != 0, "init_module");
	must(syscall(SYS_finit_module, -1, "", 0) != 0, "finit_module");
	must(syscall(SYS_delete_module, "weir_none", O_NONBLOCK) != 0, "delete_module");
	return 0;
}

DEED(version)
{
	char block[256];
	int fd = open("/proc/version", O_RDONLY);

	told("main", NONE);
	return fd < 0 || read(fd, block, sizeof(block)) <= 0;
}

static pid_t sleeper(int is_traced)
{
	pid_t pid = fork();

	must(pid >= 0, "fork");
	if (pid == 0) {
		if (is_traced) {
			ptrace(PTRACE_TRACEME, 0, NULL, NULL);
			raise(SIGSTOP);
		}
		for (;;)
			pause();
	}
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Traces a child, writes into another's memory and takes a descriptor out of it. */
DEED(trace)
{
	int status;
	pid_t traced = sleeper(1), victim = sleeper(0), seized = sleeper(0);

	told("main", "\"traced\":%d,\"victim\":%d,\"seized\":%d", traced, victim, seized);
	must(waitpid(traced, &status, 0) == traced, "TRACEME");
	must(ptrace(PTRACE_ATTACH, victim, NULL, NULL) == 0 && waitpid(victim, &status, 0) == victim, "ATTACH");
	must(ptrace(PTRACE_POKETEXT, victim, &memory, 2L) == 0, "POKETEXT");
	must(ptrace(PTRACE_DETACH, victim, NULL, NULL) == 0, "DETACH");
	must(ptrace(PTRACE_SEIZE, seized, NULL, NULL) == 0, "SEIZE");
	struct iovec part = {.iov_base = &memory, .iov_len = sizeof(memory)};
	must(process_vm_writev(victim, &part, 1, &part, 1, 0) == sizeof(memory), "process_vm_writev");
	int pidfd = syscall(SYS_pidfd_open, victim, 0);
	must(pidfd >= 0 && syscall(SYS_pidfd_getfd, pidfd, 2, 0) >= 0, "pidfd_getfd");
	end(traced);
	end(victim);
	end(seized);
	return 0;
}

/* Waits for a child as everybody does. */
DEED(waiting)
{
	told("main", NONE);
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return ended(pid);
}

DEED(load_bpf)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 16};
	struct bpf_insn program[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0},
				     {.code = BPF_JMP | BPF_EXIT}};

	told("main", NONE);
	memcpy(attr.map_name, "weir_deed_map", 13);
	int map = syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr.insns = (uintptr_t)program;
	attr.insn_cnt = 2;
	attr.license = (uintptr_t) "GPL";
	memcpy(attr.prog_name, "weir_deed", 9);
	int loaded = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	struct perf_event_attr perf = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(perf), .config = PERF_COUNT_SW_DUMMY};
	int event = syscall(SYS_perf_event_open, &perf, 0, -1, -1, 0);
	told("bpf", "\"map\":%d,\"program\":%d,\"perf\":%d", map >= 0, loaded >= 0, event >= 0);
	return 0;
}

DEED(polling)
{
	struct epoll_event event;

	told("main", NONE);
	return epoll_wait(epoll_create1(EPOLL_CLOEXEC), &event, 1, 1);
}

static int ring_fd;
static struct io_uring_params ring;
static uint8_t *sq, *cq;
static struct io_uring_sqe *sqes;

static int submitted(const struct io_uring_sqe *sqe)
{
	unsigned *head = (unsigned *)(cq + ring.cq_off.head), *tail = (unsigned *)(sq + ring.sq_off.tail);
	unsigned index = *tail & *(unsigned *)(sq + ring.sq_off.ring_mask);

	sqes[index] = *sqe;
	((unsigned *)(sq + ring.sq_off.array))[index] = index;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	must(syscall(SYS_io_uring_enter, ring_fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1, "io_uring_enter");
	struct io_uring_cqe *cqes = (void *)(cq + ring.cq_off.cqes);
	int result = cqes[*head & *(unsigned *)(cq + ring.cq_off.ring_mask)].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return result;
}

/* Opens a file and a connection without the system calls for them: uring PATH. */
DEED(uring)
{
	int port, server = listening(4, &port);

	told("main", "\"port\":%d", port);
	ring_fd = syscall(SYS_io_uring_setup, 4, &ring);
	if (ring_fd < 0) {
		told("uring-refused", "\"error\":%d", errno);
		return 0;
	}
	sq = mmap(NULL, ring.sq_off.array + ring.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd,
		  IORING_OFF_SQ_RING);
	cq = mmap(NULL, ring.cq_off.cqes + ring.cq_entries * 16, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd,
		  IORING_OFF_CQ_RING);
	sqes = mmap(NULL, ring.sq_entries * sizeof(*sqes), PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd,
		    IORING_OFF_SQES);
	struct io_uring_sqe open_it = {.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (uintptr_t)argv[1]};
	int opened = submitted(&open_it);
	struct sockaddr_in at = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct io_uring_sqe connect_it = {
		.opcode = IORING_OP_CONNECT, .fd = fd, .addr = (uintptr_t)&at, .off = sizeof(at)};
	int joined = submitted(&connect_it);
	told("uring", "\"opened\":%d,\"connected\":%d", opened >= 0, joined);
	close(fd);
	close(server);
	return 0;
}

static void fault_as_user(void *argument)
{
	(void)argument;
	become(1);
	told("fault", NONE);
	syscall(SYS_userfaultfd, O_CLOEXEC);
}

static void filter_self(void *argument)
{
	struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog program = {.len = 1, .filter = allow};

	(void)argument;
	told("seccomp", NONE);
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0, "seccomp");
}

/* Rare system calls, and a signal that ends somebody else. */
DEED(rare)
{
	pid_t victim = sleeper(0);

	told("main", "\"victim\":%d", victim);
	in_child(fault_as_user, NULL);
	in_child(filter_self, NULL);
	syscall(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -3 /* of the session */, 0);
	end(victim);
	return 0;
}

DEED(common)
{
	told("main", NONE);
	return kill(getpid(), 0) != 0 || getppid() == 0;
}

/* Runs the 32-bit program: old_calls PROGRAM. */
DEED(old_calls)
{
	told("main", NONE);
	pid_t pid = fork();
	if (pid == 0) {
		execv(argv[1], (char *[]){argv[1], NULL});
		_exit(127);
	}
	int status = ended(pid);
	told("old", "\"status\":%d", status);
	return 0;
}
