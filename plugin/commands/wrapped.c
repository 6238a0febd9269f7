/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Breaking lines.
 */
#include "commands/wrapped.h"

#include <string.h>

#define COLUMNS 80

void put_wrapped(struct strbuf *out, int indent, const char *label, const char *text)
{
	CLEANUP(strbuf_done) struct strbuf visible = { 0 };
	int start = indent + (int)strlen(label), column = start;

	strbuf_add_visible(&visible, text);
	strbuf_printf(out, "%*s%s", indent, "", label);
	for (const char *word = visible.text ? visible.text : ""; *word;) {
		size_t n = strcspn(word, " ");

		if (column > start && column + 1 + (int)n > COLUMNS) {
			strbuf_printf(out, "\n%*s", start, "");
			column = start;
		} else if (column > start) {
			strbuf_add(out, " ");
			column++;
		}
		strbuf_add_bytes(out, word, n);
		column += (int)n;
		word += n + strspn(word + n, " ");
	}
	strbuf_add(out, "\n");
	out->failed |= visible.failed;
}
