/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Everybody else's rules of nftables, looked through for marks. In two dumps of nfnetlink, since
 * libnftables would fetch the elements of all their sets, too.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "kernel/doctor.h"
#include "kernel/netlink.h"
#include "kernel/nfnetlink.h"

struct search {
	uint32_t mask;
	struct mark_writer *v;
	size_t count;
	struct mark_writer here; /* the rule at hand; its names are borrowed from the message */
	uint8_t family;
};

static const char *family_word(uint8_t family)
{
	switch (family) {
	case NFPROTO_INET: return "inet";
	case NFPROTO_IPV4: return "ip";
	case NFPROTO_IPV6: return "ip6";
	case NFPROTO_ARP: return "arp";
	case NFPROTO_BRIDGE: return "bridge";
	case NFPROTO_NETDEV: return "netdev";
	default: return "?";
	}
}

static char *text_of(const struct nlattr *attr)
{
	return mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0 ? NULL : mnl_attr_get_payload(attr);
}

static char *full_name(uint8_t family, const char *table)
{
	struct strbuf b = { 0 };

	strbuf_printf(&b, "%s %s", family_word(family), table);
	return strbuf_take(&b);
}

/* Whether it is this chain: "ip mangle" is family and table. */
static bool is_chain(const struct mark_writer *w, uint8_t family, const char *table,
		     const char *chain)
{
	const char *word = family_word(family);
	size_t len = strlen(word);

	return strncmp(w->table, word, len) == 0 && w->table[len] == ' ' &&
	       strcmp(w->table + len + 1, table) == 0 && strcmp(w->chain, chain) == 0;
}

/* ---- rules ---- */

static int each_write(const struct mark_write *write, void *ctx)
{
	struct search *s = ctx;
	struct mark_writer *w;

	if (mark_write_keeps(write, s->mask))
		return 0;
	/* A chain's rules come one after the other. */
	w = s->count ? &s->v[s->count - 1] : NULL;
	if (!w || !is_chain(w, s->family, s->here.table, s->here.chain)) {
		w = VEC_PUSH(s->v, s->count);
		if (!w)
			return -ENOMEM;
		w->table = full_name(s->family, s->here.table);
		w->chain = strdup(s->here.chain);
		if (!w->table || !w->chain)
			return -ENOMEM;
		w->handle = s->here.handle;
		w->write = *write;
	}
	w->count++;
	return 0;
}

static int each_rule(const struct nlmsghdr *nlh, void *ctx)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	struct search *s = ctx;
	struct nlattr *attr;

	s->family = nfg->nfgen_family;
	s->here = (struct mark_writer){ 0 };
	mnl_attr_for_each(attr, nlh, sizeof(*nfg))
	{
		switch (mnl_attr_get_type(attr)) {
		case NFTA_RULE_TABLE: s->here.table = text_of(attr); break;
		case NFTA_RULE_CHAIN: s->here.chain = text_of(attr); break;
		case NFTA_RULE_HANDLE: s->here.handle = nfnetlink_u64(attr); break;
		default: break;
		}
	}
	if (!s->here.table || !s->here.chain ||
	    (s->family == NFPROTO_INET && strcmp(s->here.table, OUR_TABLE) == 0))
		return 0;
	return nft_rule_writes(nlh, each_write, s);
}

static void restart_rules(void *ctx)
{
	struct search *s = ctx;
	struct host h = { .writers = s->v, .writer_count = s->count };

	host_done(&h);
	s->v = NULL;
	s->count = 0;
}

/* ---- where their chains are hooked ---- */

static void read_hook(const struct nlattr *nest, struct mark_writer *ret)
{
	struct nlattr *attr;

	ret->is_base = true;
	mnl_attr_for_each_nested(attr, nest)
	{
		if (mnl_attr_get_type(attr) == NFTA_HOOK_HOOKNUM)
			ret->hook = nfnetlink_u32(attr);
		else if (mnl_attr_get_type(attr) == NFTA_HOOK_PRIORITY)
			ret->priority = (int32_t)nfnetlink_u32(attr);
	}
}

static int each_chain(const struct nlmsghdr *nlh, void *ctx)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	const char *table = NULL, *chain = NULL;
	struct mark_writer hook = { 0 };
	struct search *s = ctx;
	struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(*nfg))
	{
		switch (mnl_attr_get_type(attr)) {
		case NFTA_CHAIN_TABLE: table = text_of(attr); break;
		case NFTA_CHAIN_NAME: chain = text_of(attr); break;
		case NFTA_CHAIN_HOOK: read_hook(attr, &hook); break;
		default: break;
		}
	}
	for (size_t i = 0; table && chain && hook.is_base && i < s->count; i++) {
		if (!is_chain(&s->v[i], nfg->nfgen_family, table, chain))
			continue;
		s->v[i].is_base = true;
		s->v[i].hook = hook.hook;
		s->v[i].priority = hook.priority;
	}
	return 0;
}

/* What was found stays: it is only found again. */
static void restart_chains(void *ctx)
{
	(void)ctx;
}

static int dump(struct netlink *n, uint8_t type, const struct netlink_reader *reader)
{
	char buf[128];

	return netlink_dump(n, nfnetlink_request(buf, NFNL_SUBSYS_NFTABLES, type, NFPROTO_UNSPEC),
			    reader);
}

int nft_find_writers(uint32_t mask, struct mark_writer **ret, size_t *ret_count)
{
	struct search s = { .mask = mask };
	const struct netlink_reader rules = { each_rule, restart_rules, &s },
				    chains = { each_chain, restart_chains, &s };
	struct netlink n = NETLINK_CLOSED;
	int err = netlink_open(&n, NETLINK_NETFILTER);

	if (err == 0)
		err = dump(&n, NFT_MSG_GETRULE, &rules);
	if (err == 0 && s.count)
		err = dump(&n, NFT_MSG_GETCHAIN, &chains);
	netlink_close(&n);
	/* A kernel without nf_tables has no rules. */
	if (err < 0) {
		restart_rules(&s);
		return err == -EOPNOTSUPP || err == -EINVAL || err == -EPROTONOSUPPORT ? 0 : err;
	}
	*ret = s.v;
	*ret_count = s.count;
	return 0;
}
