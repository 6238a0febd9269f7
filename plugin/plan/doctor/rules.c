/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Other people's routing rules and routes: ahead of ours, in our band, with our marks, in our
 * tables.
 */
#include "plan/doctor/doctor.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "plan/internal.h"
#include "plan/explain/streams.h"

/* A rule that is added without a priority takes the place just ahead of the first one: several
 * of them, several places. */
#define WITHOUT_PRIORITY 16

struct examination {
	const struct plan *plan;
	struct streams streams;
	struct numbers tables;		/* ours */
	uint32_t first, last;		/* of our band */
	struct findings *ret;
};

/* How a rule takes a stream away. */
struct capture {
	const struct stream *stream;
	const struct route *route;	/* NULL: not by a route */
};

static bool is_foreign(const struct rule *r)
{
	return r->protocol != OUR_PROTOCOL &&
	       !(r->action == RULE_LOOKUP && r->table == RT_TABLE_LOCAL);
}

/* ---- what a foreign rule ahead of ours does to a stream ---- */

static bool is_never_steered(const struct prefix *dst)
{
	return addr_is_link_local(&dst->addr) ||
	       (dst->addr.family == FAMILY_IPV4 ? dst->addr.bytes[0] >> 4 == 14
						: dst->addr.bytes[0] == 0xff);
}

static bool is_managed(const struct plan *p, uint32_t link)
{
	for (size_t i = 0; i < p->path_count; i++)
		if (p->paths[i].link && p->paths[i].link->index == link)
			return true;
	return false;
}

/* Whether a packet of the stream that follows this route goes where it should not. */
static bool route_strays(const struct plan *p, const struct rule *r, const struct stream *s,
			 const struct route *t)
{
	if (t->type == RTN_THROW || (r->has_suppress && t->dst.len <= r->suppress) ||
	    is_never_steered(&t->dst))
		return false;
	if (!prefix_contains(&t->dst, &r->dst.addr) && !prefix_contains(&r->dst, &t->dst.addr))
		return false;
	if (!stream_goes_to(s, &t->dst) ||
	    (s->path ? t->oif && t->oif == s->path->link->index : r->table == s->table))
		return false;
	if (s->yields && r->table == RT_TABLE_MAIN && t->dst.len > 0)
		return false;
	/* Who comes in by an interface is not behind a bridge for containers or in a VPN's
	 * prefix: those may have rules. */
	return s->policy || t->dst.len == 0 || !t->oif || is_managed(p, t->oif);
}

/* An empty table says nothing now; whatever somebody puts there goes ahead of the policy. */
static bool table_captures(const struct plan *p, const struct rule *r, struct capture *c)
{
	bool is_empty = true;

	for (size_t i = 0; i < p->facts->route_count; i++) {
		const struct route *t = &p->facts->routes[i];

		if (t->family != r->family || t->table != r->table)
			continue;
		is_empty = false;
		if (route_strays(p, r, c->stream, t)) {
			c->route = t;
			return true;
		}
	}
	return is_empty;
}

static bool rule_captures(const struct examination *x, const struct rule *r, struct capture *c)
{
	switch (r->action) {
	case RULE_LOOKUP: return table_captures(x->plan, r, c);
	case RULE_GOTO: return r->target > x->first;
	case RULE_UNREACHABLE:
	case RULE_PROHIBIT:
	case RULE_BLACKHOLE: return true;
	case RULE_NOP:
	case RULE_OTHER: return false;
	}
	return false;
}

static bool find_capture(const struct examination *x, const struct rule *r, struct capture *ret)
{
	for (size_t i = 0; i < x->streams.count; i++) {
		struct capture c = { .stream = &x->streams.v[i] };

		/* Whoever names destinations means just those, also for replies. */
		if (!c.stream->policy && r->dst.len)
			continue;
		if (stream_meets(c.stream, r) != MEETING_NONE && rule_captures(x, r, &c)) {
			*ret = c;
			return true;
		}
	}
	return false;
}

/* ---- words ---- */

/* What stands in front of " proto ": the rest is said elsewhere, or of no interest. */
static void put_head(const struct strbuf *text, struct strbuf *b)
{
	const char *all = text->text ?: "", *end = strstr(all, " proto ");

	strbuf_add_bytes(b, all, end ? (size_t)(end - all) : strlen(all));
	b->failed |= text->failed;
}

static void put_rule(const struct rule *r, struct strbuf *b)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	rule_print(r, &text);
	strbuf_printf(b, "%s rule %u \"", r->family == FAMILY_IPV6 ? "IPv6" : "IPv4", r->priority);
	put_head(&text, b);
	strbuf_add(b, "\"");
}

static void put_route(const struct route *r, const struct links *links, struct strbuf *b)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	route_print(r, links, &text);
	strbuf_add(b, "\"");
	put_head(&text, b);
	strbuf_add(b, "\"");
}

static void put_stream(const struct stream *s, struct strbuf *b)
{
	if (s->policy)
		strbuf_printf(b, "traffic of policy \"%s\"", s->policy->name);
	else if (s->is_bound)
		strbuf_printf(b, "sockets bound to %s", s->path->name);
	else
		strbuf_printf(b, "replies to what came in by %s", s->path->name);
}

static void put_capture(const struct plan *p, const struct rule *r, const struct capture *c,
			struct strbuf *b)
{
	if (r->action == RULE_GOTO)
		strbuf_printf(b, ": it jumps to %u", r->target);
	else if (r->action == RULE_LOOKUP && !c->route)
		strbuf_printf(b, ": table %u has no route now, but what is put there goes first",
			      r->table);
	else if (c->route) {
		if (r->table == MAIN_TABLE)
			strbuf_add(b, ": main has ");
		else
			strbuf_printf(b, ": table %u has ", r->table);
		put_route(c->route, &p->facts->links, b);
	}
}

static const char *text_of(const struct strbuf *b)
{
	return b->text ?: "";
}

/* ---- rules ---- */

static void cure_ahead(const struct examination *x, const struct rule *r, struct strbuf *b)
{
	strbuf_printf(b, "give it a priority behind %u", x->last);
	if (r->priority > RULE_BAND_SIZE)
		strbuf_printf(b, ", or ifsteer one ahead of it: settings = { rule_priority = %u; }",
			      r->priority - RULE_BAND_SIZE);
	if (x->first - r->priority <= WITHOUT_PRIORITY)
		strbuf_add(b, "; a rule that is added without a priority lands ahead of all "
			      "others: name one, or for wg-quick "
			      "say `Table = off` and write a policy with `via`");
}

static bool examine_ahead(const struct examination *x, const struct rule *r)
{
	CLEANUP(strbuf_done) struct strbuf what = { 0 };
	CLEANUP(strbuf_done) struct strbuf cure = { 0 };
	struct capture c;

	if (r->priority >= x->first || !find_capture(x, r, &c))
		return false;
	put_rule(r, &what);
	strbuf_add(&what, " stands ahead of ours and catches ");
	put_stream(c.stream, &what);
	put_capture(x->plan, r, &c, &what);
	cure_ahead(x, r, &cure);
	findings_add(x->ret, false, text_of(&cure), "%s", text_of(&what));
	return true;
}

static bool examine_inside(const struct examination *x, const struct rule *r)
{
	CLEANUP(strbuf_done) struct strbuf what = { 0 };

	if (r->priority < x->first || r->priority > x->last)
		return false;
	put_rule(r, &what);
	findings_add(x->ret, false,
		     "give it a priority outside, or ifsteer another band: settings = { "
		     "rule_priority = ...; }",
		     "%s is not ours and stands inside our band, %u to %u", text_of(&what),
		     x->first, x->last);
	return true;
}

static bool examine_mark(const struct examination *x, const struct rule *r)
{
	CLEANUP(strbuf_done) struct strbuf what = { 0 };
	uint32_t ours = x->plan->config->settings.mark_mask;

	if (!(r->fwmark & r->fwmask & ours))
		return false;
	put_rule(r, &what);
	findings_add(x->ret, false,
		     "give ifsteer bits that nobody else uses: settings = { mark_mask = ...; }",
		     "%s is not ours and asks for bits of the mark that are, %#010x",
		     text_of(&what), ours);
	return true;
}

/* ---- tables ---- */

static int find_tables(struct examination *x)
{
	const struct plan *p = x->plan;
	int r = 0;

	for (size_t i = 0; i < p->path_count && r == 0; i++)
		r = numbers_add(&x->tables,
				(struct number_range){ p->paths[i].table, p->paths[i].table });
	for (size_t i = 0; i < p->route_count && r == 0; i++)
		r = numbers_add(&x->tables,
				(struct number_range){ p->routes[i].table, p->routes[i].table });
	numbers_normalise(&x->tables);
	return r;
}

/* "table 21002 of eth2" */
static void put_table(const struct plan *p, uint32_t table, struct strbuf *b)
{
	strbuf_printf(b, "table %u", table);
	for (size_t i = 0; i < p->path_count; i++)
		if (p->paths[i].table == table)
			strbuf_printf(b, " of %s", p->paths[i].name);
}

static const char cure_table[] = "give the interface another table: interfaces = ( { name = ...; "
				 "table = ...; } ), or all: settings = { table_base = ...; }";

static void examine_user(const struct examination *x, const struct rule *r)
{
	CLEANUP(strbuf_done) struct strbuf what = { 0 };

	if (r->action != RULE_LOOKUP || !numbers_contain(&x->tables, r->table))
		return;
	put_rule(r, &what);
	strbuf_add(&what, " is not ours and looks up ");
	put_table(x->plan, r->table, &what);
	findings_add(x->ret, false, cure_table, "%s", text_of(&what));
}

/* One finding for each table: routes are in the order of their families, then tables. */
static void examine_table(const struct examination *x, uint32_t table)
{
	const struct facts *f = x->plan->facts;
	CLEANUP(strbuf_done) struct strbuf what = { 0 };
	const struct route *first = NULL;
	size_t count = 0;

	for (size_t i = 0; i < f->route_count; i++) {
		if (f->routes[i].table != table || f->routes[i].protocol == OUR_PROTOCOL)
			continue;
		first = first ?: &f->routes[i];
		count++;
	}
	if (!count)
		return;
	put_table(x->plan, table, &what);
	strbuf_printf(&what, " has %zu route%s that %s not ours: ", count, count == 1 ? "" : "s",
		      count == 1 ? "is" : "are");
	put_route(first, &f->links, &what);
	findings_add(x->ret, false, cure_table, "%s%s", text_of(&what), count > 1 ? ", ..." : "");
}

void doctor_rules(const struct plan *p, struct findings *ret)
{
	uint32_t first = p->config->settings.rule_priority;
	struct examination x = {
		.plan = p, .first = first, .last = first + RULE_BAND_SIZE - 1, .ret = ret
	};

	if (streams_of(p, &x.streams) < 0 || find_tables(&x) < 0)
		ret->failed = true;
	for (size_t i = 0; i < p->facts->rule_count; i++) {
		const struct rule *r = &p->facts->rules[i];

		if (is_foreign(r) && !examine_inside(&x, r) && !examine_ahead(&x, r) &&
		    !examine_mark(&x, r))
			examine_user(&x, r);
	}
	for (size_t i = 0; i < x.tables.count; i++)
		for (uint64_t t = x.tables.v[i].from; t <= x.tables.v[i].to; t++)
			examine_table(&x, (uint32_t)t);
	streams_done(&x.streams);
	numbers_done(&x.tables);
}
