/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The least that a change of an nftables set can cost: one interval of IPv4 addresses added to a set of
 * ours, or deleted from it, by one message. One-element add|delete SET FROM TO, TO being the first
 * address behind it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

static struct nlmsghdr *put_head(char *buf, uint16_t type, uint8_t family, uint16_t resource)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	*g = (struct nfgenmsg){ .nfgen_family = family, .res_id = htons(resource) };
	return nlh;
}

static void put_element(struct nlmsghdr *nlh, const char *address, uint32_t flags)
{
	struct nlattr *element = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM), *key;
	struct in_addr addr = { 0 };

	inet_pton(AF_INET, address, &addr);
	if (flags)
		mnl_attr_put_u32(nlh, NFTA_SET_ELEM_FLAGS, htonl(flags));
	key = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_KEY);
	mnl_attr_put(nlh, NFTA_DATA_VALUE, sizeof(addr), &addr);
	mnl_attr_nest_end(nlh, key);
	mnl_attr_nest_end(nlh, element);
}

static size_t put_change(char *buf, uint16_t type, char **argv)
{
	struct nlmsghdr *nlh = put_head(buf, NFNL_SUBSYS_NFTABLES << 8 | type, NFPROTO_INET, 0);
	struct nlattr *list;

	nlh->nlmsg_flags |= NLM_F_ACK | (type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, "ifsteer");
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, argv[0]);
	list = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
	put_element(nlh, argv[1], 0);
	put_element(nlh, argv[2], NFT_SET_ELEM_INTERVAL_END);
	mnl_attr_nest_end(nlh, list);
	return nlh->nlmsg_len;
}

int main(int argc, char **argv)
{
	char buf[1024] __attribute__((aligned(8)));
	uint16_t type = argc > 1 && !strcmp(argv[1], "add") ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM;
	struct mnl_socket *nl = mnl_socket_open(NETLINK_NETFILTER);
	size_t len;
	ssize_t n;

	if (argc != 5 || !nl) {
		fprintf(stderr, "usage: one-element add|delete SET FROM TO\n");
		return 2;
	}
	len = put_head(buf, NFNL_MSG_BATCH_BEGIN, AF_UNSPEC, NFNL_SUBSYS_NFTABLES)->nlmsg_len;
	len += put_change(buf + len, type, argv + 2);
	len += put_head(buf + len, NFNL_MSG_BATCH_END, AF_UNSPEC, NFNL_SUBSYS_NFTABLES)->nlmsg_len;
	n = mnl_socket_sendto(nl, buf, len);
	if (n >= 0)
		n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
	if (n >= 0)
		n = mnl_cb_run(buf, (size_t)n, 0, mnl_socket_get_portid(nl), NULL, NULL);
	if (n < 0)
		fprintf(stderr, "one-element: %s: %s\n", argv[2], strerror(errno));
	return n < 0;
}
