/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Routes and rules as values: total orders over everything that can be set, and the words in which
 * `ip` takes them.
 */
#include "plan/objects.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "plan/facts.h"

int route_slot_compare(const struct route *a, const struct route *b)
{
	return CMP(a->family, b->family) ?: CMP(a->table, b->table) ?: prefix_compare(&a->dst, &b->dst) ?:
	       CMP(a->metric, b->metric);
}

int route_compare(const struct route *a, const struct route *b)
{
	return route_slot_compare(a, b) ?: CMP(a->type, b->type) ?: CMP(a->protocol, b->protocol) ?:
	       CMP(a->scope, b->scope) ?: CMP(a->has_gateway, b->has_gateway) ?:
	       (a->has_gateway ? addr_compare(&a->gateway, &b->gateway) : 0) ?: CMP(a->oif, b->oif) ?:
	       CMP(a->onlink, b->onlink) ?: CMP(a->mtu, b->mtu) ?: CMP(a->has_src, b->has_src) ?:
	       (a->has_src ? addr_compare(&a->src, &b->src) : 0);
}

bool route_same_slot(const struct route *a, const struct route *b)
{
	return route_slot_compare(a, b) == 0;
}

static int compare_ranges(const struct number_range *a, const struct number_range *b)
{
	return CMP(a->from, b->from) ?: CMP(a->to, b->to);
}

static int compare_selectors(const struct rule *a, const struct rule *b)
{
	return CMP(a->invert, b->invert) ?: prefix_compare(&a->src, &b->src) ?: prefix_compare(&a->dst, &b->dst) ?:
	       CMP(a->fwmark, b->fwmark) ?: CMP(a->fwmask, b->fwmask) ?: strcmp(a->iif, b->iif) ?:
	       strcmp(a->oif, b->oif) ?: CMP(a->has_uids, b->has_uids) ?: compare_ranges(&a->uids, &b->uids) ?:
	       CMP(a->ip_protocol, b->ip_protocol) ?: compare_ranges(&a->sport, &b->sport) ?:
	       compare_ranges(&a->dport, &b->dport) ?: CMP(a->has_other, b->has_other);
}

int rule_compare(const struct rule *a, const struct rule *b)
{
	return CMP(a->family, b->family) ?: CMP(a->priority, b->priority) ?: compare_selectors(a, b) ?:
	       CMP(a->action, b->action) ?: CMP(a->table, b->table) ?: CMP(a->target, b->target) ?:
	       CMP(a->has_suppress, b->has_suppress) ?: CMP(a->suppress, b->suppress) ?:
	       CMP(a->protocol, b->protocol);
}

#define SHELL_PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%"

static void print_plain(const char *word, const char *plain, struct strbuf *out)
{
	const char *next;

	if (*word && strspn(word, plain) == strlen(word)) {
		strbuf_add(out, word);
		return;
	}
	strbuf_add(out, "'");
	for (; (next = strchr(word, '\'')); word = next + 1) {
		CLEANUP(strbuf_done) struct strbuf part = { 0 };

		strbuf_add_bytes(&part, word, next - word);
		strbuf_add_visible(out, part.text ?: "");
		strbuf_add(out, "'\\''");
	}
	strbuf_add_visible(out, word);
	strbuf_add(out, "'");
}

void word_print(const char *word, struct strbuf *out)
{
	print_plain(word, SHELL_PLAIN, out);
}

void words_print(const char *words, struct strbuf *out)
{
	print_plain(words, SHELL_PLAIN " ", out);
}

static void print_type(uint8_t type, struct strbuf *out)
{
	static const char *const names[] = {
		[RTN_LOCAL] = "local",		  [RTN_BROADCAST] = "broadcast",
		[RTN_ANYCAST] = "anycast",	  [RTN_MULTICAST] = "multicast",
		[RTN_BLACKHOLE] = "blackhole",	  [RTN_UNREACHABLE] = "unreachable",
		[RTN_PROHIBIT] = "prohibit",	  [RTN_THROW] = "throw",
	};

	if (type == RTN_UNICAST || type == RTN_UNSPEC)
		return;
	if (type < ARRAY_SIZE(names) && names[type])
		strbuf_printf(out, "%s ", names[type]);
	else
		strbuf_printf(out, "%u ", type);
}

/* `ip` takes link for an IPv4 unicast route without a gateway when it is not told. */
static void print_scope(const struct route *r, struct strbuf *out)
{
	bool taken_as_link = (r->type == RTN_UNICAST || r->type == RTN_UNSPEC) && !r->has_gateway;

	if (r->family == FAMILY_IPV6 || (r->scope == RT_SCOPE_UNIVERSE && !taken_as_link))
		return;
	switch (r->scope) {
	case RT_SCOPE_UNIVERSE: strbuf_add(out, " scope global"); break;
	case RT_SCOPE_SITE:     strbuf_add(out, " scope site"); break;
	case RT_SCOPE_LINK:     strbuf_add(out, " scope link"); break;
	case RT_SCOPE_HOST:     strbuf_add(out, " scope host"); break;
	case RT_SCOPE_NOWHERE:  strbuf_add(out, " scope nowhere"); break;
	default:                strbuf_printf(out, " scope %u", r->scope); break;
	}
}

/* As `ip` calls the kernel's own, with or without a file of names. */
static void print_table(const char *key, uint32_t table, struct strbuf *out)
{
	strbuf_printf(out, " %s ", key);
	switch (table) {
	case RT_TABLE_DEFAULT: strbuf_add(out, "default"); break;
	case RT_TABLE_MAIN:    strbuf_add(out, "main"); break;
	case RT_TABLE_LOCAL:   strbuf_add(out, "local"); break;
	default:               strbuf_printf(out, "%u", table); break;
	}
}

static void print_prefix(const struct prefix *p, struct strbuf *out)
{
	char text[PREFIX_TEXT_SIZE];

	strbuf_add(out, p->len == 0 ? "default" : prefix_print(p, text));
}

void route_print(const struct route *r, const struct links *links, struct strbuf *out)
{
	const struct link *link = r->oif ? links_by_index(links, r->oif) : NULL;
	char text[ADDR_TEXT_SIZE];

	print_type(r->type, out);
	print_prefix(&r->dst, out);
	if (r->has_gateway)
		strbuf_printf(out, " via %s%s",
			      r->gateway.family == r->family     ? "" :
			      r->gateway.family == FAMILY_IPV6 ? "inet6 " :
								 "inet ",
			      addr_print(&r->gateway, text));
	if (link) {
		strbuf_add(out, " dev ");
		word_print(link->name, out);
	} else if (r->oif) {
		/* How `ip` itself writes an index without a name, and reads it. */
		strbuf_printf(out, " dev if%u", r->oif);
	}
	if (r->onlink)
		strbuf_add(out, " onlink");
	strbuf_printf(out, " proto %u", r->protocol);
	print_scope(r, out);
	if (r->has_src)
		strbuf_printf(out, " src %s", addr_print(&r->src, text));
	if (r->metric)
		strbuf_printf(out, " metric %u", r->metric);
	if (r->mtu)
		strbuf_printf(out, " mtu %u", r->mtu);
	print_table("table", r->table, out);
}

static void print_interface(const char *key, const char *name, struct strbuf *out)
{
	if (!*name)
		return;
	strbuf_printf(out, " %s ", key);
	word_print(name, out);
}

static void print_ports(const char *key, const struct number_range *r, struct strbuf *out)
{
	if (r->from == 0 && r->to == 0)
		return;
	strbuf_printf(out, " %s %u", key, r->from);
	if (r->to != r->from)
		strbuf_printf(out, "-%u", r->to);
}

static void print_action(const struct rule *r, struct strbuf *out)
{
	switch (r->action) {
	case RULE_LOOKUP:      print_table("lookup", r->table, out); break;
	case RULE_GOTO:        strbuf_printf(out, " goto %u", r->target); break;
	case RULE_NOP:         strbuf_add(out, " nop"); break;
	case RULE_UNREACHABLE: strbuf_add(out, " unreachable"); break;
	case RULE_PROHIBIT:    strbuf_add(out, " prohibit"); break;
	case RULE_BLACKHOLE:   strbuf_add(out, " blackhole"); break;
	case RULE_OTHER:       strbuf_add(out, " (another action)"); break;
	}
}

void rule_print(const struct rule *r, struct strbuf *out)
{
	char text[PREFIX_TEXT_SIZE];

	if (r->invert)
		strbuf_add(out, "not ");
	strbuf_printf(out, "from %s", r->src.len ? prefix_print(&r->src, text) : "all");
	if (r->dst.len)
		strbuf_printf(out, " to %s", prefix_print(&r->dst, text));
	if (r->fwmask)
		strbuf_printf(out, " fwmark %#x/%#x", r->fwmark, r->fwmask);
	print_interface("iif", r->iif, out);
	print_interface("oif", r->oif, out);
	if (r->has_uids)
		strbuf_printf(out, " uidrange %u-%u", r->uids.from, r->uids.to);
	if (r->ip_protocol)
		strbuf_printf(out, " ipproto %u", r->ip_protocol);
	print_ports("sport", &r->sport, out);
	print_ports("dport", &r->dport, out);
	print_action(r, out);
	if (r->has_suppress)
		strbuf_printf(out, " suppress_prefixlength %u", r->suppress);
	if (r->has_other)
		strbuf_add(out, " (and more)");
	strbuf_printf(out, " proto %u priority %u", r->protocol, r->priority);
}
