/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A fuzzer's bytes as a file of facts.
 */
#pragma once

#include "base/diag.h"
#include "tests/fuzz/text.h"
#include "plan/facts.h"

/* Hands them over where they can be read; where they can't, it is said why. */
static inline void fuzz_facts(const uint8_t *data, size_t size, void (*use)(const struct facts *f))
{
	char *text = fuzz_text(data, size);
	struct facts f = { 0 };
	struct diag d = { 0 };

	if (facts_parse("facts", text, size, &f, &d) == 0)
		use(&f);
	else if (!d.errors)
		abort();
	facts_done(&f);
	diag_done(&d);
	free(text);
}
