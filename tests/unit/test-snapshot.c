/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The copy of a policy: what is written can be read back, and what was not written by it is refused.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/strbuf.h"
#include "commands/snapshot.h"
#include "tests/tap.h"

static char main_path[] = "/etc/ifsteer/ifsteer.conf";
static char main_text[] = "sets = ( { name = \"office\"; file = \"office.txt\"; } );\n";
static char more_path[] = "/etc/ifsteer/policy.d/1.conf";
static char more_text[] =
	"policies = ( { name = \"a\"; user = \"alice\"; dport = \"http\"; to = \"@office\"; action = \"main\"; } );";
static char set_path[] = "/etc/ifsteer/office.txt";
static char set_text[] = "10.0.0.0/8\n";
static char alice[] = "alice", http_tcp[] = "http/tcp", http_udp[] = "http/udp";

static struct source sources[] = {
	{ main_path, main_text, sizeof(main_text) - 1 },
	{ more_path, more_text, sizeof(more_text) - 1 },
	{ set_path, set_text, sizeof(set_text) - 1 },
};
static struct fact_name names[] = { { 'u', alice, 1000 }, { 's', http_tcp, 80 }, { 's', http_udp, 81 } };
static const struct snapshot written = { { sources, 3, 2 }, names, 3 };

static void test_round_trip(const struct strbuf *text)
{
	CLEANUP(snapshot_done) struct snapshot read = { 0 };
	CLEANUP(strbuf_done) struct strbuf again = { 0 };

	ok(snapshot_parse(text->text, text->len, &read) == 0, "is read back");
	ok(snapshot_same_text(&read, &written), "with the same text");
	ok(snapshot_print(&read, &again) == 0 && again.len == text->len && !memcmp(again.text, text->text, text->len),
	   "and written as it was");
	read.sources.v[2].text[0] = '2';
	ok(!snapshot_same_text(&read, &written), "a set's text counts");
}

static void test_config(const struct strbuf *text)
{
	CLEANUP(snapshot_done) struct snapshot read = { 0 };
	CLEANUP(config_done) struct config c = { 0 };
	struct diag d = { 0 };
	struct addr ten;

	if (!ok(snapshot_parse(text->text, text->len, &read) == 0 && snapshot_config(&read, &c, &d) == 0,
		"is a policy without its files and without anybody to ask")) {
		diag_finish(&d);
		for (size_t i = 0; i < d.count; i++)
			printf("# %s\n", d.items[i].text);
	}
	diag_done(&d);
	ok(c.policy_count == 1 && numbers_contain(&c.policies[0].user.yes, 1000), "the user as it was resolved");
	ok(c.policy_count == 1 && numbers_contain(&c.policies[0].dport.yes, 80), "the service, too");
	ok(addr_parse("10.1.2.3", &ten) == 0 && c.set_count == 1 &&
	   addr_ranges_contain(&c.sets[0].elements[FAMILY_IPV4], &ten), "the set's file as it was");
	is(c.policy_count == 1 ? c.policies[0].at.file : NULL, "/etc/ifsteer/policy.d/1.conf", "messages name the file");
}

/* Cut anywhere, it is refused or shorter by whole entries: nothing is read beyond its end. */
static void test_cut(const struct strbuf *text)
{
	size_t accepted = 0;

	for (size_t n = 0; n < text->len; n++) {
		CLEANUP(snapshot_done) struct snapshot read = { 0 };
		char *cut = malloc(n + 1);

		memcpy(cut, text->text, n);
		accepted += snapshot_parse(cut, n, &read) == 0;
		free(cut);
	}
	/* The first line alone, and behind each of the other entries but the last. */
	ok(accepted == 6, "a cut copy: %zu are whole", accepted);
}

static void refused(const char *text)
{
	CLEANUP(snapshot_done) struct snapshot read = { 0 };

	ok(snapshot_parse(text, strlen(text), &read) == -EINVAL, "refused: %s", text);
}

int main(void)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	char odd_path[] = "/etc/a\nb";
	struct source odd = { odd_path, odd_path, 0 };
	struct snapshot with_odd = { { &odd, 1, 1 }, NULL, 0 };
	CLEANUP(strbuf_done) struct strbuf none = { 0 };

	ok(snapshot_print(&written, &text) == 0, "is written");
	test_round_trip(&text);
	test_config(&text);
	test_cut(&text);
	refused("");
	refused("ifsteer policy copy 2\n");
	refused("ifsteer policy copy 1\nuser x alice\n");
	refused("ifsteer policy copy 1\nuser 1\n");
	refused("ifsteer policy copy 1\nfriend 1 alice\n");
	refused("ifsteer policy copy 1\npolicy 4294967296 /etc/a\n\n");
	refused("ifsteer policy copy 1\npolicy 5 /etc/a\n1234\n");
	refused("ifsteer policy copy 1\npolicy 3 /etc/a\n1234\n");
	refused("ifsteer policy copy 1\nset 0 /etc/a\n\npolicy 0 /etc/b\n\n");
	ok(snapshot_print(&with_odd, &none) == -EINVAL, "a path with a newline has no place in it");
	return tap_done();
}
