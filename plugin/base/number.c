/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Numbers, ranges and marks from untrusted text, and canonical lists of ranges.
 */
#include "base/number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

static int parse_bytes(const char *text, size_t len, uint32_t max, uint32_t *ret)
{
	unsigned int base = 10;
	bool too_large = false;
	uint64_t v = 0;
	size_t i = 0;

	if (len > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		i = 2;
	} else if (len == 0 || (len > 1 && text[0] == '0')) {
		return -EINVAL;
	}
	for (; i < len; i++) {
		unsigned int digit = digit_value(text[i]);

		if (digit >= base)
			return -EINVAL;
		/* Go on reading: what has a tail is no number at all, however large its head. */
		if (!too_large)
			v = v * base + digit;
		if (v > max)
			too_large = true;
	}
	if (too_large)
		return -ERANGE;
	*ret = v;
	return 0;
}

int number_parse(const char *text, uint32_t max, uint32_t *ret)
{
	return parse_bytes(text, strlen(text), max, ret);
}

int number_range_parse(const char *text, uint32_t max, struct number_range *ret)
{
	const char *dash = strchr(text, '-');
	struct number_range r;
	int from, to;

	from = parse_bytes(text, dash ? (size_t)(dash - text) : strlen(text), max, &r.from);
	to = dash ? number_parse(dash + 1, max, &r.to) : from;
	if (from == -EINVAL || to == -EINVAL)
		return -EINVAL;
	if (from < 0 || to < 0)
		return -ERANGE;
	if (!dash)
		r.to = r.from;
	if (r.from > r.to)
		return -EDOM;
	*ret = r;
	return 0;
}

int mark_parse(const char *text, uint32_t *ret_value, uint32_t *ret_mask)
{
	const char *slash = strchr(text, '/');
	uint32_t value, mask = UINT32_MAX;
	int first, second = 0;

	first = parse_bytes(text, slash ? (size_t)(slash - text) : strlen(text), UINT32_MAX,
			    &value);
	if (slash)
		second = number_parse(slash + 1, UINT32_MAX, &mask);
	if (first == -EINVAL || second == -EINVAL)
		return -EINVAL;
	if (first < 0 || second < 0)
		return -ERANGE;
	if (value & ~mask)
		return -EDOM;
	*ret_value = value;
	*ret_mask = mask;
	return 0;
}

int numbers_add(struct numbers *list, struct number_range r)
{
	struct number_range *slot = VEC_PUSH(list->v, list->count);

	if (!slot)
		return -ENOMEM;
	*slot = r;
	return 0;
}

static int range_compare(const void *a, const void *b)
{
	const struct number_range *x = a, *y = b;
	int c = CMP(x->from, y->from);

	return c ? c : CMP(x->to, y->to);
}

void numbers_normalise(struct numbers *list)
{
	size_t kept = 0;

	if (list->count == 0)
		return;
	vec_sort(list->v, list->count, sizeof(*list->v), range_compare);
	for (size_t i = 1; i < list->count; i++) {
		struct number_range *last = &list->v[kept], *r = &list->v[i];

		/* Adjacent ones merge too; 64 bits, or the end of the space would wrap to 0. */
		if (r->from > (uint64_t)last->to + 1)
			list->v[++kept] = *r;
		else if (r->to > last->to)
			last->to = r->to;
	}
	list->count = kept + 1;
}

int numbers_subtract(struct numbers *list, const struct numbers *out)
{
	CLEANUP(numbers_done) struct numbers rest = { 0 };
	size_t j = 0;
	int err = 0;

	for (size_t i = 0; i < list->count && err == 0; i++) {
		struct number_range r = list->v[i];
		bool left = true;

		while (j < out->count && out->v[j].to < r.from)
			j++;
		/* The last of these may reach into the next range as well: j stays. */
		for (size_t k = j; k < out->count && out->v[k].from <= r.to && left && err == 0;
		     k++) {
			if (out->v[k].from > r.from)
				err = numbers_add(
					&rest, (struct number_range){ r.from, out->v[k].from - 1 });
			left = out->v[k].to < r.to;
			if (left)
				r.from = out->v[k].to + 1;
		}
		if (left && err == 0)
			err = numbers_add(&rest, r);
	}
	if (err == 0) {
		struct numbers before = *list;

		*list = rest;
		rest = before;
	}
	return err;
}

bool numbers_contain(const struct numbers *list, uint32_t n)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->v[i].from <= n && n <= list->v[i].to)
			return true;
	return false;
}

void numbers_done(struct numbers *list)
{
	free(list->v);
	*list = (struct numbers){ 0 };
}
