/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a rule of nftables writes into marks: followed through its registers, bit by bit. iptables-
 * nft's own targets are rules, too.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_mark.h>
#include <string.h>
#include <sys/param.h>

#include "kernel/doctor.h"
#include "kernel/nfnetlink.h"

/* Linux 6.13 has operations on two registers; older headers don't name them. */
enum { BITWISE_AND = 3, BITWISE_OR = 4, BITWISE_XOR = 5, BITWISE_SREG2 = 8 };

/* Of 4 bytes each. */
#define REGISTERS 16

struct machine {
	struct mark_bits registers[REGISTERS];
	int (*each)(const struct mark_write *w, void *ctx);
	void *ctx;
};

#define ATTRIBUTES 16

/* The attributes of an expression, by type; those that are too new stay NULL. */
struct attributes {
	const struct nlattr *v[ATTRIBUTES];
};

static struct attributes read_attributes(const struct nlattr *nest)
{
	struct attributes a = { { NULL } };
	struct nlattr *attr;

	if (nest)
		mnl_attr_for_each_nested(attr, nest) if (mnl_attr_get_type(attr) < ATTRIBUTES)
			a.v[mnl_attr_get_type(attr)] = attr;
	return a;
}

static uint32_t number(const struct nlattr *attr)
{
	return attr ? nfnetlink_u32(attr) : 0;
}

/* NULL: none, or not one that a mark is in. */
static struct mark_bits *find_register(struct machine *m, const struct nlattr *attr)
{
	uint32_t r = number(attr);

	/* Four old ones of 16 bytes are the same memory as the sixteen of 4. */
	if (r >= NFT_REG_1 && r <= NFT_REG_4)
		return &m->registers[(r - NFT_REG_1) * 4];
	if (r >= NFT_REG32_00 && r < NFT_REG32_00 + REGISTERS)
		return &m->registers[r - NFT_REG32_00];
	return NULL;
}

/* Data of registers is in the order of bytes that marks have. False where there is none, or not
 * of that size. */
static bool read_data(const struct nlattr *attr, uint32_t *ret)
{
	struct attributes a = read_attributes(attr);
	const struct nlattr *value = a.v[NFTA_DATA_VALUE];

	if (!value || mnl_attr_get_payload_len(value) < sizeof(*ret))
		return false;
	memcpy(ret, mnl_attr_get_payload(value), sizeof(*ret));
	return true;
}

static int write_mark(const struct machine *m, bool to_connection, const struct mark_bits *what)
{
	const struct mark_write w = { .to_connection = to_connection, .what = *what };

	return m->each(&w, m->ctx);
}

/* ---- arithmetic ---- */

static struct mark_bits fixed_bits(uint32_t value)
{
	return (struct mark_bits){ .fixed = UINT32_MAX, .value = value };
}

/* (v & mask) ^ flip */
static struct mark_bits mask_bits(const struct mark_bits *v, uint32_t mask, uint32_t flip)
{
	return (struct mark_bits){
		.packet = v->packet & mask & ~flip,
		.connection = v->connection & mask & ~flip,
		.fixed = ~mask | v->fixed,
		.value = (v->value & v->fixed & mask) ^ flip,
	};
}

static struct mark_bits choose_bits(const struct mark_bits *a, uint32_t from_a,
				    const struct mark_bits *b, uint32_t from_b)
{
	return (struct mark_bits){
		.packet = (a->packet & from_a) | (b->packet & from_b),
		.connection = (a->connection & from_a) | (b->connection & from_b),
		.fixed = (a->fixed & from_a) | (b->fixed & from_b),
		.value = (a->value & from_a) | (b->value & from_b),
	};
}

/* Where one of them is known to change nothing, the other one's bits; what is known on both
 * sides is known. */
static struct mark_bits combine_bits(uint32_t op, const struct mark_bits *a,
				     const struct mark_bits *b)
{
	uint32_t idle_a = a->fixed & (op == BITWISE_AND ? a->value : ~a->value);
	uint32_t idle_b = b->fixed & (op == BITWISE_AND ? b->value : ~b->value);
	uint32_t value = op == BITWISE_AND  ? a->value & b->value
			 : op == BITWISE_OR ? a->value | b->value
					    : a->value ^ b->value;
	struct mark_bits r = choose_bits(b, idle_a, a, idle_b & ~idle_a);
	uint32_t both = a->fixed & b->fixed;

	r.fixed |= both;
	r.value = (r.value & ~both) | (value & both);
	return r;
}

/* ---- expressions ---- */

static int do_immediate(struct machine *m, const struct attributes *a)
{
	struct mark_bits *to = find_register(m, a->v[NFTA_IMMEDIATE_DREG]);
	uint32_t value;

	if (to)
		*to = read_data(a->v[NFTA_IMMEDIATE_DATA], &value) ? fixed_bits(value)
								   : (struct mark_bits){ 0 };
	return 0;
}

static int do_meta(struct machine *m, const struct attributes *a)
{
	bool is_mark = number(a->v[NFTA_META_KEY]) == NFT_META_MARK;
	struct mark_bits *to = find_register(m, a->v[NFTA_META_DREG]),
			 *from = find_register(m, a->v[NFTA_META_SREG]);

	if (to)
		*to = (struct mark_bits){ .packet = is_mark ? UINT32_MAX : 0 };
	return from && is_mark ? write_mark(m, false, from) : 0;
}

static int do_ct(struct machine *m, const struct attributes *a)
{
	bool is_mark = number(a->v[NFTA_CT_KEY]) == NFT_CT_MARK;
	struct mark_bits *to = find_register(m, a->v[NFTA_CT_DREG]),
			 *from = find_register(m, a->v[NFTA_CT_SREG]);

	if (to)
		*to = (struct mark_bits){ .connection = is_mark ? UINT32_MAX : 0 };
	return from && is_mark ? write_mark(m, true, from) : 0;
}

static int do_bitwise(struct machine *m, const struct attributes *a)
{
	struct mark_bits *from = find_register(m, a->v[NFTA_BITWISE_SREG]),
			 *to = find_register(m, a->v[NFTA_BITWISE_DREG]);
	struct mark_bits *second = find_register(m, a->v[BITWISE_SREG2]);
	uint32_t op = number(a->v[NFTA_BITWISE_OP]), mask, flip;

	if (!from || !to)
		return 0;
	if (op == NFT_BITWISE_BOOL && read_data(a->v[NFTA_BITWISE_MASK], &mask) &&
	    read_data(a->v[NFTA_BITWISE_XOR], &flip))
		*to = mask_bits(from, mask, flip);
	else if (op >= BITWISE_AND && op <= BITWISE_XOR && second)
		*to = combine_bits(op, from, second);
	else
		*to = (struct mark_bits){ 0 };
	return 0;
}

/* (mark & ~mask) ^ value, of which only `mask` may differ */
static int write_masked(const struct machine *m, bool to_connection, uint32_t mask, uint32_t value)
{
	const struct mark_bits old = to_connection ? (struct mark_bits){ .connection = UINT32_MAX }
						   : (struct mark_bits){ .packet = UINT32_MAX };
	const struct mark_bits new = mask_bits(&old, ~mask, value);

	return write_mark(m, to_connection, &new);
}

/* (one & ~clear) ^ (other & take): what is taken from the other mark lies where the own one was
 * cleared, or is not known. */
static int write_copied(const struct machine *m, bool to_connection, uint32_t clear, uint32_t take)
{
	const struct mark_bits one = { .packet = to_connection ? 0 : UINT32_MAX,
				       .connection = to_connection ? UINT32_MAX : 0 };
	const struct mark_bits other = { .packet = one.connection, .connection = one.packet };
	const struct mark_bits kept = mask_bits(&one, ~clear, 0),
			       taken = mask_bits(&other, take, 0);
	const struct mark_bits new = combine_bits(BITWISE_XOR, &kept, &taken);

	return write_mark(m, to_connection, &new);
}

static int do_connmark(const struct machine *m, const struct xt_connmark_tginfo2 *info)
{
	const struct mark_bits unknown = { 0 };

	if (info->shift_bits)
		return write_mark(m, info->mode != XT_CONNMARK_RESTORE, &unknown);
	switch (info->mode) {
	case XT_CONNMARK_SET: return write_masked(m, true, info->ctmask, info->ctmark);
	case XT_CONNMARK_SAVE: return write_copied(m, true, info->ctmask, info->nfmask);
	case XT_CONNMARK_RESTORE: return write_copied(m, false, info->nfmask, info->ctmask);
	default: return 0;
	}
}

static int do_target(struct machine *m, const struct attributes *a)
{
	const struct nlattr *name = a->v[NFTA_TARGET_NAME], *info = a->v[NFTA_TARGET_INFO];
	struct xt_connmark_tginfo2 connmark = { 0 }; /* the one before lacks the shift at its end */
	struct xt_mark_tginfo2 mark;

	if (!name || !info || mnl_attr_validate(name, MNL_TYPE_NUL_STRING) < 0)
		return 0;
	if (strcmp(mnl_attr_get_str(name), "MARK") == 0 &&
	    mnl_attr_get_payload_len(info) >= sizeof(mark)) {
		memcpy(&mark, mnl_attr_get_payload(info), sizeof(mark));
		return write_masked(m, false, mark.mask, mark.mark);
	}
	if (strcmp(mnl_attr_get_str(name), "CONNMARK") == 0 &&
	    mnl_attr_get_payload_len(info) >= offsetof(struct xt_connmark_tginfo2, shift_dir)) {
		memcpy(&connmark, mnl_attr_get_payload(info),
		       MIN(sizeof(connmark), mnl_attr_get_payload_len(info)));
		return do_connmark(m, &connmark);
	}
	return 0;
}

static int do_expression(struct machine *m, const struct nlattr *expression)
{
	static const struct {
		const char *name;
		int (*run)(struct machine *m, const struct attributes *a);
	} known[] = {
		{ "immediate", do_immediate }, { "meta", do_meta },	{ "ct", do_ct },
		{ "bitwise", do_bitwise },     { "target", do_target },
	};
	struct attributes e = read_attributes(expression), a = read_attributes(e.v[NFTA_EXPR_DATA]);
	const struct nlattr *name = e.v[NFTA_EXPR_NAME];

	if (!name || mnl_attr_validate(name, MNL_TYPE_NUL_STRING) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i].name, mnl_attr_get_str(name)) == 0)
			return known[i].run(m, &a);
	/* It may have written any register. */
	memset(m->registers, 0, sizeof(m->registers));
	return 0;
}

int nft_rule_writes(const struct nlmsghdr *nlh, int (*each)(const struct mark_write *w, void *ctx),
		    void *ctx)
{
	struct machine m = { .each = each, .ctx = ctx };
	struct nlattr *attr, *expression;

	if (nlh->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE) ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(struct nfgenmsg))
		return -EBADMSG;
	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attr) != NFTA_RULE_EXPRESSIONS)
			continue;
		mnl_attr_for_each_nested(expression, attr)
		{
			int r = do_expression(&m, expression);

			if (r)
				return r;
		}
	}
	return 0;
}
