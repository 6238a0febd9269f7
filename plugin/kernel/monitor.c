/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reading what the kernel tells by itself. A message that says what the plan knows already is
 * passed over: a wireless interface tells of its state, and a router of its prefix, all the time.
 */
#include "kernel/monitor.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/netconf.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/rtnl-codec.h"

#define BUFFER_SIZE 65536
/* What may wait while a large policy is planned; when it is more, everything is looked at. */
#define QUEUE_SIZE (4 << 20)

static const int route_groups[] = {
	RTNLGRP_LINK,	    RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_RULE,
	RTNLGRP_IPV6_RULE,  RTNLGRP_IPV4_ROUTE,	 RTNLGRP_IPV6_ROUTE,  RTNLGRP_IPV4_NETCONF,
};
static const int nft_groups[] = { NFNLGRP_NFTABLES };

void happened_done(struct happened *h)
{
	numbers_done(&h->links);
	*h = (struct happened){ 0 };
}

/* ---- sockets ---- */

static int open_socket(int protocol)
{
	const struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	int size = QUEUE_SIZE;

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&any, sizeof(any))) {
		int err = -errno;

		close(fd);
		return err;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

static int join(int fd, const int *groups, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
			       sizeof(groups[i])))
			return -errno;
	return 0;
}

int monitor_open(struct monitor *m)
{
	struct monitor new = MONITOR_CLOSED;
	int err;

	new.buffer = malloc(BUFFER_SIZE);
	new.route = open_socket(NETLINK_ROUTE);
	new.nft = open_socket(NETLINK_NETFILTER);
	err = !new.buffer ? -ENOMEM : new.route < 0 ? new.route : new.nft < 0 ? new.nft : 0;
	/* Filters first: who listens unfiltered for a moment may hear a million routes. */
	if (err == 0) {
		monitor_filter_routes(new.route, NULL, 0, NULL, 0);
		monitor_filter_nft(new.nft);
		err = join(new.route, route_groups, ARRAY_SIZE(route_groups));
	}
	if (err == 0)
		err = join(new.nft, nft_groups, ARRAY_SIZE(nft_groups));
	if (err < 0)
		monitor_close(&new);
	else
		*m = new;
	return err;
}

void monitor_close(struct monitor *m)
{
	if (m->route >= 0)
		close(m->route);
	if (m->nft >= 0)
		close(m->nft);
	free(m->buffer);
	free(m->focus);
	*m = (struct monitor)MONITOR_CLOSED;
}

bool monitor_focus(struct monitor *m, const struct plan *p)
{
	/* The tables of all paths, then the interfaces of those that are there. */
	struct number_range *focus = calloc(2 * p->path_count + 1, sizeof(*focus));
	size_t tables = p->path_count, count = tables;

	for (size_t i = 0; focus && i < p->path_count; i++)
		focus[i].from = p->paths[i].table;
	for (size_t i = 0; focus && i < p->path_count; i++)
		if (p->paths[i].link)
			focus[count++].from = p->paths[i].link->index;
	if (!focus || (count == m->focus_count &&
		       (!count || !memcmp(focus, m->focus, count * sizeof(*focus))))) {
		free(focus);
		return false;
	}
	monitor_filter_routes(m->route, focus, tables, focus + tables, count - tables);
	free(m->focus);
	m->focus = focus;
	m->focus_count = count;
	return true;
}

/* ---- what a message is about ---- */

static bool is_managed_name(const struct plan *p, const char *name)
{
	return p->config && config_interface(p->config, name);
}

static const struct path *path_of(const struct plan *p, uint32_t index)
{
	for (size_t i = 0; i < p->path_count; i++)
		if (p->paths[i].link && p->paths[i].link->index == index)
			return &p->paths[i];
	return NULL;
}

/* Without memory nobody knows which interface it was; that something was is known. */
static void note_host(struct happened *h, uint32_t link)
{
	h->host = true;
	if (link && !numbers_add(&h->links, (struct number_range){ link, link }))
		numbers_normalise(&h->links);
}

static bool same_link(const struct link *a, const struct link *b)
{
	return !strcmp(a->name, b->name) && a->up == b->up && a->carrier == b->carrier &&
	       a->point_to_point == b->point_to_point && a->loopback == b->loopback &&
	       a->enslaved == b->enslaved && a->mtu == b->mtu && a->rp_filter == b->rp_filter &&
	       a->src_valid_mark == b->src_valid_mark &&
	       a->prefers_temporary == b->prefers_temporary;
}

static void read_link(const struct nlmsghdr *nlh, const struct plan *p, struct happened *h)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct path *known;
	struct link l;
	bool ipv6;

	/* A port that leaves its bridge is told of as a link that goes. */
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi) || ifi->ifi_family != AF_UNSPEC)
		return;
	known = path_of(p, (uint32_t)ifi->ifi_index);
	if (nlh->nlmsg_type == RTM_DELLINK) {
		if (known)
			note_host(h, known->link->index);
		return;
	}
	if (rtnl_decode_link(nlh, &l, &ipv6) || (!known && !is_managed_name(p, l.name)))
		return;
	if (!known || !same_link(known->link, &l))
		note_host(h, l.index);
}

static bool is_known_address(const struct plan *p, const struct address *a)
{
	for (size_t i = 0; i < p->facts->address_count; i++) {
		const struct address *k = &p->facts->addresses[i];

		if (k->link == a->link && !addr_compare(&k->addr, &a->addr))
			return k->len == a->len && k->scope == a->scope &&
			       k->tentative == a->tentative && k->deprecated == a->deprecated &&
			       k->temporary == a->temporary && k->secondary == a->secondary &&
			       !addr_compare(&k->peer, &a->peer);
	}
	return false;
}

static void read_address(const struct nlmsghdr *nlh, const struct plan *p, struct happened *h)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct address a;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa) || !path_of(p, ifa->ifa_index))
		return;
	if (nlh->nlmsg_type == RTM_NEWADDR && rtnl_decode_address(nlh, &a) == 0 &&
	    is_known_address(p, &a))
		return;
	note_host(h, ifa->ifa_index);
}

/* The attribute's number; 0: it is missing. */
static uint32_t find_u32(const struct nlmsghdr *nlh, size_t header, uint16_t type)
{
	struct nlattr *attr;
	uint32_t v = 0;

	mnl_attr_for_each(attr, nlh, (unsigned int)header)
		if (mnl_attr_get_type(attr) == type && mnl_attr_get_payload_len(attr) >= sizeof(v))
			memcpy(&v, mnl_attr_get_payload(attr), sizeof(v));
	return v;
}

/* Planning goes by no rule but its own. */
static void read_rule(const struct nlmsghdr *nlh, struct happened *h)
{
	struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct fib_rule_hdr))
		if (mnl_attr_get_type(attr) == FRA_PROTOCOL && mnl_attr_get_payload_len(attr) &&
		    mnl_attr_get_u8(attr) == OUR_PROTOCOL)
			h->ours = true;
}

static void read_route(const struct nlmsghdr *nlh, struct happened *h)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm) || rtm->rtm_flags & RTM_F_CLONED)
		return;
	if (rtm->rtm_protocol == OUR_PROTOCOL)
		h->ours = true;
	else
		note_host(h, find_u32(nlh, sizeof(*rtm), RTA_OIF));
}

/* No other message tells that somebody has set rp_filter. */
static void read_netconf(const struct nlmsghdr *nlh, const struct plan *p, struct happened *h)
{
	uint32_t index = find_u32(nlh, sizeof(struct netconfmsg), NETCONFA_IFINDEX);
	const struct path *path = path_of(p, index);
	struct netconf conf;

	if (rtnl_decode_netconf(nlh, &conf))
		return;
	if (index == (uint32_t)NETCONFA_IFINDEX_ALL)
		note_host(h, 0);
	else if (path && conf.rp_filter != path->link->rp_filter)
		h->ours = true;
}

static void read_route_message(const struct nlmsghdr *nlh, const struct plan *p, struct happened *h)
{
	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		read_link(nlh, p, h);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		read_address(nlh, p, h);
		break;
	case RTM_NEWRULE:
	case RTM_DELRULE:
		read_rule(nlh, h);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		read_route(nlh, h);
		break;
	case RTM_NEWNETCONF:
		read_netconf(nlh, p, h);
		break;
	default:
		break;
	}
}

/* ---- nftables ---- */

static const char *find_text(const struct nlmsghdr *nlh, uint16_t type)
{
	struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == type && !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
			return mnl_attr_get_str(attr);
	return "";
}

/* NAME_4 or NAME_6 of a set that others fill. */
static bool is_dynamic(const struct plan *p, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; p->config && i < p->config->set_count; i++) {
		const struct set *s = &p->config->sets[i];

		if (s->dynamic && len == strlen(s->name) + 2 &&
		    !strncmp(name, s->name, len - 2) && name[len - 2] == '_')
			return true;
	}
	return false;
}

static void read_nft_message(const struct nlmsghdr *nlh, const struct plan *p, struct happened *h)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	uint16_t what = nlh->nlmsg_type & 0xff;

	if (nlh->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*nfg) || nfg->nfgen_family != NFPROTO_INET ||
	    strcmp(find_text(nlh, NFTA_TABLE_NAME), OUR_TABLE) != 0)
		return;
	if ((what == NFT_MSG_NEWSETELEM || what == NFT_MSG_DELSETELEM) &&
	    is_dynamic(p, find_text(nlh, NFTA_SET_ELEM_LIST_SET)))
		return;
	h->ours = true;
}

/* ---- reading ---- */

/* The length of the next datagram of the kernel's; 0: there is none. What was lost may have been
 * anything. */
static int receive(int fd, char *buffer, struct happened *h)
{
	for (;;) {
		struct sockaddr_nl from = { 0 };
		socklen_t from_len = sizeof(from);
		ssize_t len = recvfrom(fd, buffer, BUFFER_SIZE, MSG_TRUNC,
				       (struct sockaddr *)&from, &from_len);

		if (len < 0 && errno == EAGAIN)
			return 0;
		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0 || len > BUFFER_SIZE) {
			h->host = h->ours = true;
			if (len < 0 && errno != ENOBUFS)
				return 0;
			continue;
		}
		if (from.nl_pid == 0)
			return (int)len;
	}
}

void monitor_read(struct monitor *m, const struct plan *p, struct happened *h)
{
	const struct nlmsghdr *nlh;
	int len;

	while ((len = receive(m->route, m->buffer, h)) > 0)
		for (nlh = (const void *)m->buffer; mnl_nlmsg_ok(nlh, len);
		     nlh = mnl_nlmsg_next(nlh, &len))
			read_route_message(nlh, p, h);
	while ((len = receive(m->nft, m->buffer, h)) > 0)
		for (nlh = (const void *)m->buffer; mnl_nlmsg_ok(nlh, len);
		     nlh = mnl_nlmsg_next(nlh, &len))
			read_nft_message(nlh, p, h);
}
