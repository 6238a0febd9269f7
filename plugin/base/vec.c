/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Arrays that grow without keeping a capacity: it is the next power of two from the count.
 */
#include "base/vec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* `array` points to a pointer of some type: copying its bytes breaks no aliasing rule. */
static char *load(const void *array)
{
	char *v;

	memcpy(&v, array, sizeof(v));
	return v;
}

static int resize(void *array, size_t capacity, size_t size)
{
	char *v = reallocarray(load(array), capacity, size);

	if (!v)
		return -ENOMEM;
	memcpy(array, &v, sizeof(v));
	return 0;
}

int vec_room(void *array, size_t count, size_t size)
{
	if ((count & (count - 1)) == 0) {
		size_t capacity = count ? count * 2 : 1;

		if (capacity < count || resize(array, capacity, size) < 0)
			return -ENOMEM;
	}
	memset(load(array) + count * size, 0, size);
	return 0;
}

/* What an array of `count` elements has room for; of none it has no memory yet. */
static size_t capacity_of(size_t count)
{
	size_t capacity = count ? 1 : 0;

	while (capacity < count)
		capacity *= 2;
	return capacity;
}

int vec_append(void *array, size_t *count, const void *more, size_t more_count, size_t size)
{
	size_t total = *count + more_count, capacity = capacity_of(total);

	if (more_count == 0)
		return 0;
	/* Not all allocators see that a size is the one that there is: some would copy all, each time. */
	if (capacity > capacity_of(*count) && resize(array, capacity, size) < 0)
		return -ENOMEM;
	memcpy(load(array) + *count * size, more, more_count * size);
	*count = total;
	return 0;
}

void vec_sort(void *v, size_t count, size_t size, int (*compare)(const void *, const void *))
{
	const char *at = v;
	size_t i = 1;

	while (i < count && compare(at + (i - 1) * size, at + i * size) <= 0)
		i++;
	if (i < count)
		qsort(v, count, size, compare);
}
