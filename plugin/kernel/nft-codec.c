/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Edits of sets as the bytes of one nfnetlink transaction, in the form that libnftables gives them, which
 * lists them and takes them back.
 */
#include "kernel/nft-codec.h"

#include <assert.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "base/strbuf.h"
#include "kernel/nfnetlink.h"
#include "plan/nft/nft.h"

/* The elements of a message are one attribute, whose length has 16 bits. */
#define ELEMENTS_SIZE 65000
#define ELEMENT_MAX 64
/* Beside them the names of table and set, each of at most 255 bytes. */
#define MESSAGE_SIZE (ELEMENTS_SIZE + 1024)

/* Numbers of libnftables' and libnftnl's, none of the kernel's. */
enum { LIBNFTABLES_IPV4_ADDR = 7, LIBNFTABLES_IPV6_ADDR = 8, LIBNFTABLES_BIG_ENDIAN = 2 };
enum { NOTE_KEY_BYTE_ORDER = 0, NOTE_ELEMENT_FLAGS = 1, LIBNFTNL_INTERVAL_OPEN = 1 };

struct batch {
	struct strbuf *out;
	const char *table;
	uint32_t set_id;		/* of the last set that was declared; tells them apart within a batch */
	size_t last;			/* where the last message begins */
	_Alignas(struct nlmsghdr) char message[MESSAGE_SIZE];
};

static void add_message(struct batch *b, const struct nlmsghdr *nlh)
{
	b->last = b->out->len;
	strbuf_add_bytes(b->out, (const char *)nlh, NLMSG_ALIGN(nlh->nlmsg_len));
}

static struct nlmsghdr *begin_message(struct batch *b, uint8_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = nfnetlink_request(b->message, NFNL_SUBSYS_NFTABLES, type,
						 NFPROTO_INET);

	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	return nlh;
}

/* NFNL_MSG_BATCH_BEGIN and _END are of no subsystem, but name the one that they are for. */
static void add_bracket(struct batch *b, uint16_t type)
{
	struct nlmsghdr *nlh = nfnetlink_request(b->message, NFNL_SUBSYS_NONE, (uint8_t)type,
						 AF_UNSPEC);
	struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);

	nlh->nlmsg_flags = NLM_F_REQUEST;
	nfg->res_id = htobe16(NFNL_SUBSYS_NFTABLES);
	add_message(b, nlh);
}

static void add_table(struct batch *b)
{
	struct nlmsghdr *nlh = begin_message(b, NFT_MSG_NEWTABLE, NLM_F_CREATE);

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, b->table);
	add_message(b, nlh);
}

static size_t key_size(enum family f)
{
	return family_bits(f) / 8;
}

/* What libnftables tells itself, and the kernel keeps for it: a type, a length, a number. */
static void put_note(struct nlmsghdr *nlh, uint16_t attribute, uint8_t type, uint32_t value)
{
	uint8_t note[2 + sizeof(value)] = { type, sizeof(value) };

	memcpy(note + 2, &value, sizeof(value));
	mnl_attr_put(nlh, attribute, sizeof(note), note);
}

static void add_set(struct batch *b, const struct nft_set *s)
{
	static const uint32_t types[FAMILY_COUNT] = { LIBNFTABLES_IPV4_ADDR,
						      LIBNFTABLES_IPV6_ADDR };
	struct nlmsghdr *nlh = begin_message(b, NFT_MSG_NEWSET, NLM_F_CREATE);

	mnl_attr_put_strz(nlh, NFTA_SET_TABLE, b->table);
	mnl_attr_put_strz(nlh, NFTA_SET_NAME, s->name);
	mnl_attr_put_u32(nlh, NFTA_SET_FLAGS, htobe32(NFT_SET_INTERVAL));
	mnl_attr_put_u32(nlh, NFTA_SET_KEY_TYPE, htobe32(types[s->family]));
	mnl_attr_put_u32(nlh, NFTA_SET_KEY_LEN, htobe32((uint32_t)key_size(s->family)));
	mnl_attr_put_u32(nlh, NFTA_SET_ID, htobe32(++b->set_id));
	put_note(nlh, NFTA_SET_USERDATA, NOTE_KEY_BYTE_ORDER, LIBNFTABLES_BIG_ENDIAN);
	add_message(b, nlh);
}

/* ---- elements ---- */

enum edge {
	EDGE_FIRST,			/* the first address of a range */
	EDGE_FIRST_OPEN,		/* of one that reaches to the last address there is */
	EDGE_BEHIND,			/* the first address behind a range */
};

static void add_element(struct nlmsghdr *nlh, const struct addr *a, enum edge edge)
{
	struct nlattr *element = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM), *key;

	if (edge == EDGE_BEHIND)
		mnl_attr_put_u32(nlh, NFTA_SET_ELEM_FLAGS, htobe32(NFT_SET_ELEM_INTERVAL_END));
	key = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_KEY);
	mnl_attr_put(nlh, NFTA_DATA_VALUE, key_size(a->family), a->bytes);
	mnl_attr_nest_end(nlh, key);
	if (edge == EDGE_FIRST_OPEN)
		put_note(nlh, NFTA_SET_ELEM_USERDATA, NOTE_ELEMENT_FLAGS, LIBNFTNL_INTERVAL_OPEN);
	mnl_attr_nest_end(nlh, element);
}

static void add_range(struct nlmsghdr *nlh, const struct addr_range *r)
{
	struct addr behind = r->to;

	if (!addr_next(&behind)) {
		add_element(nlh, &r->from, EDGE_FIRST_OPEN);
		return;
	}
	add_element(nlh, &r->from, EDGE_FIRST);
	add_element(nlh, &behind, EDGE_BEHIND);
}

static void add_ranges(struct batch *b, uint8_t type, const char *set,
		       const struct addr_ranges *list)
{
	for (size_t i = 0; i < list->count;) {
		struct nlmsghdr *nlh = begin_message(b, type,
						     type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0);
		struct nlattr *elements;

		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, b->table);
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set);
		elements = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
		while (i < list->count && nlh->nlmsg_len + 2 * ELEMENT_MAX <= ELEMENTS_SIZE)
			add_range(nlh, &list->v[i++]);
		mnl_attr_nest_end(nlh, elements);
		add_message(b, nlh);
	}
}

/* What goes first: the range that comes may be the same one, longer. */
static void add_edit(struct batch *b, const struct nft_edit *e)
{
	assert(strlen(e->set->name) < NFT_SET_MAXNAMELEN);
	if (e->is_new)
		add_set(b, e->set);
	add_ranges(b, NFT_MSG_DELSETELEM, e->set->name, &e->gone);
	add_ranges(b, NFT_MSG_NEWSETELEM, e->set->name, e->is_new ? &e->set->ranges : &e->fresh);
}

int nft_encode_edits(const char *table, const struct nft_edits *e, struct strbuf *ret)
{
	struct batch b = { .out = ret, .table = table };

	add_bracket(&b, NFNL_MSG_BATCH_BEGIN);
	if (e->new_table)
		add_table(&b);
	for (size_t i = 0; i < e->count; i++)
		add_edit(&b, &e->v[i]);
	/* The end has no answer: that the kernel got there is said by the answer to what is before it. */
	if (!ret->failed)
		((struct nlmsghdr *)(ret->text + b.last))->nlmsg_flags |= NLM_F_ACK;
	add_bracket(&b, NFNL_MSG_BATCH_END);
	return ret->failed ? -ENOMEM : 0;
}
