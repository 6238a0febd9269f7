/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the three ways to say a status have in common: counters by name, and words.
 */
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/status.h"

/* A counter's name in two parts. */
struct counter_key {
	const char *prefix;
	const char *word;
};

static int compare_counter_key(const void *key, const void *counter)
{
	const struct counter_key *k = key;
	const char *name = ((const struct counter *)counter)->name;
	size_t n = strlen(k->prefix);

	return strncmp(k->prefix, name, n) ?: strcmp(k->word, name + n);
}

static struct counter find_counter(const struct status *st, const char *prefix, const char *word)
{
	const struct counter_key key = { prefix, word };
	const struct counter *found = NULL;

	if (st->counter_count)
		found = bsearch(&key, st->counters, st->counter_count, sizeof(*st->counters),
				compare_counter_key);
	return found ? *found : (struct counter){ 0 };
}

struct counter status_policy_counter(const struct status *st, const struct policy_plan *pp)
{
	return find_counter(st, "policy_", pp->word);
}

struct counter status_path_counter(const struct status *st, const struct path *p)
{
	return find_counter(st, "interface_", p->word);
}

const char *path_reason(const struct path *p)
{
	if (p->usable)
		return NULL;
	return p->half[FAMILY_IPV4].reason ? p->half[FAMILY_IPV4].reason
					   : p->half[FAMILY_IPV6].reason;
}

void path_describe(const struct path *p, struct strbuf *out)
{
	strbuf_add_visible(out, p->name);
	for (int f = 0; f < FAMILY_COUNT; f++) {
		const struct path_half *half = &p->half[f];
		char gateway[ADDR_TEXT_SIZE];

		strbuf_printf(out, "%s %s ", f ? "," : ":", family_name((enum family)f));
		if (!half->usable)
			strbuf_printf(out, "not usable (%s)", half->reason);
		else if (half->has_gateway)
			strbuf_printf(out, "by %s", addr_print(&half->gateway, gateway));
		else
			strbuf_add(out, "on-link");
	}
}

const struct verdict *policy_verdict(const struct policy_plan *pp)
{
	for (int f = 0; f < FAMILY_COUNT; f++)
		if (pp->verdict[f].covered && pp->verdict[f].active_count)
			return &pp->verdict[f];
	for (int f = 0; f < FAMILY_COUNT; f++)
		if (pp->verdict[f].covered)
			return &pp->verdict[f];
	return NULL;
}

const char *outcome_word(enum action outcome)
{
	switch (outcome) {
	case ACTION_VIA:
	case ACTION_BALANCE: return "via";
	case ACTION_TABLE: return "table";
	case ACTION_MAIN: return "main";
	case ACTION_UNREACHABLE: return "unreachable";
	case ACTION_PROHIBIT: return "prohibit";
	case ACTION_BLACKHOLE: return "blackhole";
	}
	return NULL;
}
