/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The connection table through ctnetlink.
 */
#include "kernel/conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <unistd.h>

#include "kernel/close-later.h"
#include "kernel/netlink.h"
#include "kernel/nfnetlink.h"

/* Whether any connection is tracked in this network namespace. The file is there only while
 * connection tracking is loaded: asking ctnetlink would load it. */
static bool is_empty(void)
{
	char first = '0';
	int fd = open("/proc/sys/net/netfilter/nf_conntrack_count", O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return errno == ENOENT;
	len = read(fd, &first, 1);
	close(fd);
	return len == 1 && first == '0';
}

/* A transaction of nftables, just before, may have deleted something. */
static void close_socket(struct netlink *n)
{
	if (n->fd >= 0)
		close_later(&n->fd, 1);
	netlink_close(n);
}

/* nfnetlink does not know a subsystem that is not there. */
static int name_missing(int err)
{
	return err == -EINVAL || err == -EOPNOTSUPP ? -EPROTONOSUPPORT : err;
}

/* ---- marks in use ---- */

struct carried {
	uint32_t mask;
	int shift;
	uint64_t seen[1 << 10];		/* a bit for each value, of up to 16 bits */
};

static int each_mark(const struct nlmsghdr *nlh, void *ctx)
{
	struct carried *c = ctx;
	struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) == CTA_MARK) {
			uint32_t value = (nfnetlink_u32(attr) & c->mask) >> c->shift & 0xffff;

			c->seen[value / 64] |= 1ull << value % 64;
		}
	}
	return 0;
}

static void restart_marks(void *ctx)
{
	struct carried *c = ctx;

	memset(c->seen, 0, sizeof(c->seen));
}

int conntrack_carried(uint32_t mask, struct numbers *ret)
{
	struct carried c = { .mask = mask, .shift = mask ? __builtin_ctz(mask) : 0 };
	const struct netlink_reader reader = { each_mark, restart_marks, &c };
	CLEANUP(close_socket) struct netlink n = NETLINK_CLOSED;
	struct numbers all = { 0 };
	char buf[64];
	struct nlmsghdr *list = nfnetlink_request(buf, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET,
						  AF_UNSPEC);
	int err;

	if (!mask || is_empty()) {
		*ret = all;
		return 0;
	}
	err = netlink_open(&n, NETLINK_NETFILTER);
	if (err == 0)
		err = name_missing(netlink_dump(&n, list, &reader));
	for (uint32_t value = 1; value <= 0xffff && err == 0; value++)
		if (c.seen[value / 64] >> value % 64 & 1)
			err = numbers_add(&all, (struct number_range){ value, value });
	if (err < 0) {
		numbers_done(&all);
		return err;
	}
	numbers_normalise(&all);
	*ret = all;
	return 0;
}

/* ---- forgetting ---- */

static struct nlmsghdr *request(void *buf, uint8_t type, enum family f)
{
	struct nlmsghdr *nlh = nfnetlink_request(buf, NFNL_SUBSYS_CTNETLINK, type,
						 (uint8_t)family_to_af(f));
	struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);

	/* A deletion minds the family only behind a version that is not zero. */
	nfg->version = 1;
	return nlh;
}

/* The kernel passes over, in dumps and deletions alike, what does not match. */
static void put_mark(struct nlmsghdr *nlh, const struct step *s)
{
	mnl_attr_put_u32(nlh, CTA_MARK, htonl(s->of.connections.mark));
	mnl_attr_put_u32(nlh, CTA_MARK_MASK, htonl(s->of.connections.mask));
}

struct forgetting {
	const struct step *step;
	struct netlink n;		/* a dump runs on the other one */
	struct netlink_batch batch;
};

/* What an entry says that matters here. */
struct entry {
	const struct nlattr *tuple;	/* of the original direction */
	const struct nlattr *zone;
	uint8_t protocol;
	struct addr destination;
};

static const struct nlattr *find(const struct nlattr *nest, uint16_t type)
{
	struct nlattr *attr;

	if (!nest)
		return NULL;
	mnl_attr_for_each_nested(attr, nest)
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

static bool read_entry(const struct nlmsghdr *nlh, enum family f, struct entry *ret)
{
	const struct nlattr *ip, *protocol;
	struct nlattr *attr;
	struct entry e = { .destination = { .family = f } };

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) == CTA_TUPLE_ORIG)
			e.tuple = attr;
		else if (mnl_attr_get_type(attr) == CTA_ZONE)
			e.zone = attr;
	}
	ip = find(find(e.tuple, CTA_TUPLE_IP), f == FAMILY_IPV4 ? CTA_IP_V4_DST : CTA_IP_V6_DST);
	protocol = find(find(e.tuple, CTA_TUPLE_PROTO), CTA_PROTO_NUM);
	if (!ip || mnl_attr_get_payload_len(ip) != family_bits(f) / 8 || !protocol ||
	    mnl_attr_get_payload_len(protocol) < 1)
		return false;
	memcpy(e.destination.bytes, mnl_attr_get_payload(ip), family_bits(f) / 8);
	e.protocol = mnl_attr_get_u8(protocol);
	*ret = e;
	return true;
}

static bool is_kept(const struct step *s, const struct entry *e)
{
	if (s->of.connections.keep_tcp && e->protocol == IPPROTO_TCP)
		return true;
	for (size_t i = 0; i < s->of.connections.kept_count; i++)
		if (addr_compare(&s->of.connections.kept[i], &e->destination) == 0)
			return true;
	return false;
}

/* An entry may end by itself before it is deleted. */
static int flush(struct forgetting *f)
{
	int err = netlink_batch_send(&f->n, &f->batch);

	for (unsigned int i = 0; i < f->batch.count && err == 0; i++)
		if (f->batch.results[i].err != -ENOENT)
			err = f->batch.results[i].err;
	netlink_batch_empty(&f->batch);
	return err;
}

static int each_entry(const struct nlmsghdr *nlh, void *ctx)
{
	struct forgetting *f = ctx;
	enum family family = f->step->of.connections.family;
	struct nlmsghdr *del;
	struct entry e;
	void *room;
	int err = netlink_batch_full(&f->batch) ? flush(f) : 0;

	if (err < 0)
		return err;
	if (!read_entry(nlh, family, &e) || is_kept(f->step, &e))
		return 0;
	room = netlink_batch_room(&f->batch);
	if (!room)
		return -ENOMEM;
	del = request(room, IPCTNL_MSG_CT_DELETE, family);
	if (!mnl_attr_put_check(del, NETLINK_MESSAGE_SIZE, CTA_TUPLE_ORIG | NLA_F_NESTED,
				mnl_attr_get_payload_len(e.tuple), mnl_attr_get_payload(e.tuple)))
		return -EMSGSIZE;
	if (e.zone &&
	    !mnl_attr_put_check(del, NETLINK_MESSAGE_SIZE, CTA_ZONE,
				mnl_attr_get_payload_len(e.zone), mnl_attr_get_payload(e.zone)))
		return -EMSGSIZE;
	netlink_batch_add(&f->batch);
	return 0;
}

/* What was deleted in an attempt that was interrupted isn't met again. */
static void restart_entries(void *ctx)
{
	(void)ctx;
}

/* One by one, since some are kept; while the list is read, so that it need not be remembered. */
static int forget_some(struct netlink *n, const struct step *s)
{
	struct forgetting f = { .step = s };
	const struct netlink_reader reader = { each_entry, restart_entries, &f };
	struct nlmsghdr *nlh;
	char buf[64];
	int err = netlink_open(&f.n, NETLINK_NETFILTER);

	if (err < 0)
		return err;
	nlh = request(buf, IPCTNL_MSG_CT_GET, s->of.connections.family);
	put_mark(nlh, s);
	err = netlink_dump(n, nlh, &reader);
	if (err == 0)
		err = flush(&f);
	netlink_batch_done(&f.batch);
	close_socket(&f.n);
	return err;
}

static int forget_all(struct netlink *n, const struct step *s)
{
	struct netlink_batch batch = { 0 };
	void *room = netlink_batch_room(&batch);
	int err = -ENOMEM;

	if (room) {
		put_mark(request(room, IPCTNL_MSG_CT_DELETE, s->of.connections.family), s);
		netlink_batch_add(&batch);
		err = netlink_batch_send(n, &batch);
	}
	if (err == 0)
		err = batch.results[0].err;
	netlink_batch_done(&batch);
	return err;
}

int conntrack_forget(const struct step *s)
{
	CLEANUP(close_socket) struct netlink n = NETLINK_CLOSED;
	int err;

	if (is_empty())
		return 0;
	err = netlink_open(&n, NETLINK_NETFILTER);
	if (err < 0)
		return err;
	if (s->of.connections.keep_tcp || s->of.connections.kept_count)
		return name_missing(forget_some(&n, s));
	return name_missing(forget_all(&n, s));
}
