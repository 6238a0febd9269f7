/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Writing JSON into a strbuf, two spaces a level.
 */
#include "base/json.h"

#include <inttypes.h>

static void new_line(struct json *j)
{
	strbuf_printf(j->out, "\n%*s", (int)(2 * j->depth), "");
}

static void begin_value(struct json *j, const char *key)
{
	if (j->filled)
		strbuf_add(j->out, ",");
	if (j->depth)
		new_line(j);
	if (key) {
		strbuf_add_json(j->out, key);
		strbuf_add(j->out, ": ");
	}
	j->filled = true;
}

void json_open(struct json *j, const char *key, char bracket)
{
	begin_value(j, key);
	strbuf_add_bytes(j->out, &bracket, 1);
	j->depth++;
	j->filled = false;
}

void json_close(struct json *j, char bracket)
{
	j->depth--;
	if (j->filled)
		new_line(j);
	strbuf_add_bytes(j->out, &bracket, 1);
	j->filled = true;
	if (!j->depth)
		strbuf_add(j->out, "\n");
}

void json_string(struct json *j, const char *key, const char *text)
{
	begin_value(j, key);
	if (text)
		strbuf_add_json(j->out, text);
	else
		strbuf_add(j->out, "null");
}

void json_number(struct json *j, const char *key, uint64_t n)
{
	begin_value(j, key);
	strbuf_printf(j->out, "%" PRIu64, n);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin_value(j, key);
	strbuf_add(j->out, value ? "true" : "false");
}
