/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rtnetlink's interfaces, addresses and per-interface settings as values, and the one setting we
 * write as bytes.
 */
#include <sys/socket.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>

#include "kernel/rtnl-attr.h"
#include "kernel/rtnl-codec.h"

struct nlmsghdr *rtnl_request_links(void *buf)
{
	struct nlmsghdr *nlh = rtnl_header(buf, RTM_GETLINK, 0);

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	/* Counters are half of each answer. */
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return nlh;
}

struct nlmsghdr *rtnl_request_addresses(void *buf)
{
	struct nlmsghdr *nlh = rtnl_header(buf, RTM_GETADDR, 0);

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifaddrmsg));
	return nlh;
}

struct nlmsghdr *rtnl_request_netconf(void *buf, enum family f)
{
	struct nlmsghdr *nlh = rtnl_header(buf, RTM_GETNETCONF, 0);
	struct netconfmsg *ncm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ncm));

	ncm->ncm_family = (uint8_t)family_to_af(f);
	mnl_attr_put_u32(nlh, NETCONFA_IFINDEX, (uint32_t)NETCONFA_IFINDEX_ALL);
	return nlh;
}

struct nlmsghdr *rtnl_encode_conf(void *buf, uint32_t link, uint16_t which, uint32_t value)
{
	struct nlmsghdr *nlh = rtnl_header(buf, RTM_SETLINK, 0);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	struct nlattr *spec, *inet, *conf;

	ifi->ifi_index = (int)link;
	spec = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	inet = mnl_attr_nest_start(nlh, AF_INET);
	conf = mnl_attr_nest_start(nlh, IFLA_INET_CONF);
	mnl_attr_put_u32(nlh, which, value);
	mnl_attr_nest_end(nlh, conf);
	mnl_attr_nest_end(nlh, inet);
	mnl_attr_nest_end(nlh, spec);
	return nlh;
}

/* Element `i` of an array of 32-bit numbers; 0 when it is shorter. */
static uint32_t array_element(const struct nlattr *attr, unsigned int i)
{
	uint32_t v = 0;

	if (mnl_attr_get_payload_len(attr) >= (i + 1) * sizeof(v))
		memcpy(&v, (const char *)mnl_attr_get_payload(attr) + i * sizeof(v), sizeof(v));
	return v;
}

static uint8_t small(uint32_t v)
{
	return v > UINT8_MAX ? UINT8_MAX : (uint8_t)v;
}

/* IPv4's settings count from 1, IPv6's from 0. */
static void read_ipv4_settings(const struct nlattr *conf, struct link *l)
{
	l->rp_filter = small(array_element(conf, IPV4_DEVCONF_RP_FILTER - 1));
	l->src_valid_mark = small(array_element(conf, IPV4_DEVCONF_SRC_VMARK - 1));
}

static void read_ipv6_settings(const struct nlattr *conf, struct link *l, bool *ret_ipv6)
{
	*ret_ipv6 = !array_element(conf, DEVCONF_DISABLE_IPV6);
	l->prefers_temporary = (int32_t)array_element(conf, DEVCONF_USE_TEMPADDR) >= 2;
}

/* The settings come with each interface: no file under /proc/sys need be opened. */
static void read_af_spec(const struct nlattr *spec, struct link *l, bool *ret_ipv6)
{
	struct nlattr *af, *attr;

	mnl_attr_for_each_nested(af, spec) {
		uint16_t family = mnl_attr_get_type(af);

		mnl_attr_for_each_nested(attr, af) {
			uint16_t type = mnl_attr_get_type(attr);

			if (family == AF_INET && type == IFLA_INET_CONF)
				read_ipv4_settings(attr, l);
			else if (family == AF_INET6 && type == IFLA_INET6_CONF)
				read_ipv6_settings(attr, l, ret_ipv6);
		}
	}
}

int rtnl_decode_link(const struct nlmsghdr *nlh, struct link *ret, bool *ret_ipv6)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	uint8_t state = IF_OPER_UNKNOWN;
	struct nlattr *attr;
	bool ipv6 = false;
	struct link l = { 0 };
	int err = 0;

	if (nlh->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi) ||
	    ifi->ifi_index <= 0)
		return -EBADMSG;
	mnl_attr_for_each(attr, nlh, sizeof(*ifi)) {
		switch (mnl_attr_get_type(attr)) {
		case IFLA_IFNAME:
			err = rtnl_get_name(attr, l.name);
			break;
		case IFLA_MTU:
			err = rtnl_get_u32(attr, &l.mtu);
			break;
		case IFLA_OPERSTATE:
			err = rtnl_get_u8(attr, &state);
			break;
		case IFLA_MASTER:
			l.enslaved = true;
			break;
		case IFLA_AF_SPEC:
			read_af_spec(attr, &l, &ipv6);
			break;
		default:
			break;
		}
		if (err < 0)
			return err;
	}
	if (!*l.name)
		return -EBADMSG;
	l.index = (uint32_t)ifi->ifi_index;
	l.up = ifi->ifi_flags & IFF_UP;
	/* The operational state follows the carrier only after a while: a hook that runs at once
	 * still reads "down". Dormant (wifi before its keys) is the one that says something the
	 * carrier doesn't. */
	l.carrier = ifi->ifi_flags & IFF_LOWER_UP && state != IF_OPER_DORMANT;
	l.point_to_point = ifi->ifi_flags & (IFF_POINTOPOINT | IFF_NOARP);
	l.loopback = ifi->ifi_flags & IFF_LOOPBACK;
	*ret = l;
	*ret_ipv6 = ipv6;
	return 0;
}

static void read_address_flags(uint32_t flags, struct address *a)
{
	/* An optimistic address may be used while it is checked. */
	a->duplicate = flags & IFA_F_DADFAILED;
	a->tentative = a->duplicate || (flags & IFA_F_TENTATIVE && !(flags & IFA_F_OPTIMISTIC));
	a->deprecated = flags & IFA_F_DEPRECATED;
	/* IPv4's "secondary" is the same bit. */
	a->temporary = a->addr.family == FAMILY_IPV6 && flags & IFA_F_TEMPORARY;
	a->secondary = a->addr.family == FAMILY_IPV4 && flags & IFA_F_SECONDARY;
}

int rtnl_decode_address(const struct nlmsghdr *nlh, struct address *ret)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct addr address, local;
	bool has_address = false, has_local = false;
	struct nlattr *attr;
	struct address a = { 0 };
	uint32_t flags;
	int err = 0;

	if (nlh->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa))
		return -EBADMSG;
	if (family_from_af(ifa->ifa_family, &a.addr.family))
		return -EAFNOSUPPORT;
	if (ifa->ifa_prefixlen > family_bits(a.addr.family))
		return -EBADMSG;
	flags = ifa->ifa_flags;
	mnl_attr_for_each(attr, nlh, sizeof(*ifa)) {
		switch (mnl_attr_get_type(attr)) {
		case IFA_ADDRESS:
			err = rtnl_get_addr(attr, a.addr.family, &address);
			has_address = true;
			break;
		case IFA_LOCAL:
			err = rtnl_get_addr(attr, a.addr.family, &local);
			has_local = true;
			break;
		case IFA_FLAGS:
			err = rtnl_get_u32(attr, &flags);
			break;
		default:
			break;
		}
		if (err < 0)
			return err;
	}
	if (!has_address && !has_local)
		return -EBADMSG;
	/* IFA_ADDRESS is the other end where the two differ, and all there is where IFA_LOCAL is
	 * missing. */
	a.addr = has_local ? local : address;
	a.peer.family = a.addr.family;
	if (has_local && has_address && addr_compare(&local, &address) != 0)
		a.peer = address;
	a.link = ifa->ifa_index;
	a.len = ifa->ifa_prefixlen;
	a.scope = ifa->ifa_scope;
	read_address_flags(flags, &a);
	*ret = a;
	return 0;
}

int rtnl_decode_netconf(const struct nlmsghdr *nlh, struct netconf *ret)
{
	uint32_t forwarding = 0, rp_filter = 0;
	struct nlattr *attr;
	int err = 0;

	if (nlh->nlmsg_type != RTM_NEWNETCONF ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(struct netconfmsg))
		return -EBADMSG;
	mnl_attr_for_each(attr, nlh, sizeof(struct netconfmsg)) {
		switch (mnl_attr_get_type(attr)) {
		case NETCONFA_FORWARDING:
			err = rtnl_get_u32(attr, &forwarding);
			break;
		case NETCONFA_RP_FILTER:
			err = rtnl_get_u32(attr, &rp_filter);
			break;
		default:
			break;
		}
		if (err < 0)
			return err;
	}
	*ret = (struct netconf){ forwarding != 0, small(rp_filter) };
	return 0;
}
