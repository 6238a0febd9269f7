/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Preloaded into the program under test: a kernel without a feature, or one whose answers are not
 * whole. What is sent names something that no kernel has instead, so that this one refuses it
 * itself, with the errno of one that was built without.
 *
 *	NO_FEATURE	an expression of nftables (fib, socket, numgen, …), or
 *			nftables, ctnetlink: the subsystem; strict: NETLINK_GET_STRICT_CHK;
 *			ipv6: as with ipv6.disable=1;
 *			interrupted, cut: pieces of dumps, as NLM_F_DUMP_INTR and MSG_TRUNC say
 *	NO_FEATURE_EACH	each so manyth piece (1)
 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY_FAMILY 27	/* a family without routes and rules */
#define NOBODY_SUBSYS 63

static bool lacks(const char *what)
{
	const char *feature = getenv("NO_FEATURE");

	return feature && strcmp(feature, what) == 0;
}

static bool is_netlink(int fd, int protocol)
{
	int domain = 0, is = -1;
	socklen_t len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_NETLINK &&
	       getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &is, &len) == 0 && is == protocol;
}

/* ---- what is sent ---- */

/* The attribute NFTA_EXPR_NAME (1) of an expression of that name. */
static void spoil_expression(char *bytes, size_t len, const char *name)
{
	struct nlattr attr = { .nla_len = (uint16_t)(sizeof(attr) + strlen(name) + 1), .nla_type = 1 };
	char wanted[64];

	if (strlen(name) > 32)
		return;
	memcpy(wanted, &attr, sizeof(attr));
	memcpy(wanted + sizeof(attr), name, strlen(name) + 1);
	for (char *at = bytes; (at = memmem(at, len - (size_t)(at - bytes), wanted, attr.nla_len));)
		at[sizeof(attr)] = '-';
}

static void spoil_netfilter(struct nlmsghdr *nlh)
{
	struct nfgenmsg *nfg = NLMSG_DATA(nlh);
	int subsys = nlh->nlmsg_type >> 8;

	if ((lacks("nftables") && subsys == NFNL_SUBSYS_NFTABLES) ||
	    (lacks("ctnetlink") && subsys == NFNL_SUBSYS_CTNETLINK))
		nlh->nlmsg_type = (uint16_t)(NOBODY_SUBSYS << 8 | (nlh->nlmsg_type & 0xff));
	if (lacks("nftables") && nlh->nlmsg_type == NFNL_MSG_BATCH_BEGIN)
		nfg->res_id = htobe16(NOBODY_SUBSYS);
}

/* All messages of rtnetlink begin with the family. */
static void spoil_route(struct nlmsghdr *nlh)
{
	uint8_t *family = NLMSG_DATA(nlh);

	if (lacks("ipv6") && nlh->nlmsg_len > NLMSG_HDRLEN && *family == AF_INET6)
		*family = NOBODY_FAMILY;
}

static void spoil(int fd, char *bytes, size_t len)
{
	bool is_route = is_netlink(fd, NETLINK_ROUTE);
	struct nlmsghdr *nlh = (struct nlmsghdr *)bytes;
	size_t left = len;

	if (!is_route && !is_netlink(fd, NETLINK_NETFILTER))
		return;
	for (; NLMSG_OK(nlh, left); nlh = NLMSG_NEXT(nlh, left))
		(is_route ? spoil_route : spoil_netfilter)(nlh);
	if (getenv("NO_FEATURE") && !is_route)
		spoil_expression(bytes, len, getenv("NO_FEATURE"));
}

ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t size)
{
	char *copy = malloc(len + 1);
	ssize_t sent;

	memcpy(copy, buf, len);
	spoil(fd, copy, len);
	sent = syscall(SYS_sendto, fd, copy, len, flags, to, size);
	free(copy);
	return sent;
}

/* libnftables sends a batch with this one. */
ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	for (size_t i = 0; i < msg->msg_iovlen; i++)
		spoil(fd, msg->msg_iov[i].iov_base, msg->msg_iov[i].iov_len);
	return syscall(SYS_sendmsg, fd, msg, flags);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	if (lacks("strict") && level == SOL_NETLINK && name == NETLINK_GET_STRICT_CHK) {
		errno = ENOPROTOOPT;
		return -1;
	}
	return (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}

/* ---- what is received: nothing of IPv6's ---- */

static void forget_ipv6(struct nlmsghdr *nlh)
{
	struct rtattr *attr = IFLA_RTA(NLMSG_DATA(nlh));
	int left = (int)IFLA_PAYLOAD(nlh);

	for (; RTA_OK(attr, left); attr = RTA_NEXT(attr, left)) {
		struct rtattr *of = RTA_DATA(attr);
		int in = (int)RTA_PAYLOAD(attr);

		for (; (attr->rta_type & NLA_TYPE_MASK) == IFLA_AF_SPEC && RTA_OK(of, in); of = RTA_NEXT(of, in))
			if ((of->rta_type & NLA_TYPE_MASK) == AF_INET6)
				of->rta_type = NOBODY_FAMILY;
	}
}

/* Whether it is this piece's turn. */
static bool is_hit(const struct nlmsghdr *nlh, size_t len)
{
	const char *each = getenv("NO_FEATURE_EACH");
	static unsigned long pieces;

	return NLMSG_OK(nlh, len) && nlh->nlmsg_flags & NLM_F_MULTI &&
	       ++pieces % (each ? strtoul(each, NULL, 10) : 1) == 0;
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	ssize_t len = syscall(SYS_recvmsg, fd, msg, flags);
	struct nlmsghdr *nlh = msg->msg_iov->iov_base;
	size_t left = len > 0 ? (size_t)len : 0;

	for (; lacks("ipv6") && is_netlink(fd, NETLINK_ROUTE) && NLMSG_OK(nlh, left);
	     nlh = NLMSG_NEXT(nlh, left)) {
		if (nlh->nlmsg_type == RTM_NEWLINK)
			forget_ipv6(nlh);
		else if (nlh->nlmsg_type > RTM_BASE && *(uint8_t *)NLMSG_DATA(nlh) == AF_INET6)
			nlh->nlmsg_type = NLMSG_NOOP;
	}
	nlh = msg->msg_iov->iov_base;
	left = len > 0 ? (size_t)len : 0;
	if (lacks("interrupted") && is_hit(nlh, left))
		nlh->nlmsg_flags |= NLM_F_DUMP_INTR;
	if (lacks("cut") && is_hit(nlh, left))
		msg->msg_flags |= MSG_TRUNC;
	return len;
}
