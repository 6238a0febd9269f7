/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzz target: a file of facts. What is accepted is printed, read again and printed to the same text.
 */
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "tests/fuzz/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print_and_read(const struct facts *f)
{
	struct strbuf once = { 0 }, twice = { 0 };
	struct facts again = { 0 };
	struct diag d = { 0 };

	facts_print(f, &once);
	if (facts_parse("again", once.text, once.len, &again, &d) < 0)
		abort();
	facts_print(&again, &twice);
	if (strcmp(once.text, twice.text))
		abort();
	facts_done(&again);
	strbuf_done(&once);
	strbuf_done(&twice);
	diag_done(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_facts(data, size, print_and_read);
	return 0;
}
