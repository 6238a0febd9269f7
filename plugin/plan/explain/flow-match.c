/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whether a policy takes a flow, selector by selector as match.c tells it to nft, and in words why
 * not.
 */
#include "plan/explain/flow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/match.h"

#define LISTED_MAX 4		/* of a long list, in a reason */

/* A policy and a flow, and what is said about them: nothing as long as all holds. */
struct question {
	const struct plan *plan;
	const struct policy_plan *pp;
	const struct policy *policy;
	const struct flow *flow;
	const struct nft_table *have;
	struct strbuf because;
};

static bool says_no(const struct question *q)
{
	return q->because.len > 0;
}

/* ---- lists in words ---- */

static void put_more(struct strbuf *b, size_t i)
{
	strbuf_add(b, i == LISTED_MAX ? ", …" : i ? ", " : "");
}

static const char *name_of(const struct flow *f, char kind, uint32_t id)
{
	for (size_t i = 0; i < f->name_count; i++)
		if (f->names[i].kind == kind && f->names[i].id == id)
			return f->names[i].name;
	return NULL;
}

/* `kind` is 'u' or 'g' for users and groups, 'p' for protocols, 'd' for code points, 0 for plain
 * numbers. */
static const char *word_of(const struct flow *f, char kind, uint32_t n)
{
	switch (kind) {
	case 'p':
		return protocol_word(n);
	case 'd':
		return dscp_name(n);
	default:
		return kind ? name_of(f, kind, n) : NULL;
	}
}

static void put_numbers(struct strbuf *b, const struct flow *f, char kind,
			const struct numbers *list)
{
	for (size_t i = 0; i < list->count && i <= LISTED_MAX; i++) {
		const char *word = word_of(f, kind, list->v[i].from);

		put_more(b, i);
		if (i == LISTED_MAX)
			break;
		if (list->v[i].from != list->v[i].to)
			strbuf_printf(b, "%u-%u", list->v[i].from, list->v[i].to);
		else if (word)
			strbuf_add(b, word);
		else
			strbuf_printf(b, "%u", list->v[i].from);
	}
}

static void put_names(struct strbuf *b, const struct name_match *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->count && n <= LISTED_MAX; i++) {
		if (m->v[i].negated)
			continue;
		put_more(b, n);
		if (n++ < LISTED_MAX)
			strbuf_add(b, m->v[i].text);
	}
}

/* ---- numbers: protocol, ports, users, groups, code points ---- */

static void ask_number(struct question *q, const char *what, char kind,
		       const struct number_match *m, uint32_t n)
{
	const char *word = word_of(q->flow, kind, n);
	struct strbuf *b = &q->because;
	bool is_port = what[1] == 'p';
	bool wanted = m->yes.count == 0 || numbers_contain(&m->yes, n);

	if (says_no(q) || !m->given || (wanted && !numbers_contain(&m->no, n)))
		return;
	if (is_port && n == 0)
		strbuf_printf(b, "%s is not said", what);
	else if (word)
		strbuf_printf(b, "%s is %s (%u)", what, word, n);
	else
		strbuf_printf(b, "%s is %u", what, n);
	if (wanted) {
		strbuf_add(b, ", which it excludes");
		return;
	}
	strbuf_add(b, ", wanted ");
	put_numbers(b, q->flow, kind, &m->yes);
}

/* ---- addresses ---- */

/* "ADDR" or "ADDR timeout …": what others put in. */
static bool element_holds(const char *element, const struct addr *a)
{
	char text[RANGE_TEXT_SIZE];
	struct addr_range range;
	size_t n = strcspn(element, " ");

	if (n >= sizeof(text))
		return false;
	memcpy(text, element, n);
	text[n] = '\0';
	return addr_range_parse(text, &range) == 0 && range.from.family == a->family &&
	       addr_compare(&range.from, a) <= 0 && addr_compare(a, &range.to) <= 0;
}

static bool set_holds(const struct question *q, const struct set *set, const struct addr *a)
{
	const struct nft_set *kernel;
	char name[SET_NAME_MAX + sizeof("_4")];

	if (!set->dynamic)
		return addr_ranges_contain(&set->elements[a->family], a);
	snprintf(name, sizeof(name), "%s_%c", set->name, a->family == FAMILY_IPV4 ? '4' : '6');
	kernel = nft_find_set(q->have, name);
	if (kernel && kernel->has_ranges)
		return addr_ranges_contain(&kernel->ranges, a);
	for (size_t i = 0; kernel && i < kernel->element_count; i++)
		if (element_holds(kernel->elements[i], a))
			return true;
	return false;
}

static bool is_wanted(const struct question *q, const struct addr_match *m, const struct addr *a)
{
	bool any = m->yes[a->family].count > 0;

	if (addr_ranges_contain(&m->yes[a->family], a))
		return true;
	for (size_t i = 0; i < m->set_count; i++) {
		if (m->sets[i].negated)
			continue;
		any = true;
		if (set_holds(q, &q->plan->config->sets[m->sets[i].set], a))
			return true;
	}
	return !any;
}

static bool is_excluded(const struct question *q, const struct addr_match *m, const struct addr *a)
{
	bool excluded = addr_ranges_contain(&m->no[a->family], a);

	for (size_t i = 0; i < m->set_count && !excluded; i++)
		excluded = m->sets[i].negated &&
			   set_holds(q, &q->plan->config->sets[m->sets[i].set], a);
	return excluded;
}

/* A dynamic set is as it is now; somebody may fill it in a moment. */
static void put_dynamic(struct question *q, const struct addr_match *m)
{
	for (size_t i = 0; i < m->set_count; i++)
		if (q->plan->config->sets[m->sets[i].set].dynamic)
			strbuf_printf(&q->because, "; set %s may change",
				      q->plan->config->sets[m->sets[i].set].name);
}

static void ask_address(struct question *q, const char *what, const struct addr_match *m,
			const struct addr *a, bool known)
{
	char text[ADDR_TEXT_SIZE];

	if (says_no(q) || !m->given)
		return;
	if (!known)
		strbuf_printf(&q->because, "the source is not known, and it has %s", what);
	else if (!is_wanted(q, m, a))
		strbuf_printf(&q->because, "%s does not contain %s", what, addr_print(a, text));
	else if (is_excluded(q, m, a))
		strbuf_printf(&q->because, "%s excludes %s", what, addr_print(a, text));
	if (says_no(q))
		put_dynamic(q, m);
}

/* ---- names: interfaces, hardware addresses, cgroups ---- */

static bool is_interface(const char *pattern, const char *value)
{
	return !strcmp(pattern, value);
}

/* A cgroup or one below it. */
static bool is_in_cgroup(const char *path, const char *value)
{
	size_t n = strlen(path);

	while (*value == '/')
		value++;
	return !strncmp(value, path, n) && (!value[n] || value[n] == '/');
}

static void ask_name(struct question *q, const char *what, const struct name_match *m,
		     const char *value, bool (*holds)(const char *pattern, const char *value))
{
	bool any = false, wanted = false, excluded = false;

	for (size_t i = 0; i < m->count; i++) {
		bool here = value && holds(m->v[i].text, value);

		any |= !m->v[i].negated;
		wanted |= here && !m->v[i].negated;
		excluded |= here && m->v[i].negated;
	}
	if (says_no(q) || (!excluded && (wanted || !any)))
		return;
	if (value)
		strbuf_printf(&q->because, "%s is %s", what, value);
	else
		strbuf_printf(&q->because, "%s is not said", what);
	if (excluded) {
		strbuf_add(&q->because, ", which it excludes");
		return;
	}
	strbuf_add(&q->because, ", wanted ");
	put_names(&q->because, m);
}

/* ---- marks, times ---- */

static void ask_mark(struct question *q)
{
	const struct mark_match *m = &q->policy->mark;
	bool any = false, wanted = false, excluded = false;

	for (size_t i = 0; i < m->count; i++) {
		bool here = (q->flow->mark & m->v[i].mask) == m->v[i].value;

		any |= !m->v[i].negated;
		wanted |= here && !m->v[i].negated;
		excluded |= here && m->v[i].negated;
	}
	if (says_no(q) || (!excluded && (wanted || !any)))
		return;
	strbuf_printf(&q->because, "mark is 0x%x", q->flow->mark);
	if (excluded) {
		strbuf_add(&q->because, ", which it excludes");
		return;
	}
	for (size_t i = 0, n = 0; i < m->count; i++)
		if (!m->v[i].negated)
			strbuf_printf(&q->because, "%s0x%x/0x%x", n++ ? ", " : ", wanted ",
				      m->v[i].value, m->v[i].mask);
}

static bool is_in_time(const struct policy *pol, uint32_t minute)
{
	for (uint32_t day = 0; day < 7; day++) {
		if (!numbers_contain(&pol->days.yes, day))
			continue;
		for (size_t i = 0; i < pol->hours.yes.count; i++) {
			const struct number_range *hours = &pol->hours.yes.v[i];
			uint32_t since = minute + 2 * MINUTES_OF_WEEK - day * MINUTES_OF_DAY - hours->from;

			if (since % MINUTES_OF_WEEK <= hours->to - hours->from)
				return true;
		}
	}
	return false;
}

static void put_minute(struct strbuf *b, uint32_t minute)
{
	strbuf_printf(b, "%02u:%02u", minute / 60, minute % 60);
}

static void ask_time(struct question *q)
{
	static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	const struct policy *pol = q->policy;
	uint32_t minute = q->flow->minute;

	if (says_no(q) || (!pol->hours.given && !pol->days.given) || is_in_time(pol, minute))
		return;
	strbuf_printf(&q->because, "it is %s ", days[minute / MINUTES_OF_DAY]);
	put_minute(&q->because, minute % MINUTES_OF_DAY);
	strbuf_add(&q->because, ", wanted");
	for (uint32_t i = 0; i < ARRAY_SIZE(days) && pol->days.given; i++)
		if (numbers_contain(&pol->days.yes, i))
			strbuf_printf(&q->because, " %s", days[i]);
	for (size_t i = 0; i < pol->hours.yes.count && pol->hours.given; i++) {
		strbuf_add(&q->because, i ? ", " : " ");
		put_minute(&q->because, pol->hours.yes.v[i].from % MINUTES_OF_DAY);
		strbuf_add(&q->because, "-");
		put_minute(&q->because, pol->hours.yes.v[i].to % MINUTES_OF_DAY + 1);
	}
}

/* ---- the policy as a whole ---- */

static void ask_origin(struct question *q)
{
	const struct policy *pol = q->policy;

	if (says_no(q) || policy_seen(pol, q->flow->forwarded ? HOOK_FORWARDED : HOOK_LOCAL))
		return;
	if (pol->origin != ORIGIN_ANY)
		strbuf_printf(&q->because, "origin is %s, wanted %s",
			      q->flow->forwarded ? "forwarded" : "local",
			      pol->origin == ORIGIN_LOCAL ? "local" : "forwarded");
	else if (q->flow->forwarded)
		strbuf_add(&q->because,
			   "it judges sockets of this host, and the packet is forwarded");
	else
		strbuf_add(&q->because,
			   "it judges forwarded packets, and this one is the host's own");
}

static void put_dormant(struct question *q)
{
	enum family f = q->flow->family;

	strbuf_add(&q->because, "dormant: ");
	for (size_t i = 0; i < q->policy->member_count; i++) {
		const struct path *path = plan_path(q->plan, q->policy->members[i].name);
		const char *reason = path ? path->half[f].reason : "absent";

		strbuf_printf(&q->because, "%s%s is not usable (%s)", i ? ", " : "",
			      q->policy->members[i].name, reason ? reason : "absent");
	}
	strbuf_add(&q->because, "; otherwise = next");
}

static void ask_state(struct question *q)
{
	const struct verdict *v = &q->pp->verdict[q->flow->family];

	if (!q->policy->enabled)
		strbuf_add(&q->because, "disabled");
	else if (!v->covered)
		strbuf_printf(
			&q->because, "it is about %s alone",
			family_name(q->flow->family == FAMILY_IPV4 ? FAMILY_IPV6 : FAMILY_IPV4));
	ask_origin(q);
	if (says_no(q))
		return;
	if (v->catches_nothing)
		strbuf_add(&q->because, "dormant: its cgroup does not exist");
	else if (policy_skipped(q->pp, q->flow->family))
		put_dormant(q);
}

/* A packet with somebody else's mark is shown to the policies that name such a mark, and to no
 * others. */
static void ask_foreign_mark(struct question *q)
{
	uint32_t foreign = q->flow->mark & ~q->plan->config->settings.mark_mask;

	if (!says_no(q) && foreign && !q->policy->mark.count)
		strbuf_printf(
			&q->because,
			"the packet carries somebody else's mark (0x%x), which it does not name",
			foreign);
}

static void ask_all(struct question *q)
{
	const struct policy *pol = q->policy;
	const struct flow *f = q->flow;

	ask_state(q);
	ask_foreign_mark(q);
	ask_address(q, "to", &pol->to, &f->dst, true);
	ask_address(q, "from", &pol->from, &f->src, f->has_src);
	ask_name(q, "in", &pol->in, f->in, is_interface);
	ask_number(q, "protocol", 'p', &pol->protocol, f->protocol);
	ask_number(q, "sport", 0, &pol->sport, f->sport);
	ask_number(q, "dport", 0, &pol->dport, f->dport);
	ask_number(q, "user", 'u', &pol->user, f->uid);
	ask_number(q, "group", 'g', &pol->group, f->gid);
	ask_name(q, "cgroup", &pol->cgroup, f->cgroup, is_in_cgroup);
	ask_number(q, "dscp", 'd', &pol->dscp, f->dscp);
	ask_name(q, "mac", &pol->mac, f->mac, is_interface);
	ask_mark(q);
	ask_time(q);
}

int flow_match(const struct plan *p, const struct policy_plan *pp, const struct flow *f,
	       const struct nft_table *have, char **ret)
{
	struct question q = { .plan = p, .pp = pp, .policy = pp->policy, .flow = f, .have = have };

	ask_all(&q);
	if (q.because.failed) {
		strbuf_done(&q.because);
		return -ENOMEM;
	}
	*ret = q.because.len ? strbuf_take(&q.because) : NULL;
	return 0;
}
