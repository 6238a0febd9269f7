/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Numbers from untrusted text. No sign, no space, no tail, no octal: what is not exactly a
 * number in range is refused.
 */
#pragma once

#include "base/base.h"

/* Inclusive on both ends. */
struct number_range {
	uint32_t from;
	uint32_t to;
};

/* A growing list of ranges; ranges_done frees. Sorted and merged by numbers_normalise. */
struct numbers {
	struct number_range *v;
	size_t count;
};

/* Decimal, or hexadecimal behind 0x. A leading zero in a decimal number is refused.
 * 0, -EINVAL (not a number) or -ERANGE (above max). */
MUST_CHECK int number_parse(const char *text, uint32_t max, uint32_t *ret);

/* "N" or "N-M" with N <= M; -EDOM for a range that runs downwards. */
MUST_CHECK int number_range_parse(const char *text, uint32_t max, struct number_range *ret);

/* "VALUE/MASK" or "VALUE" (mask of all ones); -EDOM when VALUE has bits outside MASK. */
MUST_CHECK int mark_parse(const char *text, uint32_t *ret_value, uint32_t *ret_mask);

MUST_CHECK int numbers_add(struct numbers *list, struct number_range r);
void numbers_normalise(struct numbers *list);
/* Takes what is in `out` away; both canonical, and so is the result. */
MUST_CHECK int numbers_subtract(struct numbers *list, const struct numbers *out);
bool numbers_contain(const struct numbers *list, uint32_t n);
void numbers_done(struct numbers *list);
