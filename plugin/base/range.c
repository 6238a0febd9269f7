/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Ranges of addresses and canonical lists of them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prefix.h"
#include "base/vec.h"

int addr_range_parse(const char *text, struct addr_range *ret)
{
	char head[ADDR_TEXT_SIZE];
	struct addr_range r;
	struct prefix p;
	const char *dash;
	int err = prefix_parse(text, &p);

	if (err == 0 || err == -EDOM) {
		*ret = prefix_range(&p);
		return err;
	}
	dash = strchr(text, '-');
	if (!dash || (size_t)(dash - text) >= sizeof(head))
		return -EINVAL;
	memcpy(head, text, dash - text);
	head[dash - text] = '\0';
	if (addr_parse(head, &r.from) < 0 || addr_parse(dash + 1, &r.to) < 0)
		return -EINVAL;
	if (r.from.family != r.to.family)
		return -EAFNOSUPPORT;
	if (addr_compare(&r.from, &r.to) > 0)
		return -ERANGE;
	*ret = r;
	return 0;
}

int addr_range_compare(const struct addr_range *a, const struct addr_range *b)
{
	int c = addr_compare(&a->from, &b->from);

	return c ? c : addr_compare(&a->to, &b->to);
}

/* The largest prefix that begins at r->from and does not reach beyond r->to. */
static struct prefix largest_prefix(const struct addr_range *r, struct addr *ret_last)
{
	struct prefix p = { .addr = r->from, .len = family_bits(r->from.family) };

	*ret_last = r->from;
	while (p.len > 0) {
		unsigned int byte = (p.len - 1) / 8, bit = 0x80 >> (p.len - 1) % 8;
		struct addr last = *ret_last;

		last.bytes[byte] |= bit;
		if (p.addr.bytes[byte] & bit || addr_compare(&last, &r->to) > 0)
			break;
		*ret_last = last;
		p.len--;
	}
	return p;
}

bool addr_range_is_prefix(const struct addr_range *r, struct prefix *ret)
{
	unsigned int bits = family_bits(r->from.family), len = 0;
	struct addr_range all;
	struct prefix p;

	while (len < bits && r->from.bytes[len / 8] == r->to.bytes[len / 8])
		len += 8;
	if (len < bits)
		len += (unsigned int)__builtin_clz(r->from.bytes[len / 8] ^ r->to.bytes[len / 8]) - 24;
	p = prefix_of(&r->from, len);
	all = prefix_range(&p);
	if (addr_range_compare(&all, r) != 0)
		return false;
	*ret = p;
	return true;
}

const char *addr_range_print(const struct addr_range *r, char buf[static RANGE_TEXT_SIZE])
{
	char from[ADDR_TEXT_SIZE], to[ADDR_TEXT_SIZE];
	struct prefix p;

	if (addr_range_is_prefix(r, &p))
		return prefix_print(&p, buf);
	snprintf(buf, RANGE_TEXT_SIZE, "%s-%s", addr_print(&r->from, from), addr_print(&r->to, to));
	return buf;
}

int addr_ranges_add(struct addr_ranges *list, const struct addr_range *r)
{
	struct addr_range *slot = VEC_PUSH(list->v, list->count);

	if (!slot)
		return -ENOMEM;
	*slot = *r;
	return 0;
}

static int append(struct addr_ranges *list, const struct addr_ranges *more)
{
	return vec_append(&list->v, &list->count, more->v, more->count, sizeof(*list->v));
}

int addr_ranges_join(struct addr_ranges *list, const struct addr_ranges *more)
{
	struct addr_ranges own = { 0 };

	if (more->count == 0)
		return 0;
	if (list->count == 0) {
		*list = *more;
		list->is_borrowed = true;
		return 0;
	}
	if (list->is_borrowed) {
		if (append(&own, list) < 0)
			return -ENOMEM;
		*list = own;
	}
	return append(list, more);
}

static int range_order(const void *a, const void *b)
{
	return addr_range_compare(a, b);
}

void addr_ranges_sort(struct addr_ranges *list)
{
	if (!list->is_borrowed)
		vec_sort(list->v, list->count, sizeof(*list->v), range_order);
}

/* Whether `next` is behind `last` and does not touch it. */
static bool stands_apart(const struct addr_range *last, const struct addr_range *next)
{
	struct addr behind = last->to;

	return addr_next(&behind) && addr_compare(&next->from, &behind) > 0;
}

static bool is_canonical(const struct addr_ranges *list)
{
	for (size_t i = 1; i < list->count; i++)
		if (!stands_apart(&list->v[i - 1], &list->v[i]))
			return false;
	return true;
}

void addr_ranges_normalise(struct addr_ranges *list)
{
	size_t kept = 0;

	if (list->count == 0 || list->is_borrowed || is_canonical(list))
		return;
	addr_ranges_sort(list);
	for (size_t i = 1; i < list->count; i++) {
		struct addr_range *last = &list->v[kept], *r = &list->v[i];
		struct addr behind = last->to;

		/* Where nothing is behind the last one, all that follow in its family lie in it. */
		if (r->from.family != last->to.family ||
		    (addr_next(&behind) && addr_compare(&r->from, &behind) > 0))
			list->v[++kept] = *r;
		else if (addr_compare(&r->to, &last->to) > 0)
			last->to = r->to;
	}
	list->count = kept + 1;
}

bool addr_ranges_contain(const struct addr_ranges *list, const struct addr *a)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (addr_compare(&list->v[mid].to, a) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < list->count && addr_compare(&list->v[low].from, a) <= 0;
}

bool addr_ranges_overlap(const struct addr_ranges *a, const struct addr_ranges *b)
{
	size_t i = 0, j = 0;

	while (i < a->count && j < b->count) {
		if (addr_compare(&a->v[i].to, &b->v[j].from) < 0)
			i++;
		else if (addr_compare(&b->v[j].to, &a->v[i].from) < 0)
			j++;
		else
			return true;
	}
	return false;
}

int addr_ranges_prefixes(const struct addr_ranges *list, struct prefix **ret, size_t *ret_count)
{
	struct prefix *v = NULL;
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct addr_range rest = list->v[i];
		struct addr last;

		do {
			struct prefix *p = VEC_PUSH(v, count);

			if (!p) {
				free(v);
				return -ENOMEM;
			}
			*p = largest_prefix(&rest, &last);
			rest.from = last;
		} while (addr_compare(&last, &rest.to) < 0 && addr_next(&rest.from));
	}
	*ret = v;
	*ret_count = count;
	return 0;
}

void addr_ranges_done(struct addr_ranges *list)
{
	if (!list->is_borrowed)
		free(list->v);
	*list = (struct addr_ranges){ 0 };
}
