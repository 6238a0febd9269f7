/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Attributes of rtnetlink whose length is checked: shared by the files of the codec and by nobody
 * else.
 */
#pragma once

#include <errno.h>
#include <libmnl/libmnl.h>
#include <string.h>

#include "base/prefix.h"

static inline struct nlmsghdr *rtnl_header(void *buf, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = flags;
	return nlh;
}

static inline int rtnl_get_u8(const struct nlattr *attr, uint8_t *ret)
{
	if (mnl_attr_get_payload_len(attr) < sizeof(*ret))
		return -EBADMSG;
	*ret = mnl_attr_get_u8(attr);
	return 0;
}

static inline int rtnl_get_u32(const struct nlattr *attr, uint32_t *ret)
{
	if (mnl_attr_get_payload_len(attr) < sizeof(*ret))
		return -EBADMSG;
	*ret = mnl_attr_get_u32(attr);
	return 0;
}

static inline int rtnl_get_addr(const struct nlattr *attr, enum family f, struct addr *ret)
{
	struct addr a = { .family = f };

	if (mnl_attr_get_payload_len(attr) != family_bits(f) / 8)
		return -EBADMSG;
	memcpy(a.bytes, mnl_attr_get_payload(attr), family_bits(f) / 8);
	*ret = a;
	return 0;
}

/* An interface's name; it may lack the NUL when it is that long. */
static inline int rtnl_get_name(const struct nlattr *attr, char ret[static NAME_SIZE])
{
	const char *text = mnl_attr_get_payload(attr);
	size_t len = strnlen(text, mnl_attr_get_payload_len(attr));

	if (len == 0 || len >= NAME_SIZE)
		return -EBADMSG;
	memcpy(ret, text, len);
	ret[len] = '\0';
	return 0;
}
