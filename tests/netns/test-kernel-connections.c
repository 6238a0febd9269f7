/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Connections and sockets on a real kernel: those that are meant are forgotten or destroyed, and no
 * others.
 */
#include "tests/netns/own-netns.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include "kernel/conntrack.h"
#include "kernel/kernel.h"
#include "kernel/sockets.h"

static struct addr address(const char *text)
{
	struct addr a = { 0 };

	if (addr_parse(text, &a))
		ok(false, "an address: %s", text);
	return a;
}

static struct sockaddr_storage endpoint(int family, const char *text, uint16_t port)
{
	struct sockaddr_storage s = { .ss_family = (sa_family_t)family };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&s;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&s;

	if (family == AF_INET)
		v4->sin_port = htons(port);
	else
		v6->sin6_port = htons(port);
	if (inet_pton(family, text,
		      family == AF_INET ? (void *)&v4->sin_addr : (void *)&v6->sin6_addr) != 1)
		ok(false, "an endpoint: %s", text);
	return s;
}

/* A socket bound to an address; with `to`, connected. */
static int make_socket(int family, int type, const char *from, const char *to, uint16_t port)
{
	struct sockaddr_storage a = endpoint(family, from, to ? 0 : port);
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&a, sizeof(a)))
		ok(false, "bind to %s: %s", from, strerror(errno));
	if (!to && type == SOCK_STREAM && listen(fd, 10))
		ok(false, "listen");
	if (to) {
		a = endpoint(family, to, port);
		if (connect(fd, (struct sockaddr *)&a, sizeof(a)))
			ok(false, "connect to %s: %s", to, strerror(errno));
	}
	return fd;
}

/* The error that waits on a socket; 0: none. */
static int error_of(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };
	int err = 0;
	socklen_t len = sizeof(err);

	poll(&p, 1, 50);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
		return errno;
	return err;
}

/* ---- sockets ---- */

static void test_sockets(int family, const char *dead, const char *alive, const char *server)
{
	struct addr gone = address(dead);
	int listener = make_socket(family, SOCK_STREAM, server, NULL, 5000);
	int udp_server = make_socket(family, SOCK_DGRAM, server, NULL, 5001);
	int own_listener = make_socket(family, SOCK_STREAM, dead, NULL, 5002);
	int own_server = make_socket(family, SOCK_DGRAM, dead, NULL, 5003);
	int tcp = make_socket(family, SOCK_STREAM, dead, server, 5000),
	    udp = make_socket(family, SOCK_DGRAM, dead, server, 5001);
	int tcp_alive = make_socket(family, SOCK_STREAM, alive, server, 5000);
	int udp_alive = make_socket(family, SOCK_DGRAM, alive, server, 5001);

	ok(sockets_close(&gone) == 0, "%s: destroyed", dead);
	ok(error_of(tcp) == ECONNABORTED, "%s: its TCP connection ends at once", dead);
	ok(error_of(udp) == ECONNABORTED, "%s: its connected UDP socket ends at once", dead);
	ok(error_of(tcp_alive) == 0 && error_of(udp_alive) == 0,
	   "%s: those of another address stay", dead);
	ok(error_of(own_listener) == 0 && error_of(own_server) == 0,
	   "%s: a listener and a server stay", dead);
	ok(error_of(listener) == 0 && error_of(udp_server) == 0, "%s: and so does the other end",
	   dead);
	ok(sockets_close(&gone) == 0, "%s: once more", dead);
	for (int fd = listener; fd <= udp_alive; fd++)
		close(fd);
}

/* An IPv6 socket that speaks IPv4. */
static void test_mapped(void)
{
	struct addr gone = address("10.0.0.1");
	int listener = make_socket(AF_INET, SOCK_STREAM, "10.0.0.9", NULL, 5000);
	int tcp = make_socket(AF_INET6, SOCK_STREAM, "::ffff:10.0.0.1", "::ffff:10.0.0.9", 5000);

	ok(sockets_close(&gone) == 0 && error_of(tcp) == ECONNABORTED,
	   "an IPv6 socket that speaks IPv4");
	close(tcp);
	close(listener);
}

static void test_many_sockets(void)
{
	enum { COUNT = 300 };
	struct addr gone = address("10.0.0.1");
	int listener = make_socket(AF_INET, SOCK_DGRAM, "10.0.0.9", NULL, 5000), fds[COUNT],
	    alive = 0;

	for (int i = 0; i < COUNT; i++)
		fds[i] = make_socket(AF_INET, SOCK_DGRAM, "10.0.0.1", "10.0.0.9", 5000);
	ok(sockets_close(&gone) == 0, "many sockets");
	for (int i = 0; i < COUNT; i++) {
		struct pollfd p = { fds[i], POLLIN, 0 };

		alive += poll(&p, 1, 0) <= 0;
		close(fds[i]);
	}
	ok(!alive, "all of them (%d are left)", alive);
	close(listener);
}

/* ---- connections ---- */

/* conntrack(8), which has its own way to the kernel. */
static void add(const char *family, const char *protocol, const char *destination, uint16_t port,
		uint32_t mark)
{
	bool tcp = !strcmp(protocol, "tcp");

	sh("conntrack -I -p %s -s %s -d %s --sport 1000 --dport %u --timeout 600 --mark %u %s "
	   ">/dev/null 2>&1",
	   protocol, !strcmp(family, "ipv4") ? "10.0.0.1" : "fd00::1", destination, port, mark,
	   tcp ? "--state ESTABLISHED" : "");
}

static void fill(void)
{
	sh("conntrack -F >/dev/null 2>&1; conntrack -F -f ipv6 >/dev/null 2>&1; true");
	add("ipv4", "tcp", "10.1.0.1", 80, 0x02000005);
	add("ipv4", "udp", "10.1.0.1", 53, 0x02000000);
	add("ipv4", "udp", "10.1.0.2", 53, 0x02000000);
	add("ipv4", "udp", "10.1.0.1", 54, 0x03000000);
	add("ipv4", "udp", "10.1.0.1", 55, 0x00000077);
	add("ipv6", "udp", "fd01::1", 53, 0x02000000);
	add("ipv6", "tcp", "fd01::1", 80, 0xff000000);
}

/* What is left: "FAMILY PROTOCOL DESTINATION PORT" a line, sorted. */
static const char *left(void)
{
	return output("for f in ipv4 ipv6; do conntrack -L -f $f 2>/dev/null | sed -E "
		      "'s/^(tcp|udp).* src=[^ ]+ dst=([^ ]+) sport=[0-9]+ dport=([0-9]+) "
		      ".*src=.*/\\1 \\2 \\3/' | sort; done");
}

static int forget(struct step *s, uint32_t mark)
{
	s->kind = STEP_FORGET_CONNECTIONS;
	s->of.connections.mark = mark;
	s->of.connections.mask = 0xff000000;
	return conntrack_forget(s);
}

static void test_carried(void)
{
	struct numbers n = { 0 };

	sh("conntrack -F >/dev/null 2>&1; conntrack -F -f ipv6 >/dev/null 2>&1; true");
	ok(conntrack_carried(0xff000000, &n) == 0 && n.count == 0, "no connection, no mark");
	fill();
	ok(conntrack_carried(0xff000000, &n) == 0 && n.count == 2, "marks of connections");
	ok(numbers_contain(&n, 2) && numbers_contain(&n, 3) && numbers_contain(&n, 0xff) &&
		   !numbers_contain(&n, 0),
	   "under the mask, shifted down");
	numbers_done(&n);
	ok(conntrack_carried(0x000000ff, &n) == 0 && numbers_contain(&n, 0x77) &&
		   numbers_contain(&n, 5),
	   "under another mask");
	numbers_done(&n);
}

static void test_forget(void)
{
	struct step s = { .of.connections.family = FAMILY_IPV4 };
	struct addr kept[] = { address("10.1.0.2"), address("10.9.9.9") };

	fill();
	ok(forget(&s, 0x02000000) == 0, "forget by mark");
	is(left(), "udp 10.1.0.1 54\nudp 10.1.0.1 55\ntcp fd01::1 80\nudp fd01::1 53",
	   "of one family, and no other mark");

	fill();
	s.of.connections.keep_tcp = true;
	s.of.connections.kept = kept;
	s.of.connections.kept_count = 2;
	ok(forget(&s, 0x02000000) == 0, "forget some");
	is(left(),
	   "tcp 10.1.0.1 80\nudp 10.1.0.1 54\nudp 10.1.0.1 55\nudp 10.1.0.2 53\ntcp fd01::1 "
	   "80\nudp fd01::1 53",
	   "but TCP, and what came to a given address");

	s = (struct step){ .of.connections = { .family = FAMILY_IPV6, .keep_tcp = true } };
	ok(forget(&s, 0xff000000) == 0 && forget(&s, 0x02000000) == 0, "IPv6");
	is(left(),
	   "tcp 10.1.0.1 80\nudp 10.1.0.1 54\nudp 10.1.0.1 55\nudp 10.1.0.2 53\ntcp fd01::1 80",
	   "of IPv6");
	ok(forget(&s, 0x05000000) == 0, "none of that mark");
}

static void test_many_connections(void)
{
	struct step s = { .of.connections = { .family = FAMILY_IPV4, .keep_tcp = true } };

	sh("for i in $(seq 1500); do echo -I -p udp -s 10.0.0.1 -d 10.2.$((i / 250)).$((i %% 250)) "
	   "--sport 1 --dport 2 "
	   "--timeout 600 --mark 0x04000000; done >/run/many; conntrack -R /run/many >/dev/null "
	   "2>&1");
	is(output("conntrack -C"), "1505", "many connections");
	ok(forget(&s, 0x04000000) == 0, "forget them one by one");
	is(output("conntrack -C"), "5", "all of them");
}

int main(void)
{
	own_netns();
	if (system("command -v conntrack >/dev/null"))
		own_skip("no conntrack(8)");
	sh("ip link set lo up; ip address add 10.0.0.1/32 dev lo; ip address add 10.0.0.2/32 dev "
	   "lo; ip address add 10.0.0.9/32 dev lo");
	sh("for a in fd00::1 fd00::2 fd00::9; do ip address add $a/128 dev lo nodad; done");
	test_sockets(AF_INET, "10.0.0.1", "10.0.0.2", "10.0.0.9");
	test_sockets(AF_INET6, "fd00::1", "fd00::2", "fd00::9");
	test_mapped();
	test_many_sockets();
	test_carried();
	test_forget();
	test_many_connections();
	return tap_done();
}
