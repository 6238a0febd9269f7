/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a packet must look like for a policy to take it, as alternatives of nftables text. A policy's
 * selectors all hold; several addresses, sets, marks or cgroups are alternatives.
 */
#include "plan/match.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A condition of one selector that is not an alternative, as one text. */
static int multiply_text(struct texts *t, struct strbuf *b)
{
	char *text = strbuf_take(b);
	struct texts one = { &text, 1 };
	int r = text ? texts_multiply(t, &one) : -ENOMEM;

	free(text);
	return r;
}

static const char *address_expr(bool source, enum family f)
{
	if (f == FAMILY_IPV4)
		return source ? "ip saddr" : "ip daddr";
	return source ? "ip6 saddr" : "ip6 daddr";
}

/* A policy's name may begin with a digit; nft's may not. */
char *match_set_name(const char *word, bool source, bool negated, enum family f)
{
	char *name;

	return asprintf(&name, "policy_%s.%s%s_%c", word, negated ? "not_" : "", source ? "from" : "to",
			f == FAMILY_IPV4 ? '4' : '6') < 0 ? NULL : name;
}

static int add_list(struct texts *options, const struct policy_plan *pp, bool source, bool negated, enum family f)
{
	const struct addr_match *m = source ? &pp->policy->from : &pp->policy->to;
	const struct addr_ranges *list = negated ? &m->no[f] : &m->yes[f];
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	char *name;
	int r;

	if (list->count == 0)
		return 0;
	if (list->count <= INLINE_RANGES) {
		text_ranges(&b, address_expr(source, f), negated, list);
		return b.failed ? -ENOMEM : texts_add(options, "%s", b.text);
	}
	name = match_set_name(pp->word, source, negated, f);
	if (!name)
		return -ENOMEM;
	r = texts_add(options, "%s %s@%s ", address_expr(source, f), negated ? "!= " : "", name);
	free(name);
	return r;
}

static int add_address(const struct plan *p, const struct policy_plan *pp, bool source, enum family f, struct texts *t)
{
	const struct addr_match *m = source ? &pp->policy->from : &pp->policy->to;
	CLEANUP(texts_done) struct texts options = { 0 };
	CLEANUP(texts_done) struct texts except = { 0 };
	int r;

	if (!m->given)
		return 0;
	r = add_list(&options, pp, source, false, f);
	for (size_t i = 0; i < m->set_count && r == 0; i++)
		if (!m->sets[i].negated)
			r = texts_add(&options, "%s @%s_%c ", address_expr(source, f),
				      p->config->sets[m->sets[i].set].name, f == FAMILY_IPV4 ? '4' : '6');
	if (r == 0)
		r = texts_multiply(t, &options);
	if (r == 0)
		r = add_list(&except, pp, source, true, f);
	if (r == 0)
		r = texts_multiply(t, &except);
	for (size_t i = 0; i < m->set_count && r == 0; i++) {
		CLEANUP(texts_done) struct texts set = { 0 };

		if (!m->sets[i].negated)
			continue;
		r = texts_add(&set, "%s != @%s_%c ", address_expr(source, f),
			      p->config->sets[m->sets[i].set].name, f == FAMILY_IPV4 ? '4' : '6');
		if (r == 0)
			r = texts_multiply(t, &set);
	}
	return r;
}

/* Names for which nft has an expression of its own: "tcp dport" says the protocol, too. Elsewhere protocols are
 * numbers: for a name, libnftables asks the name service, which costs more than all the rest of an apply. */
static const char *transport(uint32_t protocol)
{
	switch (protocol) {
	case 6:
		return "tcp";
	case 17:
		return "udp";
	case 33:
		return "dccp";
	case 132:
		return "sctp";
	default:
		return NULL;
	}
}

static void put_match(struct strbuf *b, const char *expr, const struct number_match *m, const char *(*print)(uint32_t))
{
	if (m->yes.count)
		text_numbers(b, expr, false, &m->yes, print);
	if (m->no.count)
		text_numbers(b, expr, true, &m->no, print);
}

static void put_protocol(struct strbuf *b, const struct policy *pol)
{
	const struct numbers *yes = &pol->protocol.yes;
	const char *one = yes->count == 1 && yes->v[0].from == yes->v[0].to ? transport(yes->v[0].from) : NULL;
	char expr[16];

	if (!one || !(pol->sport.given || pol->dport.given))
		put_match(b, "meta l4proto", &pol->protocol, NULL);
	snprintf(expr, sizeof(expr), "%s sport", one ? one : "th");
	put_match(b, expr, &pol->sport, NULL);
	snprintf(expr, sizeof(expr), "%s dport", one ? one : "th");
	put_match(b, expr, &pol->dport, NULL);
}

const char *dscp_name(uint32_t code)
{
	static const char *const names[64] = {
		[0] = "cs0", [8] = "cs1", [16] = "cs2", [24] = "cs3", [32] = "cs4", [40] = "cs5", [48] = "cs6",
		[56] = "cs7", [10] = "af11", [12] = "af12", [14] = "af13", [18] = "af21", [20] = "af22",
		[22] = "af23", [26] = "af31", [28] = "af32", [30] = "af33", [34] = "af41", [36] = "af42",
		[38] = "af43", [46] = "ef",
	};

	return code < ARRAY_SIZE(names) ? names[code] : NULL;
}

/* Interfaces and hardware addresses. What nft can't say no packet can be matched by: left out, and -ENOENT
 * when nothing is left of the positive ones. */
static int put_names(struct strbuf *b, const char *expr, const struct name_match *m, bool negated)
{
	bool is_interface = expr[0] == 'i', wanted = false;
	struct strbuf list = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < m->count; i++) {
		char quoted[NAME_SIZE + 4];

		if (m->v[i].negated != negated)
			continue;
		wanted = true;
		if (is_interface && !name_quote(m->v[i].text, quoted))
			continue;
		strbuf_printf(&list, "%s%s", n++ ? ", " : "", is_interface ? quoted : m->v[i].text);
	}
	if (n)
		strbuf_printf(b, n > 1 ? "%s %s{ %s } " : "%s %s%s ", expr, negated ? "!= " : "", list.text);
	strbuf_done(&list);
	return wanted && !n && !negated ? -ENOENT : 0;
}

static int add_cgroups(const struct plan *p, const struct policy *pol, struct texts *t)
{
	CLEANUP(texts_done) struct texts options = { 0 };
	int r = 0;

	for (size_t i = 0; i < pol->cgroup.count && r == 0; i++) {
		const struct name *n = &pol->cgroup.v[i];
		CLEANUP(texts_done) struct texts except = { 0 };
		unsigned int level = 1;
		bool exists = false;

		for (size_t k = 0; k < p->facts->cgroup_count; k++)
			exists |= strcmp(p->facts->cgroups[k], n->text) == 0;
		if (!exists || strpbrk(n->text, "\"\n"))
			continue;	/* nft refuses a path that is not there; nothing runs in it either */
		for (const char *c = n->text; *c; c++)
			level += *c == '/';
		r = texts_add(n->negated ? &except : &options, "socket cgroupv2 level %u %s\"%s\" ", level,
			      n->negated ? "!= " : "", n->text);
		if (r == 0 && n->negated)
			r = texts_multiply(t, &except);
	}
	return r < 0 ? r : texts_multiply(t, &options);
}

/* nft drops a mask of all ones. */
static int add_mark(const struct mark_value *m, struct texts *t)
{
	const char *op = m->negated ? "!=" : "==";

	if (m->mask == UINT32_MAX)
		return texts_add(t, "meta mark %s 0x%08x ", op, m->value);
	return texts_add(t, "meta mark & 0x%08x %s 0x%08x ", m->mask, op, m->value);
}

static int add_marks(const struct policy *pol, struct texts *t)
{
	CLEANUP(texts_done) struct texts options = { 0 };
	int r = 0;

	for (size_t i = 0; i < pol->mark.count && r == 0; i++) {
		const struct mark_value *m = &pol->mark.v[i];
		CLEANUP(texts_done) struct texts except = { 0 };

		r = add_mark(m, m->negated ? &except : &options);
		if (r == 0 && m->negated)
			r = texts_multiply(t, &except);
	}
	return r < 0 ? r : texts_multiply(t, &options);
}

int match_policy(const struct plan *p, const struct policy_plan *pp, enum hook hook, enum family f, struct texts *ret)
{
	const struct policy *pol = pp->policy;
	struct strbuf b = { 0 };
	int r = add_address(p, pp, true, f, ret);

	if (r == 0)
		r = add_address(p, pp, false, f, ret);
	if (r == 0)
		r = add_cgroups(p, pol, ret);
	if (r == 0)
		r = add_marks(pol, ret);
	if (r == 0)
		r = match_times(p, pol, ret);
	if (r < 0)
		return r;
	if (hook == HOOK_FORWARDED) {
		r = put_names(&b, "iifname", &pol->in, false);
		(void)put_names(&b, "iifname", &pol->in, true);
	}
	if (r < 0) {
		strbuf_done(&b);
		return r;
	}
	put_protocol(&b, pol);
	/* Behind the protocol: nft lists them so, where `ip dscp` comes next. */
	if (hook == HOOK_FORWARDED) {
		(void)put_names(&b, "ether saddr", &pol->mac, false);
		(void)put_names(&b, "ether saddr", &pol->mac, true);
	}
	put_match(&b, "meta skuid", &pol->user, NULL);
	put_match(&b, "meta skgid", &pol->group, NULL);
	put_match(&b, f == FAMILY_IPV4 ? "ip dscp" : "ip6 dscp", &pol->dscp, dscp_name);
	return multiply_text(ret, &b);
}

const char *match_only_family(enum family f)
{
	return f == FAMILY_IPV4 ? "meta nfproto ipv4 " : "meta nfproto ipv6 ";
}

bool match_names_family(const struct policy *pol, enum family f)
{
	const struct addr_match *both[] = { &pol->from, &pol->to };

	for (size_t i = 0; i < ARRAY_SIZE(both); i++)
		if (both[i]->yes[f].count || both[i]->no[f].count || both[i]->set_count)
			return true;
	return pol->dscp.given;
}

bool match_needs_family(const struct policy *pol)
{
	return !pol->from.given && !pol->to.given && !pol->dscp.given;
}
