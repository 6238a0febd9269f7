/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Messages: their form, their order, their bound, and what counts as a near miss.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/diag.h"
#include "tests/tap.h"

static void test_form(void)
{
	CLEANUP(diag_done) struct diag d = { 0 };

	ok(diag_error(&d, (struct where){ "a.conf", 12 }, "no \"%s\"", "eth2") == -EINVAL,
	   "an error is -EINVAL");
	diag_warning(&d, (struct where){ "a.conf", 0 }, "b\x1b");
	diag_note(&d, (struct where){ NULL, 7 }, "c");
	diag_error(&d, (struct where){ "\n.conf", 1 }, "d");
	ok(d.count == 4 && d.errors == 2, "all are kept, errors are counted");
	is(d.items[0].text, "a.conf:12: error: no \"eth2\"", "file and line");
	is(d.items[1].text, "a.conf: warning: b\\x1b", "a file as a whole, a control byte");
	is(d.items[2].text, "ifsteer: note: c", "no place");
	is(d.items[3].text, "\\x0a.conf:1: error: d", "a strange file name");
}

static void test_order(void)
{
	static const char *const want[] = {
		"b:1: error: 1", "b:9: error: 2", "b:9: error: 3", "a:2: error: 4", "a:3: error: 5",
	};
	CLEANUP(diag_done) struct diag d = { 0 };

	diag_error(&d, (struct where){ "b", 9 }, "2");
	diag_error(&d, (struct where){ "a", 3 }, "5");
	diag_error(&d, (struct where){ "b", 9 }, "3");
	diag_error(&d, (struct where){ "b", 1 }, "1");
	diag_error(&d, (struct where){ "a", 2 }, "4");
	diag_finish(&d);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		is(i < d.count ? d.items[i].text : NULL, want[i], "message %zu after sorting", i);
}

static void test_bound(void)
{
	CLEANUP(diag_done) struct diag d = { 0 };

	for (unsigned int i = 1; i <= 100; i++)
		diag_error(&d, (struct where){ "full", i }, "x");
	for (unsigned int i = 1; i <= 101; i++)
		diag_error(&d, (struct where){ "one", i }, "x");
	for (unsigned int i = 1; i <= 350; i++)
		diag_warning(&d, (struct where){ "many", i }, "x");
	ok(d.count == 300 && d.errors == 201, "100 for each file are kept, all are counted");
	diag_finish(&d);
	ok(d.count == 302, "one line for each file that has more");
	is(d.items[200].text, "one: note: 1 more problem is not shown", "one more");
	is(d.items[301].text, "many: note: 250 more problems are not shown", "many more");
}

static void test_nearest(void)
{
	static const char *const keys[] = { "via",  "balance", "table", "action",
					    "from", "to",      "in",	"dport" };
	static const struct {
		const char *word, *want;
	} cases[] = {
		{ "vai", "via" },
		{ "bia", "via" },
		{ "Via", "via" },
		{ "VIA", "via" },
		{ "vias", "via" },
		{ "balnce", "balance" },
		{ "ballanse", "balance" },
		{ "tables", "table" },
		{ "form", "from" },
		{ "dports", "dport" },
		{ "port", "dport" },
		{ "xyz", NULL },
		{ "", NULL },
		{ "gateway", NULL },
		{ "ot", NULL },
	};
	char huge[5000];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		is(diag_nearest(cases[i].word, keys, ARRAY_SIZE(keys)), cases[i].want,
		   "nearest to \"%s\"", cases[i].word);
	memset(huge, 'a', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	ok(diag_nearest(huge, keys, ARRAY_SIZE(keys)) == NULL, "a huge word resembles nothing");
}

int main(void)
{
	test_form();
	test_order();
	test_bound();
	test_nearest();
	return tap_done();
}
