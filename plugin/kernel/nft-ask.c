/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Small questions about nftables by nfnetlink, for which libnftables reads too much: the
 * generation, our table's handle, our counters.
 */
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "kernel/kernel.h"
#include "kernel/nfnetlink.h"
#include "kernel/nft-own.h"

struct netlink nft_own = NETLINK_CLOSED;

/* Asks, or dumps when `restart` is given. */
static int ask(struct nlmsghdr *nlh, const struct netlink_reader *r)
{
	int err = nft_own.fd < 0 ? netlink_open(&nft_own, NETLINK_NETFILTER) : 0;

	if (err < 0)
		return err;
	return r->restart ? netlink_dump(&nft_own, nlh, r) : netlink_ask(&nft_own, nlh, r);
}

bool nft_is_missing(int err)
{
	/* The last two are a kernel without nf_tables. */
	return err == -ENOENT || err == -EOPNOTSUPP || err == -EINVAL;
}

static int each_table(const struct nlmsghdr *nlh, void *ctx)
{
	struct nlattr *attr;
	uint64_t *ret = ctx;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == NFTA_TABLE_HANDLE)
			*ret = nfnetlink_u64(attr);
	return 0;
}

int nft_table_handle(uint64_t *ret)
{
	char buf[128];
	struct nlmsghdr *nlh = nfnetlink_request(buf, NFNL_SUBSYS_NFTABLES, NFT_MSG_GETTABLE,
						 NFPROTO_INET);
	uint64_t handle = 0;
	const struct netlink_reader reader = { each_table, NULL, &handle };
	int err;

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, OUR_TABLE);
	err = ask(nlh, &reader);
	if (err < 0 && !nft_is_missing(err))
		return err;
	*ret = err == 0 ? handle : 0;
	return 0;
}

static int each_generation(const struct nlmsghdr *nlh, void *ctx)
{
	struct nlattr *attr;
	uint32_t *ret = ctx;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == NFTA_GEN_ID)
			*ret = nfnetlink_u32(attr);
	return 0;
}

int nft_generation(uint32_t *ret)
{
	char buf[128];
	uint32_t generation = 0;
	const struct netlink_reader reader = { each_generation, NULL, &generation };
	int err = ask(nfnetlink_request(buf, NFNL_SUBSYS_NFTABLES, NFT_MSG_GETGEN, NFPROTO_UNSPEC),
		      &reader);

	if (err == 0)
		*ret = generation;
	return err;
}

struct counters {
	struct counter *v;
	size_t count;
};

static void read_counter(const struct nlattr *data, struct counter *c)
{
	struct nlattr *attr;

	mnl_attr_for_each_nested(attr, data) {
		if (mnl_attr_get_type(attr) == NFTA_COUNTER_PACKETS)
			c->packets = nfnetlink_u64(attr);
		else if (mnl_attr_get_type(attr) == NFTA_COUNTER_BYTES)
			c->bytes = nfnetlink_u64(attr);
	}
}

static int each_counter(const struct nlmsghdr *nlh, void *ctx)
{
	struct counters *all = ctx;
	const char *table = "", *name = NULL;
	struct nlattr *attr;
	uint32_t type = 0;
	struct counter c = { 0 }, *room;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg)) {
		uint16_t what = mnl_attr_get_type(attr);

		if (what == NFTA_OBJ_TYPE)
			type = nfnetlink_u32(attr);
		else if (what == NFTA_OBJ_TABLE && !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
			table = mnl_attr_get_str(attr);
		else if (what == NFTA_OBJ_NAME && !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
			name = mnl_attr_get_str(attr);
		else if (what == NFTA_OBJ_DATA)
			read_counter(attr, &c);
	}
	if (type != NFT_OBJECT_COUNTER || !name || strcmp(table, OUR_TABLE) != 0)
		return 0;
	c.name = strdup(name);
	room = c.name ? VEC_PUSH(all->v, all->count) : NULL;
	if (!room) {
		free(c.name);
		return -ENOMEM;
	}
	*room = c;
	return 0;
}

static void restart_counters(void *ctx)
{
	struct counters *all = ctx;

	counters_done(all->v, all->count);
	*all = (struct counters){ 0 };
}

int nft_counters(struct counter **ret, size_t *ret_count)
{
	char buf[128];
	struct counters all = { 0 };
	const struct netlink_reader reader = { each_counter, restart_counters, &all };
	struct nlmsghdr *nlh = nfnetlink_request(buf, NFNL_SUBSYS_NFTABLES, NFT_MSG_GETOBJ,
						 NFPROTO_INET);
	int err;

	/* The kernel filters, so that others' counters cost nothing. */
	mnl_attr_put_strz(nlh, NFTA_OBJ_TABLE, OUR_TABLE);
	mnl_attr_put_u32(nlh, NFTA_OBJ_TYPE, htobe32(NFT_OBJECT_COUNTER));
	err = ask(nlh, &reader);
	if (err < 0) {
		restart_counters(&all);
		if (!nft_is_missing(err))
			return err;
	}
	*ret = all.v;
	*ret_count = all.count;
	return 0;
}

void counters_done(struct counter *v, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(v[i].name);
	free(v);
}
