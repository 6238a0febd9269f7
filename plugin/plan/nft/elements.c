/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The elements of a set in braces, in one form: nft merges what is adjacent, sorts by value or by accident, and
 * leaves the braces of a set of one away.
 */
#include "plan/nft/token.h"

#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/strbuf.h"

static bool all_addresses(char *const *v, size_t count, struct addr_ranges *ret)
{
	struct addr_range r;

	for (size_t i = 0; i < count; i++)
		if (addr_range_parse(v[i], &r) < 0 || (i && r.from.family != ret->v[0].from.family) ||
		    addr_ranges_add(ret, &r) < 0)
			return false;
	addr_ranges_normalise(ret);
	return true;
}

static bool all_numbers(char *const *v, size_t count, struct numbers *ret)
{
	struct number_range r;

	for (size_t i = 0; i < count; i++)
		if (number_range_parse(v[i], UINT32_MAX, &r) < 0 || numbers_add(ret, r) < 0)
			return false;
	numbers_normalise(ret);
	return true;
}

int compare_words(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void elements_print(char **v, size_t count, struct strbuf *out)
{
	CLEANUP(addr_ranges_done) struct addr_ranges addresses = { 0 };
	CLEANUP(numbers_done) struct numbers numbers = { 0 };
	CLEANUP(strbuf_done) struct strbuf list = { 0 };
	char text[RANGE_TEXT_SIZE];
	bool one;

	if (all_addresses(v, count, &addresses)) {
		count = addresses.count;
		for (size_t i = 0; i < count; i++)
			strbuf_printf(&list, "%s%s", i ? ", " : "", addr_range_print(&addresses.v[i], text));
	} else if (all_numbers(v, count, &numbers)) {
		count = numbers.count;
		for (size_t i = 0; i < count; i++) {
			strbuf_printf(&list, "%s%u", i ? ", " : "", numbers.v[i].from);
			if (numbers.v[i].to != numbers.v[i].from)
				strbuf_printf(&list, "-%u", numbers.v[i].to);
		}
	} else {
		qsort(v, count, sizeof(*v), compare_words);
		for (size_t i = 0; i < count; i++)
			strbuf_printf(&list, "%s%s", i ? ", " : "", v[i]);
	}
	out->failed |= list.failed;
	/* A map of one is a map. */
	one = count == 1 && list.text && !strstr(list.text, " : ");
	strbuf_printf(out, one ? "%s" : "{ %s }", list.text ? list.text : "");
}
