/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How every message to nfnetlink begins, and the numbers in its attributes, which are big-endian
 * and aligned to four bytes only.
 */
#pragma once

#include <endian.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/base.h"

static inline struct nlmsghdr *nfnetlink_request(void *buf, uint8_t subsystem, uint8_t type,
						 uint8_t family)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));

	nlh->nlmsg_type = (uint16_t)(subsystem << 8 | type);
	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	return nlh;
}

/* 0 for an attribute that is too short. */
static inline uint32_t nfnetlink_u32(const struct nlattr *attr)
{
	uint32_t v = 0;

	if (mnl_attr_get_payload_len(attr) >= sizeof(v))
		memcpy(&v, mnl_attr_get_payload(attr), sizeof(v));
	return be32toh(v);
}

static inline uint64_t nfnetlink_u64(const struct nlattr *attr)
{
	uint64_t v = 0;

	if (mnl_attr_get_payload_len(attr) >= sizeof(v))
		memcpy(&v, mnl_attr_get_payload(attr), sizeof(v));
	return be64toh(v);
}
