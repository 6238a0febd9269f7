/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Errors about an object that has been read as a whole, when the reader is no longer at its place.
 */
#include "base/strbuf.h"
#include "policy/reader.h"

void object_error(struct reader *r, struct where at, const char *what, const char *name,
		  const char *fmt, ...)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	va_list args;

	object_label(&text, what, name);
	strbuf_add(&text, ": ");
	va_start(args, fmt);
	strbuf_vprintf(&text, fmt, args);
	va_end(args);
	diag_error(r->diag, at, "%s", text.failed ? "out of memory" : text.text);
}

void policy_error(struct reader *r, size_t i, int key, unsigned int line, const char *fmt, ...)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	struct where at = r->config->policies[i].at;
	va_list args;

	object_label(&text, "policy", r->config->policies[i].name);
	strbuf_printf(&text, ": %s: ", policy_schema.keys[key].name);
	va_start(args, fmt);
	strbuf_vprintf(&text, fmt, args);
	va_end(args);
	if (line)
		at.line = line;
	else if (r->policy_lines[i].line[key])
		at.line = r->policy_lines[i].line[key];
	diag_error(r->diag, at, "%s", text.failed ? "out of memory" : text.text);
}
