/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The selectors of a policy as alternatives of nftables text.
 */
#pragma once

#include "plan/internal.h"
#include "plan/texts.h"

/* What a packet of this family must match in this hook for the policy to take it: at least one text, each
 * empty or ending in a blank. -ENOENT: no packet can match. */
MUST_CHECK int match_policy(const struct plan *p, const struct policy_plan *pp, enum hook hook, enum family f,
			    struct texts *ret);
/* Whether that text leaves the family open, so that one rule may serve both. */
bool match_needs_family(const struct policy *pol);
/* Whether the text for one family says which it is. Negations of the other one's addresses alone say
 * nothing. */
bool match_names_family(const struct policy *pol, enum family f);
const char *match_only_family(enum family f);
/* The named set of a list too long to stand in a rule; to be freed, NULL when memory fails. */
char *match_set_name(const char *word, bool source, bool negated, enum family f);

/* nft's word; NULL where it has none. */
const char *dscp_name(uint32_t code);

/* times.c: `hours` and `days`. */
MUST_CHECK int match_times(const struct plan *p, const struct policy *pol, struct texts *t);
