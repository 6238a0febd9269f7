/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Policy files against what must be said of them: tests/policies/bad/NAME.conf and the messages in
 * NAME.expected, tests/policies/good/NAME.conf and a dump of what was understood. A directory NAME
 * is a policy of several files. With files as arguments: prints the same for them.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "policy/load.h"
#include "tests/tap.h"
#include "tests/unit/policy-dump.h"

#define FILES_MAX 8

/* libconfig 1.5 loses a text when it gives up in the middle of a file. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
}

/* ---- a host's names ---- */

static int find_id(void *ctx, const char *name, uint32_t *ret_id)
{
	(void)ctx;
	if (strcmp(name, "broken") == 0)
		return -EIO;
	if (strcmp(name, "www-data") != 0 && strcmp(name, "backup") != 0)
		return -ENOENT;
	*ret_id = *name == 'w' ? 33 : 34;
	return 0;
}

static int find_service(void *ctx, const char *name, const char *protocol, uint16_t *ret_port)
{
	static const struct {
		const char *name, *protocol;
		uint16_t port;
	} known[] = {
		{ "http", "tcp", 80 },	     { "https", "tcp", 443 }, { "https", "udp", 443 },
		{ "domain", "tcp", 53 },     { "domain", "udp", 53 }, { "ntp", "udp", 123 },
		{ "sip-tls", "sctp", 5061 },
	};

	(void)ctx;
	if (strcmp(name, "broken") == 0)
		return -EIO;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(known[i].name, name) == 0 && strcmp(known[i].protocol, protocol) == 0) {
			*ret_port = known[i].port;
			return 0;
		}
	}
	return -ENOENT;
}

static const struct names host = { .user = find_id, .group = find_id, .service = find_service };

/* ---- files ---- */

static int read_source(const char *path, struct source *ret)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	char buf[4096];
	size_t n;
	FILE *f = fopen(path, "re");

	if (!f)
		return -errno;
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		strbuf_add_bytes(&text, buf, n);
	fclose(f);
	n = text.len;
	*ret = (struct source){ .path = strdup(path), .len = n, .text = strbuf_take(&text) };
	return 0;
}

static void sources_free(struct source *v, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(v[i].path);
		free(v[i].text);
	}
}

/* `ctx` is room for one. */
static int read_set(void *ctx, const char *policy_path, const char *name, struct where at,
		    const struct source **ret, struct diag *d)
{
	struct source *room = ctx;

	(void)policy_path;
	sources_free(room, 1);
	*room = (struct source){ 0 };
	if (read_source(name, room) < 0)
		return diag_error(d, at, "file: \"%s\" can't be opened", name);
	*ret = room;
	return 0;
}

/* What is said of some files: the messages, then, if all is well, what was understood. */
static void judge(const struct source *files, size_t count, struct strbuf *out)
{
	CLEANUP(config_done) struct config c = { 0 };
	CLEANUP(diag_done) struct diag d = { 0 };
	struct source set = { 0 };
	int err = config_parse(files, count, &host, read_set, &set, &c, &d);

	sources_free(&set, 1);
	diag_finish(&d);
	for (size_t i = 0; i < d.count; i++)
		strbuf_printf(out, "%s\n", d.items[i].text);
	if (err == 0)
		policy_dump(&c, out);
	else if (err != -EINVAL || d.errors == 0)
		strbuf_printf(out, "error %d, %zu errors\n", err, d.errors);
}

static bool ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && strcmp(name + n - m, end) == 0;
}

static int is_conf(const struct dirent *e)
{
	return ends_in(e->d_name, ".conf");
}

/* A case is NAME.conf, or a directory of such files. */
static int is_case(const struct dirent *e)
{
	return e->d_name[0] != '.' && (is_conf(e) || !strchr(e->d_name, '.'));
}

static void expect(const char *name, const struct source *files, size_t count,
		   const char *expected_path)
{
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	struct source want = { 0 };

	judge(files, count, &got);
	if (read_source(expected_path, &want) < 0)
		ok(false, "%s: there is %s", name, expected_path);
	is(got.text, want.text, "%s", name);
	sources_free(&want, 1);
}

static void run_directory(const char *name)
{
	struct source files[FILES_MAX] = { 0 };
	struct dirent **entries = NULL;
	int n = chdir(name) == 0 ? scandir(".", &entries, is_conf, alphasort) : -1;
	size_t count = 0;

	for (int i = 0; i < n; i++) {
		if (count < FILES_MAX && read_source(entries[i]->d_name, &files[count]) == 0)
			count++;
		free(entries[i]);
	}
	free(entries);
	expect(name, files, count, "expected");
	sources_free(files, count);
	if (chdir("..") < 0)
		ok(false, "back from %s", name);
}

static void run_file(const char *name)
{
	struct source file = { 0 };
	char expected[256];

	snprintf(expected, sizeof(expected), "%.*s.expected", (int)(strlen(name) - strlen(".conf")),
		 name);
	if (read_source(name, &file) < 0)
		ok(false, "%s can be read", name);
	else
		expect(name, &file, 1, expected);
	sources_free(&file, 1);
}

/* All cases of a folder; at least so many, lest a wrong path passes for success. */
static void run_all(const char *folder, int least)
{
	struct dirent **entries = NULL;
	int n = chdir(folder) == 0 ? scandir(".", &entries, is_case, alphasort) : -1;

	ok(n >= least, "%s has at least %d cases", folder, least);
	for (int i = 0; i < n; i++) {
		if (is_conf(entries[i]))
			run_file(entries[i]->d_name);
		else
			run_directory(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	if (chdir("..") < 0)
		ok(false, "back from %s", folder);
}

/* ---- what files can't show ---- */

static void test_globs(void)
{
	static const struct {
		const char *pattern, *name;
		bool want;
	} cases[] = {
		{ "eth*", "eth0", true },    { "eth*", "eth", true },	 { "eth*", "weth0", false },
		{ "*", "anything", true },   { "*0", "eth00", true },	 { "*0", "eth01", false },
		{ "e*h*0", "eth10", true },  { "e*h*0", "eth1", false }, { "**", "", true },
		{ "a*b*c", "aXbXbc", true }, { "e?h0", "eth0", false },	 { "[e]*", "eth0", false },
		{ "eth0", "eth0", true },    { "eth0", "eth01", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ok(name_matches(cases[i].pattern, cases[i].name) == cases[i].want,
		   "\"%s\" and \"%s\"", cases[i].pattern, cases[i].name);
}

static void test_interfaces(void)
{
	char text[] =
		"interfaces = ( { name = \"e*\"; }, { name = \"*\"; }, { name = \"eth0\"; } );";
	const struct source file = { .path = text, .text = text, .len = strlen(text) };
	CLEANUP(config_done) struct config c = { 0 };
	CLEANUP(diag_done) struct diag d = { 0 };

	ok(config_parse(&file, 1, &host, NULL, NULL, &c, &d) == 0 && c.interface_count == 3,
	   "three interfaces");
	if (c.interface_count != 3)
		return;
	ok(config_interface(&c, "eth0") == &c.interfaces[2], "the exact name wins");
	ok(config_interface(&c, "eth1") == &c.interfaces[0], "then the first pattern");
	ok(config_interface(&c, "wlan0") == &c.interfaces[1], "then later ones");
	ok(config_interface(&c, "lo") == NULL, "no pattern is about lo");
}

static void test_unreadable(void)
{
	char text[] =
		"policies = ( { name = \"p\"; via = \"eth0\"; to = \"@s\"; dport = \"x y\"; } );";
	const struct source files[] = { { .path = text },
					{ .path = text, .text = text, .len = strlen(text) } };
	CLEANUP(config_done) struct config c = { 0 };
	CLEANUP(diag_done) struct diag d = { 0 };

	ok(config_parse(files, 2, &host, NULL, NULL, &c, &d) == -EINVAL && d.errors == 1 &&
		   c.policy_count == 0,
	   "beside a file that could not be read, references are not judged, all else is");
	ok(config_parse(NULL, 0, &host, NULL, NULL, &c, &d) == 0 &&
		   c.settings.mark_mask == 0xff000000,
	   "no files: the defaults");
}

/* 100,000 policies in a few bytes each: what is quadratic would take minutes. */
static void test_many(void)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	CLEANUP(config_done) struct config c = { 0 };
	CLEANUP(diag_done) struct diag d = { 0 };
	struct source file = { .path = (char[]){ "many" } };

	strbuf_add(&text, "interfaces = ( { name = \"*\"; } ); sets = ( { name = \"s\"; dynamic = "
			  "true; } ); policies = (");
	for (int i = 0; i < 100000; i++)
		strbuf_printf(&text, "{name=\"p%d\";to=(\"@s\",\"10.%d.%d.0/24\");via=\"e%d\";},",
			      i, i / 256 % 256, i % 256, i);
	/* libconfig 1.5 takes no comma behind the last one. */
	text.text[text.len - 1] = ')';
	strbuf_add(&text, ";");
	file.text = text.text;
	file.len = text.len;
	ok(config_parse(&file, 1, &host, NULL, NULL, &c, &d) == 0 && c.policy_count == 100000,
	   "100,000 policies");
}

static int print_files(int argc, char **argv)
{
	CLEANUP(strbuf_done) struct strbuf out = { 0 };
	struct source files[FILES_MAX] = { 0 };
	size_t count = 0;

	for (int i = 1; i < argc && count < FILES_MAX; i++)
		if (read_source(argv[i], &files[count]) == 0)
			count++;
	judge(files, count, &out);
	fputs(out.text ? out.text : "", stdout);
	sources_free(files, count);
	return 0;
}

int main(int argc, char **argv)
{
	const char *srcdir = getenv("srcdir");

	if (argc > 1)
		return print_files(argc, argv);
	test_globs();
	test_interfaces();
	test_unreadable();
	test_many();
	if (chdir(srcdir ? srcdir : ".") < 0 || chdir("tests/policies") < 0) {
		printf("Bail out! no tests/policies\n");
		return 1;
	}
	run_all("bad", 200);
	run_all("good", 10);
	return tap_done();
}
