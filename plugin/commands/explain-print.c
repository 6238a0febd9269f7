/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ifsteer explain's answer: for a person, what happens in the first line and why below it; for
 * programs, JSON.
 */
#include <inttypes.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "commands/explain.h"
#include "commands/status.h"
#include "commands/wrapped.h"

#define LABEL "  %-12s "
#define LABEL_SIZE 32

/* ---- text ---- */

static void put_line(struct strbuf *out, const char *what, struct strbuf *text)
{
	char label[LABEL_SIZE];

	snprintf(label, sizeof(label), LABEL, what);
	put_wrapped(out, 0, label, text->text ? text->text : "");
	out->failed |= text->failed;
	strbuf_done(text);
}

static const char *refusal(enum action outcome)
{
	switch (outcome) {
	case ACTION_PROHIBIT:
		return " is prohibited";
	case ACTION_BLACKHOLE:
		return " is dropped silently";
	case ACTION_VIA:
	case ACTION_BALANCE:
	case ACTION_TABLE:
	case ACTION_MAIN:
	case ACTION_UNREACHABLE:
		break;
	}
	return " is unreachable";
}

/* "10.0.1.9 leaves by eth2 through 172.31.64.1 from 172.31.70.5" */
static void put_answer(const struct explanation *e, struct strbuf *b)
{
	char text[ADDR_TEXT_SIZE];

	strbuf_add(b, addr_print(&e->flow.dst, text));
	if (!e->link) {
		strbuf_add(b, refusal(e->outcome));
		return;
	}
	if (e->link->loopback) {
		strbuf_add(b, " is this host itself");
		return;
	}
	strbuf_printf(b, " leaves by %s", e->link->name);
	if (e->has_gateway)
		strbuf_printf(b, " through %s", addr_print(&e->gateway, text));
	if (e->has_source)
		strbuf_printf(b, " from %s", addr_print(&e->source, text));
}

/* Why a policy that takes the packet does not send it its own way. */
static const char *why_main(const struct explanation *e, const struct plan *p)
{
	const struct verdict *v = NULL;

	for (size_t i = 0; i < p->policy_count; i++)
		if (p->policies[i].policy == e->policy)
			v = &p->policies[i].verdict[e->flow.family];
	if (!v || e->outcome != ACTION_MAIN || e->policy->action == ACTION_MAIN)
		return "";
	if (v->dormant)
		return ", is dormant: no interface of it is usable, main decides";
	if (v->yields && e->way.route && e->way.route->dst.len > 0)
		return ", leaves this to main, which has a route of its own";
	return ", but another rule or an empty table comes before its way";
}

static void put_policy(const struct session *s, const struct explanation *e, struct strbuf *out)
{
	struct strbuf b = { 0 };

	if (!e->policy) {
		strbuf_add(&b, "none takes it");
	} else {
		strbuf_printf(&b, "%s, %s:%u", e->policy->name, e->policy->at.file,
			      e->policy->at.line);
		if (policy_is_kill_switch(e->policy))
			strbuf_add(&b, ", a kill switch");
		strbuf_add(&b, why_main(e, &s->plan));
	}
	put_line(out, "policy", &b);
	for (size_t i = 0; i < e->passed_over_count; i++) {
		const struct passed_over *p = &e->passed_over[i];

		strbuf_printf(&b, "%s: %s", p->policy->name, p->because);
		put_line(out, i ? "" : "passed over", &b);
	}
	if (e->note) {
		strbuf_add(&b, e->note);
		put_line(out, "note", &b);
	}
}

/* Then it goes no way, though the look-up before that found one. */
static bool is_refused_by_nftables(const struct explanation *e)
{
	return !e->link && !e->note && e->way.route && e->way.route->type == RTN_UNICAST;
}

static void put_way(const struct session *s, const struct explanation *e, struct strbuf *out)
{
	struct strbuf b = { 0 };

	if (e->mark) {
		strbuf_printf(&b, "0x%08" PRIx32, e->mark);
		put_line(out, "mark", &b);
	}
	if (is_refused_by_nftables(e))
		return;
	if (e->way.rule) {
		rule_print(e->way.rule, &b);
		put_line(out, "rule", &b);
	}
	if (e->way.route) {
		route_print(e->way.route, &s->facts.links, &b);
		if (e->way.is_one_of_several)
			strbuf_add(&b, " (one of several: the kernel chooses by a hash)");
		put_line(out, "route", &b);
	}
	if (e->link && e->is_unforeseen) {
		strbuf_add(&b, "the choice depends on the ports: say --sport and --dport");
		put_line(out, "balance", &b);
	}
}

static void put_source(const struct explanation *e, struct strbuf *out)
{
	char text[ADDR_TEXT_SIZE];
	struct strbuf b = { 0 };

	if (e->flow.has_src && !e->flow.forwarded) {
		strbuf_printf(&b, "%s is what getsockname() says", addr_print(&e->flow.src, text));
		if (e->is_rewritten)
			strbuf_add(&b, "; the packet is rewritten on its way out");
		put_line(out, "socket", &b);
	} else if (e->flow.has_src && !e->link->loopback) {
		strbuf_add(&b, addr_print(&e->flow.src, text));
		strbuf_add(&b, e->is_rewritten ? " is rewritten on its way out" :
			       " is kept, unless another nftables table rewrites it");
		put_line(out, "source", &b);
	}
	switch (e->reverse) {
	case REVERSE_UNASKED:
		return;
	case REVERSE_NONE:
		strbuf_add(&b, e->flow.family == FAMILY_IPV6 ? "passes (IPv6 has no rp_filter)"
							     : "passes (rp_filter is 0)");
		break;
	case REVERSE_LOOSE:
		strbuf_add(&b, "passes rp_filter (loose)");
		break;
	case REVERSE_STRICT:
		strbuf_add(&b, "passes rp_filter (strict)");
		break;
	case REVERSE_DROPPED:
		strbuf_printf(&b, "is dropped by rp_filter of %s", e->link->name);
		break;
	}
	put_line(out, "reply", &b);
}

static void put_after(const struct explanation *e, const struct aftermath *after,
		      struct strbuf *out)
{
	const struct explanation *then = &after->explanation;
	CLEANUP(strbuf_done) struct strbuf label = { 0 };
	struct strbuf b = { 0 };

	if (!after->plan)
		return;
	put_answer(then, &b);
	if (then->policy != e->policy)
		strbuf_printf(&b, ", %s%s", then->policy ? "by policy " : "as main says",
			      then->policy ? then->policy->name : "");
	strbuf_printf(&label, "without %s", e->link->name);
	put_line(out, label.text ? label.text : "", &b);
}

/* What is said holds for the policy; the kernel may not know it yet. */
static void put_sync(const struct session *s, struct strbuf *out)
{
	struct strbuf b = { 0 };

	if (!s->steps.count || s->options->facts)
		return;
	strbuf_add(&b, "once the kernel is in sync: `ifsteer diff` shows what is to change");
	put_line(out, "holds", &b);
}

void explain_text(const struct session *s, const struct explanation *e,
		  const struct aftermath *after, struct strbuf *out)
{
	struct strbuf b = { 0 };

	put_answer(e, &b);
	put_wrapped(out, 0, "", b.text ? b.text : "");
	out->failed |= b.failed;
	strbuf_done(&b);
	put_policy(s, e, out);
	put_way(s, e, out);
	if (e->link) {
		put_source(e, out);
		put_after(e, after, out);
	}
	put_sync(s, out);
}

/* ---- JSON ---- */

static void json_address(struct json *j, const char *key, const struct addr *a, bool has)
{
	char text[ADDR_TEXT_SIZE];

	json_string(j, key, has ? addr_print(a, text) : NULL);
}

/* A path may have more than one mark; in JSON it is known by the one that beats main, as in `status --json`. */
static uint32_t known_mark(const struct plan *p, uint32_t mark)
{
	mark &= p->config->settings.mark_mask;
	for (size_t i = 0; mark && i < p->path_count; i++)
		if (mark == p->paths[i].mark_yields || mark == p->paths[i].mark_kill)
			return p->paths[i].mark;
	return mark;
}

static void json_way(struct json *j, const struct explanation *e, const struct plan *p)
{
	uint32_t known = known_mark(p, e->mark);
	char mark[16];
	bool out = e->link != NULL;

	json_string(j, "interface", out ? e->link->name : NULL);
	json_address(j, "gateway", &e->gateway, out && e->has_gateway);
	json_address(j, "source", &e->source, out && e->has_source);
	json_address(j, "socket_source", &e->flow.src,
		     out && e->flow.has_src && !e->flow.forwarded);
	snprintf(mark, sizeof(mark), "0x%08" PRIx32, known);
	json_string(j, "mark", known ? mark : NULL);
	if (out)
		json_number(j, "table", e->way.route->table);
	else
		json_string(j, "table", NULL);
}

void explain_json(const struct session *s, const struct explanation *e, struct strbuf *out)
{
	CLEANUP(strbuf_done) struct strbuf where = { 0 };
	struct json j = { .out = out };

	if (e->policy)
		strbuf_printf(&where, "%s:%u", e->policy->at.file, e->policy->at.line);
	json_open(&j, NULL, '{');
	json_address(&j, "destination", &e->flow.dst, true);
	json_string(&j, "policy", e->policy ? e->policy->name : NULL);
	json_string(&j, "where", where.text);
	json_string(&j, "outcome", outcome_word(e->outcome));
	json_way(&j, e, &s->plan);
	json_open(&j, "passed_over", '[');
	for (size_t i = 0; i < e->passed_over_count; i++) {
		json_open(&j, NULL, '{');
		json_string(&j, "policy", e->passed_over[i].policy->name);
		json_string(&j, "because", e->passed_over[i].because);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
}
