/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A fuzzer's bytes as a text.
 */
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A copy with a NUL behind it, for the caller to free. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}
