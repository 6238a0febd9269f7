/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The lexical gate: what it lets through, what it stops and in which words, and the lines of texts.
 */
#include <errno.h>

#include "base/diag.h"
#include "policy/gate.h"
#include "tests/tap.h"

static const struct {
	const char *text;
	const char *message; /* NULL: passes */
} cases[] = {
	{ "", NULL },
	{ "a = 1;", NULL },
	{ "a : 1", NULL },
	{ "a = 1 b = 2", NULL },
	{ "a = -1; b = +2; c = 0x1f; d = 10L; e = 10LL; f = TRUE; g = 1.5; h = .5; i = 1e3; j = "
	  "0xFFL;",
	  NULL },
	{ "a = [ 1, 2, \"x\" ]; b = ( 1, \"x\", { c = 1, d = 2 } )", NULL },
	{ "a = { b = 1, c = 2, }; d = \"x\" \"y\" e = ( ), f = { } g = [ ]", NULL },
	{ "# \" ( [ {\na = 1; // \" ( [ {\n/* \" ( [ {\n * @include */", NULL },
	{ "a = 1 # no newline", NULL },
	{ "a = \"# // /* } ] ) @include\";", NULL },
	{ "a = \"\\\"\\\\\"; b = \"\\\\\" \"\\x41\";", NULL },
	{ "a = \"\\\\x00\";", NULL },
	{ "a = 2147483647;", NULL },
	{ "a = ((((((((((((((((1))))))))))))))));", NULL },

	{ "a = \"x", "f:1: error: the text that begins here is never closed: a '\"' is missing" },
	{ "\na = \"x;\nb = \"y\";\n", "f:2: error: the text that begins here does not end in its "
				      "line: is a closing '\"' missing?" },
	{ "a = \"x\\", "f:1: error: the text that begins here is never closed: a '\"' is missing" },
	{ "a = \"\\x00\";", "f:1: error: \"\\x00\" in a text: no text may contain NUL" },
	{ "a = 1;\n/* x\n\n", "f:2: error: the comment that \"/*\" opens here is never closed" },
	{ "/*/", "f:1: error: the comment that \"/*\" opens here is never closed" },
	{ "\n @include \"x\"",
	  "f:2: error: @include is not supported: files in policy.d are read all, in the "
	  "order of their names" },
	{ "a = ( @include \"x\"",
	  "f:1: error: @include is not supported: files in policy.d are read all, in the "
	  "order of their names" },
	{ "\xef\xbb\xbf"
	  "a = 1;",
	  "f:1: error: the file begins with a byte order mark (BOM): save it as UTF-8 "
	  "without one" },
	{ "a = (((((((((((((((((1)))))))))))))))));", "f:1: error: brackets nest deeper than 16" },
	{ "a = ( [ 1 ) ];", "f:1: error: \")\" does not close the \"[\" of line 1" },
	{ "a = 1; }", "f:1: error: \"}\" closes nothing" },
	{ "a = (\n{\n b = 1;\n", "f:2: error: the \"{\" that opens here is never closed" },
	{ "a = eth2;", "f:1: error: eth2 must stand in quotes" },
	{ "a = [ 10.0.0.0/8 ];", "f:1: error: 10.0.0.0/8 must stand in quotes" },
	{ "a = ( fe80::1 );", "f:1: error: fe80::1 must stand in quotes" },
	{ "a = 8000-8100;", "f:1: error: 8000-8100 must stand in quotes" },
	{ "a = 4294967295;",
	  "f:1: error: 4294967295 is above 2147483647: so large a number must stand in quotes" },
	{ "a = 0xff000000;",
	  "f:1: error: 0xff000000 is above 2147483647: so large a number must stand in quotes" },
	{ "a = 99999999999999999999999999L;",
	  "f:1: error: 99999999999999999999999999L is above 2147483647: so large a number must "
	  "stand in quotes" },
	{ "a = 0644;", "f:1: error: 0644 begins with a 0 too many" },
	{ "a = 0x;", "f:1: error: 0x must stand in quotes" },
	{ "a = (\n{ b = 1; }\n{ b = 2; }\n);",
	  "f:3: error: a \",\" is missing between two values" },
	{ "a = [ \"x\" \"y\" ];", "f:1: error: a \",\" is missing between two values" },
	{ "a = [ 1 2 ];", "f:1: error: a \",\" is missing between two values" },
	{ "a = ( 1 [ 2 ] );", "f:1: error: a \",\" is missing between two values" },
	{ "a = [ 1, ];", "f:1: error: a \",\" too many before \"]\"" },
	{ "a = ( 1, );", "f:1: error: a \",\" too many before \")\"" },
	{ "a = ;", "f:1: error: a value is missing behind \"=\"" },
	{ "a = { b = };", "f:1: error: a value is missing behind \"=\"" },
	{ "a \"x\";", "f:1: error: \"=\" is missing behind \"a\": expected key = value;" },
	{ "a = 1;\nbcd\n(1);",
	  "f:2: error: \"=\" is missing behind \"bcd\": expected key = value;" },
	{ "a = 1; \"x\"", "f:1: error: a value without a key: expected key = value;" },
	{ "a = { ( 1 ) };", "f:1: error: a value without a key: expected key = value;" },
	{ "a = [ \"x\"; b = 1;",
	  "f:1: error: \";\" inside the \"[\" of line 1: is its end missing?" },
	{ "a = ( 1\n = 1;", "f:2: error: \"=\" inside the \"(\" of line 1: is its end missing?" },
	{ "a = \"p; b = \"10.0.0.0/8\";",
	  "f:1: error: \"1\" begins no key: is a '\"' missing before it?" },
	{ "a = 1;\nb\n", "f:2: error: \"=\" is missing behind \"b\": expected key = value;" },
	{ "a =", "f:1: error: a value is missing behind \"=\"" },
	{ "a = = 1;", "f:1: error: a value is missing behind \"=\"" },
	{ "a = yes;\nb = no;", "f:1: error: yes must stand in quotes" },
};

static void test_texts(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(diag_done) struct diag d = { 0 };
		CLEANUP(gate_done) struct gate g = { 0 };
		int err = gate_check("f", cases[i].text, strlen(cases[i].text), &g, &d);

		ok(err == (cases[i].message ? -EINVAL : 0), "gate: %s", cases[i].text);
		is(d.count ? d.items[0].text : NULL, cases[i].message, "its message");
	}
}

static void test_nul(void)
{
	CLEANUP(diag_done) struct diag d = { 0 };
	CLEANUP(gate_done) struct gate g = { 0 };

	ok(gate_check("f", "a = 1;\n\0b", 9, &g, &d) == -EINVAL, "NUL is stopped");
	is(d.count ? d.items[0].text : NULL, "f:2: error: a NUL byte: this is no text",
	   "and its line is said");
}

/* Each text's own line; texts side by side are one to libconfig. */
static void test_lines(void)
{
	static const char text[] =
		"a = [\n\"x\"\n,\n\"y\"\n];\n# \"no\"\nb = \"\";\nc\n=\n\"v\"\n;\nd = \"w\"\n\"x\"";
	static const unsigned int want[] = { 2, 4, 7, 10, 12 };
	CLEANUP(diag_done) struct diag d = { 0 };
	CLEANUP(gate_done) struct gate g = { 0 };

	ok(gate_check("f", text, sizeof(text) - 1, &g, &d) == 0 && g.text_count == ARRAY_SIZE(want),
	   "five texts");
	for (size_t i = 0; i < ARRAY_SIZE(want) && i < g.text_count; i++)
		ok(g.text_lines[i] == want[i], "text %zu is in line %u", i, want[i]);
}

static void test_bounds(void)
{
	static char text[5000000];
	CLEANUP(diag_done) struct diag d = { 0 };
	CLEANUP(gate_done) struct gate g = { 0 };
	size_t len = 0;

	for (int i = 0; i < 65; i++)
		len += sprintf(text + len, "k%d = 1; ", i);
	ok(gate_check("f", text, len, &g, &d) == -EINVAL, "a group of 65 settings is stopped");
	is(d.items[0].text, "f:1: error: more than 64 settings in one group", "so it says");
	len = sprintf(text, "a = [ 1");
	for (int i = 0; i < 2000001; i++) {
		text[len++] = ',';
		text[len++] = '1';
	}
	ok(gate_check("g", text, len, &g, &d) == -EINVAL && d.count == 2,
	   "more than 2,000,000 values are stopped");
	is(d.items[1].text,
	   "g:1: error: more than 2000000 values in one file: long lists of prefixes belong in a "
	   "set's file",
	   "so it says");
}

int main(void)
{
	test_texts();
	test_nul();
	test_lines();
	test_bounds();
	return tap_done();
}
