/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Destroying sockets by source address, through sock_diag.
 */
#include "kernel/sockets.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "kernel/netlink.h"

/* Connections, also half-open ones; not listeners, not what only waits for late packets. */
#define TCP_STATES \
	(1u << TCP_ESTABLISHED | 1u << TCP_SYN_SENT | 1u << TCP_SYN_RECV | 1u << TCP_FIN_WAIT1 | \
	 1u << TCP_FIN_WAIT2 | 1u << TCP_CLOSE_WAIT | 1u << TCP_LAST_ACK | 1u << TCP_CLOSING)
/* A UDP socket that has connected says the same. */
#define UDP_STATES (1u << TCP_ESTABLISHED)

static struct nlmsghdr *request(void *buf, uint16_t type, uint8_t family, uint8_t protocol)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct inet_diag_req_v2 *req = mnl_nlmsg_put_extra_header(nlh, sizeof(*req));

	nlh->nlmsg_type = type;
	req->sdiag_family = family;
	req->sdiag_protocol = protocol;
	req->idiag_states = protocol == IPPROTO_TCP ? TCP_STATES : UDP_STATES;
	return nlh;
}

/* A program of one condition, so that the kernel hands out only the sockets that are meant: source
 * address equal, or jump behind the end, which is "no". An IPv4 address matches IPv6 sockets that
 * speak IPv4 as well. */
static void put_condition(struct nlmsghdr *nlh, const struct addr *source)
{
	unsigned int len = family_bits(source->family) / 8;
	struct inet_diag_hostcond cond;
	struct inet_diag_bc_op op = {
		.code = INET_DIAG_BC_S_COND,
		.yes = (uint8_t)(sizeof(op) + sizeof(cond) + len),
		.no = (uint16_t)(2 * sizeof(op) + sizeof(cond) + len),
	};
	uint8_t code[sizeof(op) + sizeof(cond) + sizeof(source->bytes)];

	/* Its padding is sent as well. */
	memset(&cond, 0, sizeof(cond));
	cond.family = (uint8_t)family_to_af(source->family);
	cond.prefix_len = (uint8_t)family_bits(source->family);
	cond.port = -1;
	memcpy(code, &op, sizeof(op));
	memcpy(code + sizeof(op), &cond, sizeof(cond));
	memcpy(code + sizeof(op) + sizeof(cond), source->bytes, len);
	mnl_attr_put(nlh, INET_DIAG_REQ_BYTECODE, op.yes, code);
}

struct closing {
	uint8_t protocol;
	struct netlink n;		/* a dump runs on the other one */
	struct netlink_batch batch;
};

/* A socket may be closed by its program before. */
static int flush(struct closing *c)
{
	int err = netlink_batch_send(&c->n, &c->batch);

	for (unsigned int i = 0; i < c->batch.count && err == 0; i++)
		if (c->batch.results[i].err != -ENOENT)
			err = c->batch.results[i].err;
	netlink_batch_empty(&c->batch);
	return err;
}

static int each_socket(const struct nlmsghdr *nlh, void *ctx)
{
	const struct inet_diag_msg *msg = mnl_nlmsg_get_payload(nlh);
	struct closing *c = ctx;
	struct inet_diag_req_v2 *req;
	void *room;
	int err = netlink_batch_full(&c->batch) ? flush(c) : 0;

	if (err < 0)
		return err;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*msg))
		return -EBADMSG;
	room = netlink_batch_room(&c->batch);
	if (!room)
		return -ENOMEM;
	req = mnl_nlmsg_get_payload(request(room, SOCK_DESTROY, msg->idiag_family, c->protocol));
	req->id = msg->id;
	netlink_batch_add(&c->batch);
	return 0;
}

/* What was destroyed in an attempt that was interrupted isn't met again. */
static void restart(void *ctx)
{
	(void)ctx;
}

static int close_some(struct netlink *n, struct closing *c, uint8_t family,
		      const struct addr *source)
{
	const struct netlink_reader reader = { each_socket, restart, c };
	struct nlmsghdr *nlh;
	char buf[256];
	int err;

	nlh = request(buf, SOCK_DIAG_BY_FAMILY, family, c->protocol);
	put_condition(nlh, source);
	err = netlink_dump(n, nlh, &reader);
	return err ? err : flush(c);
}

int sockets_close(const struct addr *source)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	CLEANUP(netlink_close) struct netlink n = NETLINK_CLOSED;
	struct closing c = { .n = NETLINK_CLOSED };
	int err = netlink_open(&n, NETLINK_SOCK_DIAG);

	if (err == 0)
		err = netlink_open(&c.n, NETLINK_SOCK_DIAG);
	for (size_t i = 0; i < ARRAY_SIZE(protocols) && err == 0; i++) {
		c.protocol = protocols[i];
		err = close_some(&n, &c, AF_INET6, source);
		if (err == 0 && source->family == FAMILY_IPV4)
			err = close_some(&n, &c, AF_INET, source);
	}
	netlink_batch_done(&c.batch);
	netlink_close(&c.n);
	return err;
}
