/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Frames as they leave the host, and everybody else: whoever is asked for, is there, and has a
 * hardware address that tells his own.
 */
#include "tests/netns/random/random.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define ETH_SIZE 14
#define IP4_SIZE 20
#define IP6_SIZE 40

void mac_of(const struct addr *a, uint8_t ret[6])
{
	bool is_ipv6 = a->family == FAMILY_IPV6;

	ret[0] = 2;
	ret[1] = is_ipv6 ? 6 : 4;
	memcpy(ret + 2, a->bytes + (is_ipv6 ? 12 : 0), 4);
}

/* ---- reading ---- */

static bool has_ports(uint32_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

bool frame_read(struct frame *f, struct packet *ret)
{
	uint8_t *ip = f->bytes + ETH_SIZE;
	bool is_ipv6 = f->bytes[12] == 0x86 && f->bytes[13] == 0xdd;
	size_t size = is_ipv6 ? IP6_SIZE : IP4_SIZE;

	*ret = (struct packet){ .family = is_ipv6 ? FAMILY_IPV6 : FAMILY_IPV4 };
	if ((!is_ipv6 && (f->bytes[12] != 8 || f->bytes[13])) || f->len < ETH_SIZE + size + 4)
		return false;
	ret->src.family = ret->dst.family = ret->family;
	memcpy(ret->src.bytes, ip + (is_ipv6 ? 8 : 12), is_ipv6 ? 16 : 4);
	memcpy(ret->dst.bytes, ip + (is_ipv6 ? 24 : 16), is_ipv6 ? 16 : 4);
	ret->protocol = is_ipv6 ? ip[6] : ip[9];
	ret->payload = ip + (is_ipv6 ? IP6_SIZE : (ip[0] & 15) * 4);
	if (has_ports(ret->protocol)) {
		ret->sport = (uint32_t)(ret->payload[0] << 8 | ret->payload[1]);
		ret->dport = (uint32_t)(ret->payload[2] << 8 | ret->payload[3]);
	}
	return true;
}

/* ---- writing ---- */

static uint32_t sum(const uint8_t *v, size_t n, uint32_t start)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		start += (uint32_t)(v[i] << 8 | v[i + 1]);
	return start;
}

static void put16(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void finish(uint8_t *at, uint32_t s)
{
	s = (s & 0xffff) + (s >> 16);
	put16(at, ~((s & 0xffff) + (s >> 16)));
}

static size_t put_header(uint8_t *ip, const struct packet *p, size_t len, uint32_t dscp)
{
	if (p->family == FAMILY_IPV6) {
		ip[0] = (uint8_t)(6 << 4 | dscp >> 2);
		ip[1] = (uint8_t)(dscp << 6);
		put16(ip + 4, (uint32_t)len);
		ip[6] = (uint8_t)p->protocol;
		ip[7] = 64;
		memcpy(ip + 8, p->src.bytes, 16);
		memcpy(ip + 24, p->dst.bytes, 16);
		return IP6_SIZE;
	}
	ip[0] = 0x45;
	ip[1] = (uint8_t)(dscp << 2);
	put16(ip + 2, (uint32_t)len + IP4_SIZE);
	ip[8] = 64;
	ip[9] = (uint8_t)p->protocol;
	memcpy(ip + 12, p->src.bytes, 4);
	memcpy(ip + 16, p->dst.bytes, 4);
	finish(ip + 10, sum(ip, IP4_SIZE, 0));
	return IP4_SIZE;
}

/* Of TCP a SYN, of ICMP an echo request. */
static size_t put_payload(uint8_t *to, const struct packet *p)
{
	uint32_t pseudo = p->protocol;
	size_t len = 8;

	if (has_ports(p->protocol)) {
		put16(to, p->sport);
		put16(to + 2, p->dport);
	}
	if (p->protocol == IPPROTO_TCP) {
		len = 20;
		to[12] = 5 << 4;
		to[13] = 2;
	} else if (p->protocol == IPPROTO_UDP) {
		put16(to + 4, 8);
	} else if (p->protocol == IPPROTO_ICMP || p->protocol == IPPROTO_ICMPV6) {
		to[0] = p->protocol == IPPROTO_ICMP ? 8 : 128;
		put16(to + 4, p->sport);
	}
	pseudo = sum(p->src.bytes, 16, sum(p->dst.bytes, 16, pseudo + (uint32_t)len));
	if (p->protocol == IPPROTO_TCP)
		finish(to + 16, sum(to, len, pseudo));
	else if (p->protocol == IPPROTO_UDP)
		finish(to + 6, sum(to, len, pseudo));
	else if (p->protocol == IPPROTO_ICMPV6)
		finish(to + 2, sum(to, len, pseudo));
	else if (p->protocol == IPPROTO_ICMP)
		finish(to + 2, sum(to, len, 0));
	return len;
}

void frame_send(const struct wire *w, const uint8_t from_mac[6], const struct packet *p,
		uint32_t dscp)
{
	uint8_t frame[128] = { 0 }, payload[64] = { 0 };
	size_t len = put_payload(payload, p), header;

	memcpy(frame, w->mac, 6);
	memcpy(frame + 6, from_mac, 6);
	put16(frame + 12, p->family == FAMILY_IPV6 ? ETH_P_IPV6 : ETH_P_IP);
	header = put_header(frame + ETH_SIZE, p, len, dscp);
	memcpy(frame + ETH_SIZE + header, payload, len);
	if (send(w->far, frame, ETH_SIZE + header + len, 0) < 0)
		return; /* its link is down: nothing comes in */
}

/* ---- neighbours ---- */

static const struct wire *wire_of(uint32_t index)
{
	for (size_t i = 0; i < LINK_COUNT; i++)
		if (wires[i].index == index)
			return &wires[i];
	return NULL;
}

static void answer_arp(const struct wire *w, const uint8_t *asked)
{
	static const uint8_t head[] = { 0, 1, 8, 0, 6, 4, 0, 2 };
	struct addr who = { .family = FAMILY_IPV4 };
	uint8_t frame[60] = { 0 };

	memcpy(who.bytes, asked + ETH_SIZE + 24, 4);
	memcpy(frame, asked + 6, 6);
	mac_of(&who, frame + 6);
	put16(frame + 12, ETH_P_ARP);
	memcpy(frame + ETH_SIZE, head, sizeof(head));
	memcpy(frame + ETH_SIZE + 8, frame + 6, 6);
	memcpy(frame + ETH_SIZE + 14, who.bytes, 4);
	memcpy(frame + ETH_SIZE + 18, asked + ETH_SIZE + 8, 10);
	send(w->far, frame, sizeof(frame), 0);
}

static void answer_solicitation(const struct wire *w, const uint8_t *asked)
{
	struct packet p = { .family = FAMILY_IPV6, .protocol = IPPROTO_ICMPV6 };
	uint8_t frame[ETH_SIZE + IP6_SIZE + 32] = { 0 }, *to = frame + ETH_SIZE + IP6_SIZE;
	struct addr who = { .family = FAMILY_IPV6 };

	memcpy(who.bytes, asked + ETH_SIZE + IP6_SIZE + 8, 16);
	p.src = who;
	memcpy(p.dst.bytes, asked + ETH_SIZE + 8, 16);
	if (addr_is_zero(&p.dst))
		return;
	memcpy(frame, w->mac, 6);
	mac_of(&who, frame + 6);
	put16(frame + 12, ETH_P_IPV6);
	put_header(frame + ETH_SIZE, &p, 32, 0);
	frame[ETH_SIZE + 7] = 255;
	to[0] = 136;
	to[4] = 0x60;
	memcpy(to + 8, who.bytes, 16);
	to[24] = 2;
	to[25] = 1;
	mac_of(&who, to + 26);
	finish(to + 2,
	       sum(to, 32, sum(p.src.bytes, 16, sum(p.dst.bytes, 16, IPPROTO_ICMPV6 + 32))));
	send(w->far, frame, sizeof(frame), 0);
}

/* Whether it is a question for a neighbour, which is answered. */
static bool is_question(const struct frame *f)
{
	const struct wire *w = wire_of(f->link);
	const uint8_t *b = f->bytes;

	if (b[12] == 8 && b[13] == 6) {
		if (w && b[ETH_SIZE + 7] == 1)
			answer_arp(w, b);
		return true;
	}
	if (b[12] != 0x86 || b[13] != 0xdd || b[ETH_SIZE + 6] != IPPROTO_ICMPV6 ||
	    b[ETH_SIZE + IP6_SIZE] != 135)
		return false;
	if (w)
		answer_solicitation(w, b);
	return true;
}

/* ---- the tap ---- */

static bool receive(struct frame *f)
{
	union {
		struct cmsghdr align;
		char bytes[64];
	} control;
	struct sockaddr_ll from = { 0 };
	struct iovec iov = { f->bytes, sizeof(f->bytes) };
	struct msghdr m = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(tap, &m, MSG_DONTWAIT);

	if (n < ETH_SIZE)
		return false;
	f->len = from.sll_pkttype == PACKET_OUTGOING ? (size_t)n : 0;
	f->link = (uint32_t)from.sll_ifindex;
	f->mark = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_MARK)
			memcpy(&f->mark, CMSG_DATA(c), sizeof(f->mark));
	return true;
}

bool frame_next(struct frame *ret, int wait_ms)
{
	struct pollfd p = { .fd = tap, .events = POLLIN };

	while (poll(&p, 1, wait_ms) > 0)
		if (receive(ret) && ret->len && !is_question(ret))
			return true;
	return false;
}
