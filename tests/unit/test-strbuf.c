/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Text that grows; bytes of others made visible and put into JSON.
 */
#include <stdlib.h>

#include "base/strbuf.h"
#include "tests/tap.h"

static void test_growth(void)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	bool fine = true;
	char *text;

	for (int i = 0; i < 1000; i++)
		strbuf_printf(&b, "%03d", i);
	for (int i = 0; i < 1000 && fine; i++)
		fine = b.text[3 * i + 2] == '0' + i % 10 && b.text[3 * i] == '0' + i / 100;
	ok(fine && b.len == 3000 && strlen(b.text) == 3000, "a thousand pieces");
	strbuf_add_bytes(&b, "\0x", 2);
	ok(b.len == 3002 && b.text[3001] == 'x' && b.text[3002] == '\0', "bytes are bytes");
	text = strbuf_take(&b);
	ok(text && !b.text && b.len == 0, "taken and empty");
	free(text);
	text = strbuf_take(&b);
	is(text, "", "nothing is an empty text");
	free(text);

	/* Each length around the first size. */
	for (size_t n = 60; n < 70; n++) {
		char word[80];

		memset(word, 'a', n);
		word[n] = '\0';
		strbuf_printf(&b, "%s", word);
		fine = fine && b.len == n && strcmp(b.text, word) == 0;
		strbuf_done(&b);
		strbuf_add(&b, word);
		fine = fine && b.len == n && strcmp(b.text, word) == 0;
		strbuf_done(&b);
	}
	ok(fine, "lengths around the first allocation");
}

static void test_failure(void)
{
	CLEANUP(strbuf_done) struct strbuf b = { .failed = true };

	strbuf_add(&b, "x");
	strbuf_printf(&b, "%d", 1);
	ok(strbuf_take(&b) == NULL && !b.failed, "a failure is remembered until the text is taken");
}

static void test_visible(void)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "eth0", "eth0" },
		{ "a\nb\tc\x1b[31m\x7f", "a\\x0ab\\x09c\\x1b[31m\\x7f" },
		{ "gr\xc3\xbc\xc3\x9f"
		  "e \xe2\x82\xac \xf0\x9f\x98\x80",
		  "gr\xc3\xbc\xc3\x9f"
		  "e \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "\xff", "\\xff" },
		{ "\xc2\x9b", "\\xc2\\x9b" },
		{ "\xc0\x80", "\\xc0\\x80" },
		{ "\xe2\x82", "\\xe2\\x82" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
		{ "e\\*", "e\\*" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(strbuf_done) struct strbuf b = { 0 };
		char *text;

		strbuf_add_visible(&b, cases[i].in);
		text = strbuf_take(&b);
		is(text, cases[i].out, "visible: %s", cases[i].out);
		free(text);
	}
}

static void test_json(void)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "\"\"" },
		{ "eth0", "\"eth0\"" },
		{ "\"};", "\"\\\"};\"" },
		{ "a\\b\n\x01\x7f", "\"a\\\\b\\u000a\\u0001\\u007f\"" },
		{ "\xc3\xbc\xf0\x9f\x98\x80", "\"\xc3\xbc\xf0\x9f\x98\x80\"" },
		{ "\xff"
		  "a\xc3",
		  "\"\xef\xbf\xbd"
		  "a\xef\xbf\xbd\"" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(strbuf_done) struct strbuf b = { 0 };
		char *text;

		strbuf_add_json(&b, cases[i].in);
		text = strbuf_take(&b);
		is(text, cases[i].out, "json: case %zu", i);
		free(text);
	}
}

int main(void)
{
	test_growth();
	test_failure();
	test_visible();
	test_json();
	return tap_done();
}
