/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The least that it costs to look at a host: all interfaces, addresses, rules and routes asked for,
 * and thrown away.
 */
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

/* Whether all of it has come. */
static bool dump(struct mnl_socket *nl, uint16_t type, uint8_t family)
{
	static char buf[65536] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	int r = 1;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	/* All of these headers begin with the family. */
	*(uint8_t *)mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg)) = family;
	if (type == RTM_GETLINK)
		mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return false;
	while (r > 0) {
		ssize_t n = mnl_socket_recvfrom(nl, buf, sizeof(buf));

		r = n > 0 ? mnl_cb_run(buf, (size_t)n, 0, 0, NULL, NULL) : -1;
	}
	return r == 0;
}

int main(void)
{
	struct mnl_socket *nl = mnl_socket_open(NETLINK_ROUTE);

	return nl && dump(nl, RTM_GETLINK, AF_UNSPEC) && dump(nl, RTM_GETADDR, AF_UNSPEC) &&
			       dump(nl, RTM_GETRULE, AF_INET) && dump(nl, RTM_GETRULE, AF_INET6) &&
			       dump(nl, RTM_GETROUTE, AF_INET) && dump(nl, RTM_GETROUTE, AF_INET6) ?
		       0 :
		       1;
}
