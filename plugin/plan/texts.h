/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Pieces of nftables match text: single conditions into a strbuf, alternatives into a list whose
 * product with the next list is every combination.
 */
#pragma once

#include "base/number.h"
#include "base/prefix.h"
#include "base/strbuf.h"

/* Longer address lists stand in a named set, where one element can be changed alone. */
#define INLINE_RANGES 8

/* Alternatives: a packet matches when one of the texts does. Empty: no condition at all. */
struct texts {
	char **v;
	size_t count;
};

MUST_CHECK int texts_add(struct texts *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Every text of *t followed by every one of *options; an empty list on either side changes nothing. */
MUST_CHECK int texts_multiply(struct texts *t, const struct texts *options);
void texts_done(struct texts *t);

/* "expr 5 ", "expr 1-2 ", "expr { 1, 3-4 } " or, negated, "expr != …". The list is not empty. `print` names
 * a single value, or returns NULL for the plain number; it may itself be NULL. */
void text_numbers(struct strbuf *b, const char *expr, bool negated, const struct numbers *list,
		  const char *(*print)(uint32_t value));
void text_ranges(struct strbuf *b, const char *expr, bool negated, const struct addr_ranges *list);
