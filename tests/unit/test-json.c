/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * JSON: commas, nesting, and texts that somebody else chose.
 */
#include <stdlib.h>

#include "base/json.h"
#include "tests/tap.h"

static void write_all(struct strbuf *out)
{
	struct json j = { .out = out };

	json_open(&j, NULL, '{');
	json_string(&j, "name", "a\"b\\c\n\xff");
	json_string(&j, "none", NULL);
	json_open(&j, "empty", '[');
	json_close(&j, ']');
	json_open(&j, "list", '[');
	json_number(&j, NULL, UINT64_MAX);
	json_bool(&j, NULL, true);
	json_open(&j, NULL, '{');
	json_bool(&j, "no", false);
	json_close(&j, '}');
	json_close(&j, ']');
	json_number(&j, "last", 0);
	json_close(&j, '}');
}

int main(void)
{
	CLEANUP(strbuf_done) struct strbuf out = { 0 };

	write_all(&out);
	is(out.text,
	   "{\n"
	   "  \"name\": \"a\\\"b\\\\c\\u000a\xef\xbf\xbd\",\n"
	   "  \"none\": null,\n"
	   "  \"empty\": [],\n"
	   "  \"list\": [\n"
	   "    18446744073709551615,\n"
	   "    true,\n"
	   "    {\n"
	   "      \"no\": false\n"
	   "    }\n"
	   "  ],\n"
	   "  \"last\": 0\n"
	   "}\n",
	   "an object with everything in it");
	return tap_done();
}
