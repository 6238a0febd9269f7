/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Packets and answers for the tests: a client that says which address its socket got, a server that says
 * who it is and whom it saw (so that a packet that went astray is answered by the wrong host and noticed),
 * and a flood that counts what it sent.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONNECTIONS 256
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const char usage[] =
	"usage: probe tcp|udp [option]… ADDRESS PORT	one question, one line: local=… name=… seen=…\n"
	"       probe flood [option]… ADDRESS PORT	UDP packets for -t milliseconds, or until SIGINT: sent=N refused=N\n"
	"       probe serve NAME PORT			answers TCP and UDP of both families, until killed\n"
	"  -b ADDRESS bind   -s PORT source port   -d IF bind to the device   -m MARK packet mark\n"
	"  -u UID   -g GID   -q DSCP   -t MS time-out (1000, for an answer 5000)\n"
	"  -k (tcp, udp) then ask again for each line on stdin   -r N (flood) packets a second\n"
	"  -n N (flood) packets a connection (100)\n";

struct options {
	int type;			/* SOCK_STREAM, SOCK_DGRAM */
	const char *bind_address;
	const char *device;
	unsigned long source_port;
	unsigned long mark;
	unsigned long uid;
	unsigned long gid;
	unsigned long dscp;
	unsigned long timeout_ms;
	unsigned long answer_ms;	/* more by default: on a busy machine whoever answers takes his time */
	unsigned long rate;
	unsigned long each;		/* packets a connection */
	bool has_mark;
	bool has_uid;
	bool has_gid;
	bool keep;
	const char *address;
	unsigned long port;
};

union endpoint {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static void die(const char *what)
{
	fprintf(stderr, "probe: %s\n", what);
	exit(2);
}

static unsigned long number(const char *text, unsigned long max)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(text, &end, 0);
	if (errno != 0 || end == text || *end != '\0' || *text == '-' || v > max)
		die("not a number, or too large");
	return v;
}

static socklen_t endpoint_make(union endpoint *e, const char *address, unsigned long port)
{
	memset(e, 0, sizeof(*e));
	if (inet_pton(AF_INET, address, &e->v4.sin_addr) == 1) {
		e->v4.sin_family = AF_INET;
		e->v4.sin_port = htons((uint16_t)port);
		return sizeof(e->v4);
	}
	if (inet_pton(AF_INET6, address, &e->v6.sin6_addr) == 1) {
		e->v6.sin6_family = AF_INET6;
		e->v6.sin6_port = htons((uint16_t)port);
		return sizeof(e->v6);
	}
	die("not an address");
	return 0;
}

/* IPv4 as IPv4, also where a socket of both families saw it. */
static const char *endpoint_text(const union endpoint *e, char *buf, size_t size)
{
	const void *addr = &e->v4.sin_addr;
	int family = e->any.sa_family;

	if (family == AF_INET6) {
		addr = &e->v6.sin6_addr;
		if (IN6_IS_ADDR_V4MAPPED(&e->v6.sin6_addr)) {
			family = AF_INET;
			addr = &e->v6.sin6_addr.s6_addr[12];
		}
	}
	return inet_ntop(family, addr, buf, (socklen_t)size) != NULL ? buf : "?";
}

static void set_option(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)) < 0) {
		perror("probe: setsockopt");
		exit(2);
	}
}

/* ---- client ---- */

static int failed(const char *where)
{
	printf("error=%s at=%s\n", strerrorname_np(errno), where);
	return 1;
}

static void become(const struct options *o)
{
	if (o->has_gid && (setgroups(0, NULL) < 0 || setgid((gid_t)o->gid) < 0))
		die("can't become the group");
	if (o->has_uid && setuid((uid_t)o->uid) < 0)
		die("can't become the user");
}

static int client_socket(const struct options *o, int family)
{
	union endpoint local;
	socklen_t len;
	int fd = socket(family, o->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	set_option(fd, SOL_SOCKET, SO_BROADCAST, 1);
	if (o->has_mark)
		set_option(fd, SOL_SOCKET, SO_MARK, (int)o->mark);
	if (o->dscp != 0 && family == AF_INET)
		set_option(fd, IPPROTO_IP, IP_TOS, (int)o->dscp << 2);
	else if (o->dscp != 0)
		set_option(fd, IPPROTO_IPV6, IPV6_TCLASS, (int)o->dscp << 2);
	if (o->device != NULL &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, o->device, (socklen_t)strlen(o->device) + 1) < 0)
		return -1;
	if (o->bind_address != NULL || o->source_port != 0) {
		const char *any = family == AF_INET ? "0.0.0.0" : "::";

		set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
		len = endpoint_make(&local, o->bind_address != NULL ? o->bind_address : any, o->source_port);
		if (bind(fd, &local.any, len) < 0)
			return -1;
	}
	return fd;
}

/* connect() with a time limit. */
static int connect_within(int fd, const union endpoint *to, socklen_t len, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int error = 0;
	socklen_t size = sizeof(error);

	if (connect(fd, &to->any, len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return -1;
	if (poll(&p, 1, timeout_ms) == 0) {
		errno = ETIMEDOUT;
		return -1;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return -1;
	errno = error;
	return error == 0 ? 0 : -1;
}

/* One answer, without its newline. -1 with errno. */
static int answer(int fd, int timeout_ms, char *buf, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, timeout_ms) == 0) {
		errno = ETIMEDOUT;
		return -1;
	}
	n = recv(fd, buf, size - 1, 0);
	if (n < 0)
		return -1;
	if (n == 0) {
		errno = ECONNRESET;
		return -1;
	}
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

/* One question for each line of stdin on the socket that there is, as a long-lived connection would. */
static int keep_asking(const struct options *o, int fd)
{
	char line[128], buf[256];

	while (fflush(stdout), fgets(line, sizeof(line), stdin) != NULL) {
		if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
			failed("send");
		else if (answer(fd, (int)o->answer_ms, buf, sizeof(buf)) < 0)
			failed("recv");
		else
			printf("%s\n", buf);
	}
	return 0;
}

static int client(const struct options *o)
{
	union endpoint to, local;
	socklen_t len = endpoint_make(&to, o->address, o->port);
	socklen_t local_len = sizeof(local);
	char text[INET6_ADDRSTRLEN], buf[256];
	int fd;

	become(o);
	fd = client_socket(o, to.any.sa_family);
	if (fd < 0)
		return failed("socket");
	if (connect_within(fd, &to, len, (int)o->timeout_ms) < 0)
		return failed("connect");
	if (getsockname(fd, &local.any, &local_len) < 0)
		return failed("getsockname");
	printf("local=%s ", endpoint_text(&local, text, sizeof(text)));
	if (o->type == SOCK_DGRAM && send(fd, "?\n", 2, 0) < 0)
		return failed("send");
	if (answer(fd, (int)o->answer_ms, buf, sizeof(buf)) < 0)
		return failed("recv");
	printf("%s\n", buf);
	return o->keep ? keep_asking(o, fd) : 0;
}

/* ---- flood ---- */

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static volatile sig_atomic_t flood_is_over;

static void end_flood(int sig)
{
	flood_is_over = sig;
}

/* A new source port every so many packets, so that new connections are judged all the time. */
static int flood(const struct options *o)
{
	union endpoint to;
	socklen_t len = endpoint_make(&to, o->address, o->port);
	int64_t begin = now_ns(), end = begin + (int64_t)o->timeout_ms * 1000000, now;
	unsigned long sent = 0, refused = 0;
	int fd = -1;

	signal(SIGINT, end_flood);
	become(o);
	while (now = now_ns(), now < end && !flood_is_over) {
		if (o->rate != 0 && (uint64_t)(now - begin) * o->rate / 1000000000 < sent + refused) {
			usleep(500);
			continue;
		}
		if (fd < 0 || (sent + refused) % o->each == 0) {
			if (fd >= 0)
				close(fd);
			fd = client_socket(o, to.any.sa_family);
			if (fd < 0)
				return failed("socket");
		}
		if (sendto(fd, "flood\n", 6, 0, &to.any, len) == 6)
			sent++;
		else
			refused++;
	}
	printf("sent=%lu refused=%lu\n", sent, refused);
	return 0;
}

/* ---- server ---- */

static int server_socket(int type, unsigned long port)
{
	union endpoint local;
	socklen_t len = endpoint_make(&local, "::", port);
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		die("no socket");
	set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	/* Replies for addresses that only a local route to a whole prefix makes ours. */
	set_option(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);
	set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	if (bind(fd, &local.any, len) < 0 || (type == SOCK_STREAM && listen(fd, 64) < 0)) {
		perror("probe: serve");
		exit(2);
	}
	return fd;
}

static int introduce(const char *name, const union endpoint *peer, char *buf, size_t size)
{
	char text[INET6_ADDRSTRLEN];

	return snprintf(buf, size, "name=%s seen=%s\n", name, endpoint_text(peer, text, sizeof(text)));
}

/* The answer leaves from the address that was asked, as RFC 1123 4.1.3.5 wants it. */
static void serve_udp(int fd, const char *name)
{
	union endpoint peer;
	char in[2048], out[128];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control;
	struct iovec iov = { .iov_base = in, .iov_len = sizeof(in) };
	struct msghdr m = {
		.msg_name = &peer, .msg_namelen = sizeof(peer), .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	struct in6_pktinfo info;

	if (recvmsg(fd, &m, 0) < 0)
		return;
	iov.iov_base = out;
	iov.iov_len = (size_t)introduce(name, &peer, out, sizeof(out));
	c = CMSG_FIRSTHDR(&m);
	if (c != NULL && c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		/* The address alone: naming the interface would answer the question that is asked here. */
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
			info.ipi6_ifindex = 0;
		memcpy(CMSG_DATA(c), &info, sizeof(info));
	}
	sendmsg(fd, &m, 0);
}

static int serve_accept(int fd, const char *name)
{
	union endpoint peer;
	socklen_t len = sizeof(peer);
	char out[128];
	int c = accept4(fd, &peer.any, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (c >= 0)
		send(c, out, (size_t)introduce(name, &peer, out, sizeof(out)), MSG_NOSIGNAL);
	return c;
}

/* Says back what came. False: the connection is over. */
static bool serve_echo(int fd)
{
	char buf[2048];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	return n > 0 && send(fd, buf, (size_t)n, MSG_NOSIGNAL) == n;
}

static int serve(const char *name, unsigned long port)
{
	struct pollfd p[2 + MAX_CONNECTIONS] = {
		{ .fd = server_socket(SOCK_DGRAM, port), .events = POLLIN },
		{ .fd = server_socket(SOCK_STREAM, port), .events = POLLIN },
	};
	nfds_t count = 2;

	printf("ready\n");
	fflush(stdout);
	for (;;) {
		if (poll(p, count, -1) < 0)
			return failed("poll");
		if (p[0].revents != 0)
			serve_udp(p[0].fd, name);
		for (nfds_t i = count; i-- > 2;)
			if (p[i].revents != 0 && !serve_echo(p[i].fd)) {
				close(p[i].fd);
				p[i] = p[--count];
			}
		if (p[1].revents != 0 && count < ARRAY_SIZE(p)) {
			p[count] = (struct pollfd){ .fd = serve_accept(p[1].fd, name), .events = POLLIN };
			count += p[count].fd >= 0;
		}
	}
}

/* ---- main ---- */

static void parse(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt(argc, argv, "+b:d:g:km:n:q:r:s:t:u:")) != -1) {
		switch (c) {
		case 'b': o->bind_address = optarg; break;
		case 'd': o->device = optarg; break;
		case 'g': o->gid = number(optarg, UINT32_MAX); o->has_gid = true; break;
		case 'k': o->keep = true; break;
		case 'm': o->mark = number(optarg, UINT32_MAX); o->has_mark = true; break;
		case 'n': o->each = number(optarg, 1000000) ?: 1; break;
		case 'q': o->dscp = number(optarg, 63); break;
		case 'r': o->rate = number(optarg, 1000000); break;
		case 's': o->source_port = number(optarg, UINT16_MAX); break;
		case 't': o->timeout_ms = o->answer_ms = number(optarg, INT_MAX); break;
		case 'u': o->uid = number(optarg, UINT32_MAX); o->has_uid = true; break;
		default: die(usage);
		}
	}
	if (argc - optind != 2)
		die(usage);
	o->address = argv[optind];
	o->port = number(argv[optind + 1], UINT16_MAX);
}

int main(int argc, char **argv)
{
	struct options o = { .type = SOCK_STREAM, .timeout_ms = 1000, .answer_ms = 5000, .each = 100 };
	const char *command = argc > 1 ? argv[1] : "";

	signal(SIGPIPE, SIG_IGN);
	if (argc < 2)
		die(usage);
	parse(argc - 1, argv + 1, &o);
	if (strcmp(command, "tcp") == 0)
		return client(&o);
	o.type = SOCK_DGRAM;
	if (strcmp(command, "udp") == 0)
		return client(&o);
	if (strcmp(command, "flood") == 0)
		return flood(&o);
	if (strcmp(command, "serve") == 0)
		return serve(o.address, o.port);
	die(usage);
	return 2;
}
