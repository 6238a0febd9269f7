/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Names in order, so that duplicates are neighbours and references are found quickly.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "policy/reader.h"

int index_add(struct index *x, size_t group, const char *name, size_t i)
{
	struct entry *e = VEC_PUSH(x->v, x->count);

	if (!e)
		return -ENOMEM;
	*e = (struct entry){ group, name, i };
	return 0;
}

static int entry_compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int c = CMP(x->group, y->group);

	if (c == 0)
		c = strcmp(x->name, y->name);
	return c ? c : CMP(x->i, y->i);
}

void index_sort(struct index *x)
{
	if (x->count)
		qsort(x->v, x->count, sizeof(*x->v), entry_compare);
}

const struct entry *index_find(const struct index *x, const char *name)
{
	const struct entry wanted = { .name = name };
	size_t low = 0, high = x->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (entry_compare(&x->v[mid], &wanted) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < x->count && x->v[low].group == 0 && strcmp(x->v[low].name, name) == 0
		       ? &x->v[low]
		       : NULL;
}

void index_done(struct index *x)
{
	free(x->v);
	*x = (struct index){ 0 };
}
