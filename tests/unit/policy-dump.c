/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A struct config as text: one line for each object, everything that is not its default.
 */
#include "tests/unit/policy-dump.h"

#include <inttypes.h>
#include <string.h>

static void dump_ranges(struct strbuf *out, const char *sign,
			const struct addr_ranges lists[FAMILY_COUNT])
{
	char text[RANGE_TEXT_SIZE];

	for (int f = 0; f < FAMILY_COUNT; f++)
		for (size_t i = 0; i < lists[f].count; i++)
			strbuf_printf(out, " %s%s", sign, addr_range_print(&lists[f].v[i], text));
}

static void dump_addresses(struct strbuf *out, const struct config *c, const char *key,
			   const struct addr_match *m)
{
	if (!m->given)
		return;
	strbuf_printf(out, "; %s", key);
	dump_ranges(out, "", m->yes);
	dump_ranges(out, "!", m->no);
	for (size_t i = 0; i < m->set_count; i++)
		strbuf_printf(out, " %s@%s", m->sets[i].negated ? "!" : "",
			      c->sets[m->sets[i].set].name);
}

static void dump_numbers(struct strbuf *out, const char *key, const struct number_match *m)
{
	const struct numbers *lists[] = { &m->yes, &m->no };

	if (!m->given)
		return;
	strbuf_printf(out, "; %s", key);
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < lists[k]->count; i++) {
			struct number_range r = lists[k]->v[i];

			strbuf_printf(out, " %s%" PRIu32, k ? "!" : "", r.from);
			if (r.to != r.from)
				strbuf_printf(out, "-%" PRIu32, r.to);
		}
}

static void dump_names(struct strbuf *out, const char *key, const struct name_match *m)
{
	if (m->count)
		strbuf_printf(out, "; %s", key);
	for (size_t i = 0; i < m->count; i++)
		strbuf_printf(out, " %s%s", m->v[i].negated ? "!" : "", m->v[i].text);
}

static void dump_action(struct strbuf *out, const struct policy *p)
{
	static const char *const actions[] = { "via",	      "balance",  "table",    "main",
					       "unreachable", "prohibit", "blackhole" };
	static const char *const otherwises[] = { "main", "next", "unreachable", "prohibit",
						  "blackhole" };

	strbuf_printf(out, "; %s", actions[p->action]);
	for (size_t i = 0; i < p->member_count; i++) {
		strbuf_printf(out, " %s", p->members[i].name);
		if (p->action == ACTION_BALANCE)
			strbuf_printf(out, "*%" PRIu32, p->members[i].weight);
	}
	if (p->action == ACTION_TABLE)
		strbuf_printf(out, " %" PRIu32, p->table);
	if (p->otherwise != OTHERWISE_MAIN)
		strbuf_printf(out, " otherwise %s%s", otherwises[p->otherwise],
			      policy_is_kill_switch(p) ? " (kill switch)" : "");
}

static void dump_policy(struct strbuf *out, const struct config *c, const struct policy *p)
{
	static const char *const origins[] = { "any", "local", "forwarded" };

	strbuf_printf(out, "policy %s (%s:%u)%s:", p->name, p->at.file, p->at.line,
		      p->enabled ? "" : " disabled");
	for (int f = 0; f < FAMILY_COUNT; f++)
		if (p->family[f])
			strbuf_printf(out, " %s", family_name(f));
	dump_addresses(out, c, "from", &p->from);
	dump_addresses(out, c, "to", &p->to);
	dump_names(out, "in", &p->in);
	if (p->origin != ORIGIN_ANY)
		strbuf_printf(out, "; origin %s", origins[p->origin]);
	dump_numbers(out, "protocol", &p->protocol);
	dump_numbers(out, "sport", &p->sport);
	dump_numbers(out, "dport", &p->dport);
	dump_numbers(out, "user", &p->user);
	dump_numbers(out, "group", &p->group);
	dump_names(out, "cgroup", &p->cgroup);
	dump_numbers(out, "dscp", &p->dscp);
	dump_names(out, "mac", &p->mac);
	for (size_t i = 0; i < p->mark.count; i++)
		strbuf_printf(out, "%s %s%#" PRIx32 "/%#" PRIx32, i ? "" : "; mark",
			      p->mark.v[i].negated ? "!" : "", p->mark.v[i].value,
			      p->mark.v[i].mask);
	dump_numbers(out, "hours", &p->hours);
	dump_numbers(out, "days", &p->days);
	dump_action(out, p);
	strbuf_add(out, "\n");
}

static void dump_gateway(struct strbuf *out, enum family f, const struct gateway *g)
{
	char text[ADDR_TEXT_SIZE];

	switch (g->kind) {
	case GATEWAY_AUTO: break;
	case GATEWAY_FIRST: strbuf_printf(out, "; %s gateway first", family_name(f)); break;
	case GATEWAY_NONE: strbuf_printf(out, "; %s gateway none", family_name(f)); break;
	case GATEWAY_ADDRESS:
		strbuf_printf(out, "; %s gateway %s", family_name(f), addr_print(&g->addr, text));
		break;
	}
}

static void dump_interface(struct strbuf *out, const struct interface *in)
{
	static const char *const symmetric[] = { "", "; not symmetric", "; symmetric" };
	static const char *const snat[] = { "", "; snat always", "; snat never" };

	strbuf_printf(out, "interface %s (%s:%u)%s", in->name, in->at.file, in->at.line,
		      in->is_glob ? " glob" : "");
	if (in->table)
		strbuf_printf(out, "; table %" PRIu32, in->table);
	for (int f = 0; f < FAMILY_COUNT; f++)
		dump_gateway(out, f, &in->gateway[f]);
	for (size_t i = 0; i < in->route_count; i++) {
		char dst[PREFIX_TEXT_SIZE], via[ADDR_TEXT_SIZE];

		strbuf_printf(out, "; route %s", prefix_print(&in->routes[i].dst, dst));
		if (in->routes[i].has_via)
			strbuf_printf(out, " via %s", addr_print(&in->routes[i].via, via));
	}
	strbuf_printf(out, "%s%s\n", symmetric[in->symmetric], snat[in->snat]);
}

void policy_dump(const struct config *c, struct strbuf *out)
{
	strbuf_printf(out,
		      "settings: mark_mask %#" PRIx32 "; rule_priority %" PRIu32
		      "; table_base %" PRIu32 "%s\n",
		      c->settings.mark_mask, c->settings.rule_priority, c->settings.table_base,
		      c->settings.rp_filter == RP_FILTER_KEEP ? "; rp_filter keep" : "");
	for (size_t i = 0; i < c->interface_count; i++)
		dump_interface(out, &c->interfaces[i]);
	for (size_t i = 0; i < c->set_count; i++) {
		const struct set *s = &c->sets[i];

		strbuf_printf(out, "set %s (%s:%u)%s", s->name, s->at.file, s->at.line,
			      s->dynamic ? " dynamic" : "");
		if (s->timeout)
			strbuf_printf(out, "; timeout %" PRIu32, s->timeout);
		dump_ranges(out, "", s->elements);
		strbuf_add(out, "\n");
	}
	for (size_t i = 0; i < c->policy_count; i++)
		dump_policy(out, c, &c->policies[i]);
}
