/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Arrays that grow without keeping a capacity: it is the next power of two from the count.
 */
#include "base/vec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int vec_room(void *array, size_t count, size_t size)
{
	char *v;

	/* `array` points to a pointer of some type: copying its bytes breaks no aliasing rule. */
	memcpy(&v, array, sizeof(v));
	if ((count & (count - 1)) == 0) {
		size_t capacity = count ? count * 2 : 1;

		v = capacity > count ? reallocarray(v, capacity, size) : NULL;
		if (!v)
			return -ENOMEM;
		memcpy(array, &v, sizeof(v));
	}
	memset(v + count * size, 0, size);
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
