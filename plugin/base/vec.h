/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The one way arrays grow: doubled when there is no room for more.
 */
#pragma once

#include "base/base.h"

/* Makes room for element number `count` (counted from 0) in *array, whose elements have `size`
 * bytes, and zeroes it. Capacity is implied by count: arrays double at powers of two, so nothing
 * but pointer and count need be kept. 0 or -ENOMEM. */
MUST_CHECK int vec_room(void *array, size_t count, size_t size);

/* Copies `more_count` elements from `more` behind the *count of *array, which are counted. 0 or
 * -ENOMEM. */
MUST_CHECK int vec_append(void *array, size_t *count, const void *more, size_t more_count,
			  size_t size);

/* qsort, for what is often in order already: then only that is found out. None at all (NULL, 0) are. */
void vec_sort(void *v, size_t count, size_t size, int (*compare)(const void *, const void *));

/* Zeroed room for one more in a (pointer, count) pair, counted; NULL when memory fails. */
#define VEC_PUSH(v, n) (vec_room(&(v), (n), sizeof(*(v))) ? NULL : &(v)[(n)++])
