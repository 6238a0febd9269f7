/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Steps as lines for a person, in the syntax of the tools that would take them.
 */
#include "plan/plan.h"

#include <errno.h>
#include <string.h>

#include "base/strbuf.h"

static const char *ip_command(enum family f)
{
	return f == FAMILY_IPV6 ? "ip -6" : "ip";
}

static void print_route(const char *verb, const struct route *r, const struct links *links, struct strbuf *out)
{
	strbuf_printf(out, "%s route %s ", ip_command(r->family), verb);
	route_print(r, links, out);
	strbuf_add(out, "\n");
}

static void print_rule(const char *verb, const struct rule *r, struct strbuf *out)
{
	strbuf_printf(out, "%s rule %s ", ip_command(r->family), verb);
	rule_print(r, out);
	strbuf_add(out, "\n");
}

/* Names may contain dots: then sysctl takes slashes for them. */
static void print_sysctl(const struct step *s, struct strbuf *out)
{
	char dot = strchr(s->of.sysctl.name, '.') ? '/' : '.';

	strbuf_printf(out, "sysctl -w net%cipv4%cconf%c", dot, dot, dot);
	word_print(s->of.sysctl.name, out);
	strbuf_printf(out, "%c%s=%u\n", dot, s->of.sysctl.src_valid_mark ? "src_valid_mark" : "rp_filter",
		      s->of.sysctl.value);
}

static int print_nft(const struct plan *p, struct strbuf *out)
{
	CLEANUP(nft_table_done) struct nft_table have = { 0 };
	int err = nft_parse(p->facts->nft, NULL, &have);

	return err ?: nft_diff(&have, &p->nft, out);
}

static int print_step(const struct plan *p, const struct step *s, struct strbuf *out)
{
	char text[ADDR_TEXT_SIZE];

	switch (s->kind) {
	case STEP_SYSCTL:
		strbuf_add(out, "+ ");
		print_sysctl(s, out);
		break;
	case STEP_ADD_ROUTE:
		strbuf_add(out, "+ ");
		print_route("add", &s->of.route, &p->facts->links, out);
		break;
	case STEP_REPLACE_ROUTE:
		strbuf_add(out, "+ ");
		print_route("replace", &s->of.route, &p->facts->links, out);
		break;
	case STEP_ADD_RULE:
		strbuf_add(out, "+ ");
		print_rule("add", &s->of.rule, out);
		break;
	case STEP_NFT_EDITS:
	case STEP_NFT:
		return s->of.nft.part == NFT_CHANGE ? print_nft(p, out) : 0;
	case STEP_DELETE_RULE:
		strbuf_add(out, "- ");
		print_rule("del", &s->of.rule, out);
		break;
	case STEP_DELETE_ROUTE:
		strbuf_add(out, "- ");
		print_route("del", &s->of.route, &p->facts->links, out);
		break;
	case STEP_RESTORE_SYSCTL:
		strbuf_add(out, "- ");
		print_sysctl(s, out);
		break;
	case STEP_FORGET_CONNECTIONS:
		strbuf_printf(out, "- conntrack -D -f %s -m %#x/%#x\n", family_name(s->of.connections.family),
			      s->of.connections.mark, s->of.connections.mask);
		break;
	case STEP_CLOSE_SOCKETS:
		strbuf_printf(out, "- ss -K src %s\n", addr_print(&s->of.socket_source, text));
		break;
	}
	return 0;
}

int plan_diff(const struct plan *p, const struct steps *s, struct strbuf *ret)
{
	int err = 0;

	for (size_t i = 0; i < s->count && !err; i++)
		err = print_step(p, &s->v[i], ret);
	return err ?: ret->failed ? -ENOMEM : 0;
}
