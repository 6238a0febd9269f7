/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One packet: drawn, foretold, sent, and seen as it leaves, or not; then its reply.
 */
#include "tests/netns/random/random.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 400 /* for what is to come */
#define DOUBT_MS 3 /* for what is not */

/* ---- drawing ---- */

static uint8_t taken[65536 / 8];

/* Ports, and addresses where a protocol has none: no two flows may be one connection. */
static bool take(uint32_t n)
{
	uint8_t bit = (uint8_t)(1 << n % 8);
	bool is_free = !(taken[n / 8 % sizeof(taken)] & bit);

	taken[n / 8 % sizeof(taken)] |= bit;
	return is_free;
}

static const char *const own[FAMILY_COUNT][6] = {
	{ "10.200.0.2", "172.31.70.5", "192.168.3.2", "192.168.77.1", "10.99.0.2", "198.18.0.1" },
	{ "fd00:e0::2", "fd00:e2::5", "fd00:e3::2", "fd00:77::1", "fd00:99::2", "2001:db8:aa::1" },
};

static void draw_local(struct trial *t)
{
	struct flow *f = &t->flow;

	f->uid = a_user();
	f->gid = a_user();
	if (one_in(6)) {
		f->has_src = true;
		if (addr_parse(own[f->family][below(6)], &f->src))
			abort();
	}
}

static void draw_forwarded(struct trial *t)
{
	static const char *const guests[3][FAMILY_COUNT] = {
		{ "192.168.77.5", "fd00:77::5" },
		{ "172.17.0.2", "fd00:17::2" },
		{ "172.31.65.4", "fd00:e2::44" },
	};
	static const uint32_t links[] = { LAN0, DK0, ETH2 };
	struct flow *f = &t->flow;
	uint32_t from = one_in(4) ? below(3) : 0;

	t->in = &wires[links[from]];
	f->forwarded = true;
	f->in = t->in->name;
	f->has_src = true;
	f->uid = f->gid = 0;
	f->mark = 0;
	if (addr_parse(guests[from][f->family], &f->src))
		abort();
	f->src.bytes[f->family == FAMILY_IPV4 ? 3 : 15] =
		(uint8_t)(f->src.bytes[f->family == FAMILY_IPV4 ? 3 : 15] + below(4));
	strcpy(t->mac, PICK(macs));
	f->mac = t->mac;
}

static bool has_ports(const struct flow *f)
{
	return f->protocol == IPPROTO_TCP || f->protocol == IPPROTO_UDP;
}

static bool draw(struct trial *t)
{
	struct flow *f = &t->flow;
	uint32_t id = 1024 + below(64000);

	*t = (struct trial){ .flow = { .family = one_in(2) ? FAMILY_IPV6 : FAMILY_IPV4 } };
	f->dst = an_address(f->family);
	f->protocol = one_in(6) ? PICK(protocols) : one_in(3) ? IPPROTO_TCP : IPPROTO_UDP;
	if (f->protocol == IPPROTO_ICMP || f->protocol == IPPROTO_ICMPV6)
		f->protocol = f->family == FAMILY_IPV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	f->mark = a_mark();
	f->dscp = a_dscp();
	if (one_in(4))
		draw_forwarded(t);
	else
		draw_local(t);
	t->id = id;
	if (has_ports(f)) {
		f->sport = id;
		f->dport = a_port();
	} else if (f->protocol == IPPROTO_GRE) {
		id = f->family == FAMILY_IPV4
			     ? (uint32_t)(f->dst.bytes[2] << 8 | f->dst.bytes[3])
			     : (uint32_t)(f->dst.bytes[1] << 12 | f->dst.bytes[3] << 8 |
					  f->dst.bytes[15]) &
				       0xffff;
	}
	return take(id);
}

static bool has_socket_name(const struct flow *f)
{
	return !f->forwarded && (has_ports(f) || f->family == FAMILY_IPV4);
}

static void put_options(struct trial *t)
{
	const struct flow *f = &t->flow;
	char src[ADDR_TEXT_SIZE], dst[ADDR_TEXT_SIZE];
	int n = snprintf(t->text, sizeof(t->text), "--protocol %u", f->protocol);
	char *at = t->text;

#define ADD(...) (n += snprintf(at + n, sizeof(t->text) - (size_t)n, __VA_ARGS__))
	if (f->sport)
		ADD(" --sport %u --dport %u", f->sport, f->dport);
	if (f->has_src)
		ADD(" --from %s", addr_print(&f->src, src));
	if (f->forwarded)
		ADD(" --in %s --mac %s", f->in, f->mac);
	else
		ADD(" --user %u --group %u", f->uid, f->gid);
	if (f->dscp)
		ADD(" --dscp %u", f->dscp);
	if (f->mark)
		ADD(" --mark 0x%x", f->mark);
	ADD(" %s", addr_print(&f->dst, dst));
#undef ADD
}

/* Nothing comes in by a link that is down. */
static bool can_come(const struct trial *t, const struct plan *p)
{
	const struct link *l = t->in ? links_by_index(&p->facts->links, t->in->index) : NULL;

	return !t->in || (l && l->up && l->carrier);
}

void trial_draw(struct trial *t, const struct plan *p, uint32_t minute)
{
	while (!draw(t) || !can_come(t, p))
		;
	t->flow.minute = minute;
	put_options(t);
}

/* ---- what will be ---- */

static bool is_to_many(const struct explanation *e)
{
	const uint8_t *b = e->flow.dst.bytes;

	return e->flow.family == FAMILY_IPV6 ? b[0] == 255
					     : b[0] >= 224 || (b[0] == 10 && b[3] == 255);
}

static void put_way(struct strbuf *b, const char *link, const struct addr *src, const uint8_t *mac,
		    uint32_t mark)
{
	char text[ADDR_TEXT_SIZE];

	strbuf_printf(b, "by %s from %s", link, addr_print(src, text));
	if (!strcmp(link, "lo"))
		return;
	if (strcmp(link, "wg0") != 0 && mac)
		strbuf_printf(b, " via %02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
			      mac[3], mac[4], mac[5]);
	strbuf_printf(b, " mark 0x%x", mark);
}

char *foretell(const struct explanation *e)
{
	struct strbuf b = { 0 };
	char text[ADDR_TEXT_SIZE];
	uint8_t mac[6];

	if (!e->link || (e->flow.forwarded && e->link->loopback))
		return strdup("nothing");
	mac_of(e->has_gateway ? &e->gateway : &e->flow.dst, mac);
	put_way(&b, e->link->name, &e->source, is_to_many(e) ? NULL : mac, e->mark);
	if (has_socket_name(&e->flow))
		strbuf_printf(&b, " socket %s", addr_print(&e->flow.src, text));
	return strbuf_take(&b);
}

/* ---- sockets ---- */

union endpoint {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t endpoint_of(union endpoint *e, enum family f, const struct addr *a, uint32_t port)
{
	*e = (union endpoint){ 0 };
	e->any.sa_family = (sa_family_t)family_to_af(f);
	if (f == FAMILY_IPV4) {
		e->v4.sin_port = htons((uint16_t)port);
		memcpy(&e->v4.sin_addr, a->bytes, 4);
		return sizeof(e->v4);
	}
	e->v6.sin6_port = htons((uint16_t)port);
	memcpy(&e->v6.sin6_addr, a->bytes, 16);
	return sizeof(e->v6);
}

static void set(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		abort();
}

/* The file system's ids are those that count for a socket; to keep the others keeps its powers. */
static int socket_of(const struct flow *f)
{
	int type = f->protocol == IPPROTO_TCP	? SOCK_STREAM
		   : f->protocol == IPPROTO_UDP ? SOCK_DGRAM
						: SOCK_RAW;
	int fd;

	setfsgid(f->gid);
	setfsuid(f->uid);
	fd = socket(family_to_af(f->family), type | SOCK_CLOEXEC | SOCK_NONBLOCK, (int)f->protocol);
	setfsuid(0);
	setfsgid(0);
	if (fd < 0)
		abort();
	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (f->mark)
		set(fd, SOL_SOCKET, SO_MARK, (int)f->mark);
	if (f->dscp && f->family == FAMILY_IPV4)
		set(fd, IPPROTO_IP, IP_TOS, (int)f->dscp << 2);
	else if (f->dscp)
		set(fd, IPPROTO_IPV6, IPV6_TCLASS, (int)f->dscp << 2);
	set(fd, SOL_SOCKET, SO_BROADCAST, 1);
	return fd;
}

static int send_one(int fd, const struct trial *t, const union endpoint *to, socklen_t to_len)
{
	uint8_t bytes[8] = { 0 };

	if (t->flow.protocol == IPPROTO_TCP)
		return 0;
	if (t->flow.protocol == IPPROTO_ICMP || t->flow.protocol == IPPROTO_ICMPV6) {
		uint32_t s = (t->flow.protocol == IPPROTO_ICMP ? 8u : 128u) << 8;

		bytes[0] = (uint8_t)(s >> 8);
		bytes[4] = (uint8_t)(t->id >> 8);
		bytes[5] = (uint8_t)t->id;
		s = ~(s + t->id + ((s + t->id) >> 16));
		bytes[2] = (uint8_t)(s >> 8);
		bytes[3] = (uint8_t)s;
	}
	return sendto(fd, bytes, sizeof(bytes), MSG_NOSIGNAL, to_len ? &to->any : NULL, to_len) < 0
		       ? -1
		       : 0;
}

int trial_send(const struct trial *t, struct addr *ret_local)
{
	const struct flow *f = &t->flow;
	union endpoint e, local;
	socklen_t len = endpoint_of(&e, f->family, &f->src, f->sport), to_len;
	int fd = socket_of(f), err = 0;

	if (t->bound && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, t->bound->name,
				   (socklen_t)strlen(t->bound->name)))
		abort();
	if ((f->sport || f->has_src) && bind(fd, &e.any, len))
		err = errno;
	len = to_len = endpoint_of(&e, f->family, &f->dst, f->dport);
	/* Whoever sends echo requests over IPv6 asks for a way but once. */
	if (!err && has_socket_name(f) && connect(fd, &e.any, len) && errno != EINPROGRESS)
		err = errno;
	if (!err) {
		getsockname(fd, &local.any, &len);
		*ret_local = (struct addr){ .family = f->family };
		memcpy(ret_local->bytes,
		       f->family == FAMILY_IPV4 ? (void *)&local.v4.sin_addr
						: (void *)&local.v6.sin6_addr,
		       f->family == FAMILY_IPV4 ? 4 : 16);
		if (send_one(fd, t, &e, has_socket_name(f) ? 0 : to_len))
			err = errno;
	}
	if (!err)
		return fd;
	close(fd);
	errno = err;
	return -1;
}

void trial_inject(const struct trial *t)
{
	const struct flow *f = &t->flow;
	struct packet p = { .family = f->family,
			    .src = f->src,
			    .dst = f->dst,
			    .protocol = f->protocol,
			    .sport = has_ports(f) ? f->sport : t->id,
			    .dport = f->dport };
	uint8_t mac[6];

	sscanf(t->mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
	       &mac[5]);
	frame_send(t->in, mac, &p, f->dscp);
}

/* ---- what is ---- */

static const char *name_of(const struct plan *p, uint32_t index)
{
	const struct link *l = links_by_index(&p->facts->links, index);

	return l ? l->name : "?";
}

/* Neighbours and routers speak ICMP, too. */
static bool is_echo(const struct packet *p)
{
	if (p->protocol == IPPROTO_ICMP)
		return p->payload[0] == 8;
	return p->protocol != IPPROTO_ICMPV6 || p->payload[0] == 128;
}

bool trial_find(const struct trial *t, int patience, struct frame *ret, struct packet *p)
{
	const struct flow *f = &t->flow;

	while (frame_next(ret, patience))
		if (frame_read(ret, p) && p->protocol == f->protocol &&
		    addr_compare(&p->dst, &f->dst) == 0 && p->dport == f->dport && is_echo(p))
			return true;
	return false;
}

static const struct wire *wire_by(uint32_t index)
{
	for (size_t i = 0; i < LINK_COUNT; i++)
		if (wires[i].index == index)
			return &wires[i];
	return NULL;
}

/* Sends the answer to what left. False: there can be none. */
static bool reply(const struct trial *t, const struct frame *left, const struct packet *seen)
{
	struct packet p = { .family = seen->family,
			    .src = seen->dst,
			    .dst = seen->src,
			    .protocol = seen->protocol,
			    .sport = seen->dport,
			    .dport = seen->sport };
	const struct wire *w = wire_by(left->link);
	uint8_t mac[6];

	if (t->flow.protocol != IPPROTO_UDP || !w)
		return false;
	mac_of(&p.src, mac);
	frame_send(w, mac, &p, 0);
	return true;
}

/* The reply goes as if ifsteer weren't there: back by where the question came in, or, where somebody's rule
 * catches it, by where that leads. */
static bool leads_there(const struct packet *reply, const struct wire *from, const struct wire *to)
{
	char src[ADDR_TEXT_SIZE], dst[ADDR_TEXT_SIZE], wanted[32], *said = NULL;
	bool leads;

	if (!from || !to)
		return false;
	snprintf(wanted, sizeof(wanted), " dev %s ", to->name);
	leads = run(&said, "ip route get %s from %s iif %s ipproto udp sport %u dport %u",
		    addr_print(&reply->dst, dst), addr_print(&reply->src, src), from->name,
		    reply->sport, reply->dport) == 0 &&
		said && strstr(said, wanted);
	free(said);
	return leads;
}

static void check_reply(const struct trial *t, const struct explanation *e, int fd,
			const struct frame *left, const struct packet *seen, struct strbuf *wrong)
{
	bool is_wanted = e->reverse != REVERSE_DROPPED, came;
	int patience = is_wanted ? PATIENCE_MS : DOUBT_MS;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct frame f;
	struct packet back;
	struct trial t2 = *t;

	/* Replies to what came in by an uplink are that uplink's, should it be dead. */
	if (t->in == &wires[ETH2])
		return;
	if (e->reverse == REVERSE_UNASKED || !reply(t, left, seen))
		return;
	if (fd >= 0) {
		came = poll(&p, 1, patience) > 0 && p.revents & POLLIN;
	} else {
		t2.flow.dst = t->flow.src;
		t2.flow.dport = t->flow.sport;
		came = trial_find(&t2, patience, &f, &back);
		if (came && addr_compare(&back.src, &t->flow.dst) != 0)
			strbuf_add(wrong, "the reply left from another address; ");
		else if (came && wire_by(f.link) != t->in &&
			 !leads_there(&back, wire_by(left->link), wire_by(f.link)))
			strbuf_add(wrong, "the reply left by another interface; ");
	}
	if (came != is_wanted)
		strbuf_printf(wrong, "the reply %s; ",
			      came ? "came, and should not" : "did not come");
}

bool trial_run(struct trial *t, const struct plan *p, const struct explanation *e, char **ret)
{
	char *foretold = foretell(e), text[ADDR_TEXT_SIZE];
	struct strbuf got = { 0 }, wrong = { 0 };
	struct addr local;
	struct frame f;
	struct packet seen;
	int fd = -1, err = 0;
	int patience = e->link ? PATIENCE_MS : DOUBT_MS;

	if (t->flow.forwarded)
		trial_inject(t);
	else if ((fd = trial_send(t, &local)) < 0)
		err = errno;
	if (trial_find(t, patience, &f, &seen)) {
		put_way(&got, name_of(p, f.link), &seen.src, is_to_many(e) ? NULL : f.bytes,
			f.mark);
		if (has_socket_name(&t->flow))
			strbuf_printf(&got, " socket %s", addr_print(&local, text));
	} else {
		strbuf_add(&got, "nothing");
	}
	if (strcmp(foretold, got.text) != 0)
		strbuf_printf(&wrong, "foretold %s; got %s%s%s; ", foretold, got.text,
			      err ? ", " : "", err ? strerror(err) : "");
	else if (e->link)
		check_reply(t, e, fd, &f, &seen, &wrong);
	else if (!t->flow.forwarded)
		fd = refused_run(t, p, e, fd, err, &wrong);
	if (fd >= 0)
		close(fd);
	free(foretold);
	strbuf_done(&got);
	if (!wrong.len)
		return true;
	*ret = strbuf_take(&wrong);
	return false;
}
