/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ifsteer status for a person: a table that fits 80 columns, with the reasons below what is not as
 * it should be.
 */
#include <inttypes.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/strbuf.h"
#include "commands/status.h"
#include "commands/wrapped.h"

enum tint { TINT_NONE, TINT_GOOD, TINT_WARN, TINT_BAD };

/* Text in a column of `width`, tinted; the escapes don't count. */
static void put_cell(struct strbuf *out, bool color, enum tint tint, int width, const char *text)
{
	static const char *const escapes[] = { "", "\033[32m", "\033[33m", "\033[31m" };

	if (color && tint != TINT_NONE)
		strbuf_add(out, escapes[tint]);
	strbuf_printf(out, "%-*s", width, text);
	if (color && tint != TINT_NONE)
		strbuf_add(out, "\033[0m");
}

/* At most 9 characters: "1234567", then "12345k", "12345M", … */
static const char *amount(uint64_t n, char buf[static 24])
{
	static const char units[] = "kMGTPE";
	int unit = -1;

	while (n >= 10000000) {
		n /= 1000;
		unit++;
	}
	if (unit < 0)
		snprintf(buf, 24, "%" PRIu64, n);
	else
		snprintf(buf, 24, "%" PRIu64 "%c", n, units[unit]);
	return buf;
}

static void put_amounts(struct strbuf *out, struct counter c)
{
	char packets[24], bytes[24];

	strbuf_printf(out, " %9s %9s\n", amount(c.packets, packets), amount(c.bytes, bytes));
}

/* ---- above the tables ---- */

static void put_origin(const struct status *st, struct strbuf *out)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	const struct session *s = st->session;

	switch (s->origin) {
	case ORIGIN_FILES:
		strbuf_add(&text, s->options->path ? s->options->path : POLICY_DEFAULT_DIR);
		break;
	case ORIGIN_ACCEPTED:
		strbuf_add(&text, "the files are in error; in force is what was accepted last");
		break;
	case ORIGIN_TRIAL:
		strbuf_printf(&text,
			      "a change on trial, put back in %" PRId64
			      " s unless `ifsteer confirm` comes",
			      (st->trial.deadline_ms - monotonic_ms()) / 1000);
		break;
	case ORIGIN_COPY: break;
	}
	put_wrapped(out, 0, "policy      ", text.text ? text.text : "");
}

static void put_sync(const struct status *st, struct strbuf *out)
{
	put_wrapped(out, 0, "kernel      ",
		    !st->session->steps.count ? "in sync" :
		    "out of sync: `ifsteer diff` shows what the next event, `ifsteer apply` or "
		    "ifsteer-watch.service will change");
}

/* The priorities of other tools' rules from `from` to `to`; the kernel's own three are
 * everywhere. */
static void add_others(const struct facts *f, uint32_t from, uint32_t to, const char *where,
		       struct strbuf *out)
{
	CLEANUP(numbers_done) struct numbers list = { 0 };

	for (size_t i = 0; i < f->rule_count; i++) {
		const struct rule *r = &f->rules[i];

		if (r->protocol == OUR_PROTOCOL || r->protocol == RTPROT_KERNEL ||
		    r->priority < from || r->priority > to)
			continue;
		if (numbers_add(&list, (struct number_range){ r->priority, r->priority }))
			out->failed = true;
	}
	numbers_normalise(&list);
	for (size_t i = 0; i < list.count; i++) {
		strbuf_printf(out, "%s%" PRIu32, i ? ", " : where, list.v[i].from);
		if (list.v[i].to != list.v[i].from)
			strbuf_printf(out, "-%" PRIu32, list.v[i].to);
	}
}

/* Where ours stand among everybody's. */
static void put_order(const struct status *st, struct strbuf *out)
{
	const struct facts *f = &st->session->facts;
	uint32_t first = st->session->config.settings.rule_priority;
	uint32_t last = first + RULE_BAND_SIZE - 1;
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	CLEANUP(strbuf_done) struct strbuf before = { 0 };

	add_others(f, 0, first - 1, "; other tools' ahead of them: ", &before);
	add_others(f, first, last, "; between them: ", &before);
	strbuf_printf(&text, "%" PRIu32 " to %" PRIu32 "%s", first, last,
		      before.text ? before.text : "; no other tool's ahead of them");
	add_others(f, last + 1, UINT32_MAX, "; behind: ", &text);
	if (before.len)
		strbuf_add(&text, " (`ifsteer doctor` says whether they are in the way)");
	out->failed |= text.failed || before.failed;
	put_wrapped(out, 0, "rules       ", text.text ? text.text : "");
}

/* Its first line is the time, its second what happened, all others are troubles. */
static void put_event(const struct status *st, struct strbuf *out)
{
	char *next = st->event, *line = strsep(&next, "\n"), when[64] = "?";
	long long seconds;
	struct tm tm;
	time_t t;

	if (!line || !next)
		return;
	if (sscanf(line, "%lld", &seconds) == 1) {
		t = (time_t)seconds;
		if (localtime_r(&t, &tm))
			strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	}
	put_wrapped(out, 0, "last event  ", when);
	while ((line = strsep(&next, "\n")))
		if (*line)
			put_wrapped(out, 12, "", line);
}

/* ---- interfaces ---- */

static void put_half(struct strbuf *out, const struct status *st, const struct path *p,
		     enum family f)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	const struct path_half *half = &p->half[f];
	const struct facts *facts = &st->session->facts;
	char addr[ADDR_TEXT_SIZE], label[8];

	for (size_t i = 0; i < half->address_count; i++) {
		unsigned int len = 0;

		for (size_t k = 0; p->link && k < facts->address_count; k++)
			if (facts->addresses[k].link == p->link->index &&
			    !addr_compare(&facts->addresses[k].addr, &half->addresses[i]))
				len = facts->addresses[k].len;
		strbuf_printf(&text, "%s/%u ", addr_print(&half->addresses[i], addr), len);
	}
	if (half->has_gateway)
		strbuf_printf(&text, "by %s", addr_print(&half->gateway, addr));
	else if (half->usable)
		strbuf_add(&text, "on-link");
	if (!half->usable)
		strbuf_printf(&text, "%snot usable: %s", half->has_gateway ? "; " : "",
			      half->reason);
	snprintf(label, sizeof(label), "%s  ", family_name(f));
	put_wrapped(out, 2, label, text.text ? text.text : "");
}

static void put_state(struct strbuf *out, const struct path *p, bool color)
{
	if (p->told && p->told->offline)
		put_cell(out, color, TINT_WARN, 12, "offline");
	else if (p->usable)
		put_cell(out, color, TINT_GOOD, 12, "usable");
	else
		put_cell(out, color, TINT_BAD, 12, "not usable");
}

static void put_path(struct strbuf *out, const struct status *st, const struct path *p, bool color)
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };
	char text[32];

	strbuf_add_visible(&name, p->name);
	put_cell(out, false, TINT_NONE, 16, name.text ? name.text : "");
	put_state(out, p, color);
	snprintf(text, sizeof(text), "%" PRIu32, p->table);
	put_cell(out, false, TINT_NONE, 11, text);
	snprintf(text, sizeof(text), "0x%08" PRIx32, p->mark);
	put_cell(out, false, TINT_NONE, 10, text);
	put_amounts(out, status_path_counter(st, p));
	/* Absent or offline, with one reason for both: once is enough. */
	if (!p->usable && p->half[0].reason && p->half[1].reason &&
	    !strcmp(p->half[0].reason, p->half[1].reason)) {
		put_wrapped(out, 2, "", p->half[0].reason);
		return;
	}
	for (int f = 0; f < FAMILY_COUNT; f++)
		put_half(out, st, p, (enum family)f);
}

/* ---- policies ---- */

static bool same_verdict(const struct verdict *a, const struct verdict *b)
{
	return a->outcome == b->outcome && a->dormant == b->dormant &&
	       a->active_count == b->active_count &&
	       (!a->active_count ||
		!memcmp(a->active, b->active, a->active_count * sizeof(*a->active)));
}

/* "eth2", "eth0 eth2", "main (dormant)", "next (dormant)", "table 52", "unreachable" */
static void put_way(struct strbuf *out, const struct plan *plan, const struct policy_plan *pp,
		    const struct verdict *v)
{
	for (size_t i = 0; i < v->active_count; i++) {
		strbuf_add(out, i ? " " : "");
		strbuf_add_visible(out, plan->paths[v->active[i]].name);
	}
	if (v->active_count)
		return;
	strbuf_add(out, v->dormant && pp->policy->otherwise == OTHERWISE_NEXT ?
				"next" : outcome_word(v->outcome));
	if (v->outcome == ACTION_TABLE)
		strbuf_printf(out, " %" PRIu32, pp->policy->table);
	if (v->dormant)
		strbuf_add(out, " (dormant)");
}

/* Why it does not go where it was meant to go. */
static void put_reasons(struct strbuf *out, const struct plan *plan, const struct policy_plan *pp)
{
	const struct policy *p = pp->policy;
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	const char *slash = strrchr(p->at.file, '/');

	strbuf_printf(&text, "%s:%u", slash ? slash + 1 : p->at.file, p->at.line);
	for (size_t i = 0; i < p->member_count; i++) {
		strbuf_add(&text, i ? " " : ", wants ");
		strbuf_add_visible(&text, p->members[i].name);
	}
	put_wrapped(out, 2, "", text.text ? text.text : "");
	if (pp->verdict[0].catches_nothing && pp->verdict[1].catches_nothing)
		put_wrapped(out, 2, "",
			    "its cgroup isn't there yet; ifsteer-watch.service or an event sees it");
	if (!pp->verdict[0].covered || !pp->verdict[1].covered ||
	    same_verdict(&pp->verdict[0], &pp->verdict[1]))
		return;
	for (int f = 0; f < FAMILY_COUNT; f++) {
		CLEANUP(strbuf_done) struct strbuf way = { 0 };
		char label[8];

		put_way(&way, plan, pp, &pp->verdict[f]);
		snprintf(label, sizeof(label), "%s  ", family_name((enum family)f));
		put_wrapped(out, 2, label, way.text ? way.text : "");
	}
}

static enum tint verdict_tint(const struct policy_plan *pp, const struct verdict *v)
{
	if (!v)
		return TINT_NONE;
	if (v->dormant)
		return TINT_WARN;
	return pp->policy->member_count && !v->active_count ? TINT_BAD : TINT_GOOD;
}

static void put_policy(struct strbuf *out, const struct status *st, const struct policy_plan *pp,
		       bool color)
{
	const struct plan *plan = &st->session->plan;
	const struct verdict *v = pp->policy->enabled ? policy_verdict(pp) : NULL;
	CLEANUP(strbuf_done) struct strbuf way = { 0 };
	bool fits;

	if (v)
		put_way(&way, plan, pp, v);
	else
		strbuf_add(&way, "disabled");
	fits = way.text && way.len <= 28;
	put_cell(out, false, TINT_NONE, 32, pp->policy->name);
	if (strlen(pp->policy->name) > 31)
		strbuf_printf(out, "\n%32s", "");
	put_cell(out, color, verdict_tint(pp, v), 28, fits ? way.text : "several");
	put_amounts(out, status_policy_counter(st, pp));
	if (!fits && way.text)
		put_wrapped(out, 2, "", way.text);
	put_reasons(out, plan, pp);
}

void status_text(const struct status *st, bool color, struct strbuf *out)
{
	const struct plan *plan = &st->session->plan;

	put_origin(st, out);
	put_sync(st, out);
	put_order(st, out);
	put_event(st, out);
	if (plan->path_count)
		strbuf_printf(out, "\n%-16s%-12s%-11s%-10s %9s %9s\n", "INTERFACE", "STATE",
			      "TABLE", "MARK", "PACKETS", "BYTES");
	for (size_t i = 0; i < plan->path_count; i++)
		put_path(out, st, &plan->paths[i], color);
	if (plan->policy_count)
		strbuf_printf(out, "\n%-32s%-28s %9s %9s\n", "POLICY", "LEAVES BY", "PACKETS",
			      "BYTES");
	for (size_t i = 0; i < plan->policy_count; i++)
		put_policy(out, st, &plan->policies[i], color);
}
