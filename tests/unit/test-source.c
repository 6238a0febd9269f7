/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Real files and directories against config_load: what is trusted, what is refused in which words,
 * what is read in which order. In a mount namespace of its own, since /etc/ifsteer is one of the
 * paths.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "policy/load.h"
#include "tests/tap.h"

#define EMPTY "policies = ( );\n"
#define NOBODY 65534

static char top[] = "/tmp/ifsteer-source.XXXXXX";

static int unknown(void *ctx, const char *name, uint32_t *ret_id)
{
	(void)ctx;
	(void)name;
	(void)ret_id;
	return -ENOENT;
}

static int unknown_service(void *ctx, const char *name, const char *protocol, uint16_t *ret_port)
{
	(void)ctx;
	(void)name;
	(void)protocol;
	(void)ret_port;
	return -ENOENT;
}

static const struct names nobody = { .user = unknown,
				     .group = unknown,
				     .service = unknown_service };

/* Paths below the folder of this test; the folder itself is written as TOP in messages. */
static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "we");
	bool good = f && fputs(text, f) >= 0;

	if ((f && fclose(f) != 0) || !good || chmod(path, mode) < 0)
		printf("Bail out! %s: %m\n", path);
}

static void make_directory(const char *path, mode_t mode)
{
	if (mkdir(path, 0755) < 0 || chmod(path, mode) < 0)
		printf("Bail out! %s: %m\n", path);
}

static void without_top(struct strbuf *out, const char *text)
{
	const char *found;

	while ((found = strstr(text, top))) {
		strbuf_add_bytes(out, text, found - text);
		strbuf_add(out, "TOP");
		text = found + strlen(top);
	}
	strbuf_add(out, text);
	strbuf_add(out, "\n");
}

/* Loads, and compares the messages, each with a newline. */
static void expect(const char *path, bool trust_owner, const char *want, const char *what)
{
	CLEANUP(strbuf_done) struct strbuf got = { 0 };
	CLEANUP(sources_done) struct sources sources = { 0 };
	CLEANUP(config_done) struct config c = { 0 };
	CLEANUP(diag_done) struct diag d = { 0 };
	struct load_options o = { .path = path, .trust_owner = trust_owner };
	int err = config_load(&o, &nobody, &c, &sources, &d);

	diag_finish(&d);
	strbuf_add(&got, "");
	for (size_t i = 0; i < d.count; i++)
		without_top(&got, d.items[i].text);
	is(got.text, want, "%s", what);
	ok(err == (*want ? -EINVAL : 0), "%s: %s", what, *want ? "refused" : "taken");
}

static void test_files(void)
{
	write_file("good", EMPTY, 0644);
	expect("good", false, "", "root's file");
	write_file("private", EMPTY, 0400);
	expect("private", false, "", "root's file that nobody else can read");
	write_file("group", EMPTY, 0664);
	expect("group", false,
	       "group: error: can be written by others than its owner (mode 0664)\n",
	       "a file that its group can write");
	expect("group", true, "", "the same where owners are not judged");
	write_file("others", EMPTY, 0606);
	expect("others", false,
	       "others: error: can be written by others than its owner (mode 0606)\n",
	       "a file that everybody can write");
	write_file("foreign", EMPTY, 0600);
	if (chown("foreign", NOBODY, 0) < 0)
		printf("Bail out! chown: %m\n");
	expect("foreign", false, "foreign: error: belongs to user 65534, not to root\n",
	       "somebody else's file");
	expect("foreign", true, "", "the same where owners are not judged");
	expect("missing", false, "missing: error: can't be opened: No such file or directory\n",
	       "no file");
	if (mkfifo("fifo", 0600) < 0)
		printf("Bail out! mkfifo: %m\n");
	expect("fifo", false, "fifo: error: is not a regular file\n", "a FIFO that nobody writes");
	expect("/dev/zero", true, "/dev/zero: error: is not a regular file\n",
	       "a device without end");
	expect("/proc/self/mem", true, "/proc/self/mem: error: can't be read: Input/output error\n",
	       "a file whose reading fails");
}

static void test_contents(void)
{
	int fd = open("large", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, (64 << 20) + 1) < 0)
		printf("Bail out! large: %m\n");
	expect("large", false, "large: error: has more than 64 MiB\n", "a file one byte too large");
	if (ftruncate(fd, 100) < 0)
		printf("Bail out! large: %m\n");
	close(fd);
	expect("large", false, "large: error: contains a NUL byte: this is no text\n",
	       "a file of NUL");
	write_file("empty", "", 0600);
	expect("empty", false, "", "an empty file");
	/* Its size is 0 by fstat. */
	expect("/proc/sys/kernel/ostype", true,
	       "/proc/sys/kernel/ostype:1: error: \"=\" is missing behind \"Linux\": expected key "
	       "= value;\n",
	       "a file that is made up on reading");
}

static void test_directories(void)
{
	make_directory("open", 0777);
	write_file("open/file", EMPTY, 0600);
	expect("open/file", false,
	       "open/file: error: is in open, a directory that others can write (mode 0777)\n",
	       "a file in a directory that everybody can write");
	make_directory("grouped", 0775);
	write_file("grouped/file", EMPTY, 0600);
	expect("grouped/file", false,
	       "grouped/file: error: is in grouped, a directory that others can write (mode "
	       "0775)\n",
	       "a file in a directory that a group can write");
	make_directory("sticky", 01777);
	write_file("sticky/file", EMPTY, 0600);
	expect("sticky/file", false, "", "root's file in a sticky directory");
	make_directory("foreign-dir", 0755);
	write_file("foreign-dir/file", EMPTY, 0600);
	if (chown("foreign-dir", NOBODY, 0) < 0)
		printf("Bail out! chown: %m\n");
	expect("foreign-dir/file", false,
	       "foreign-dir/file: error: is in foreign-dir, a directory of user 65534, not "
	       "root's\n",
	       "a file in somebody else's directory");
	expect("foreign-dir/file", true, "", "the same where owners are not judged");
}

static void test_links(void)
{
	if (symlink("good", "link") < 0 || symlink("foreign", "link-foreign") < 0 ||
	    symlink("open/file", "link-open") < 0 || symlink("../good", "open/link") < 0 ||
	    symlink("nowhere", "dangling") < 0 || symlink("loop", "loop") < 0)
		printf("Bail out! symlink: %m\n");
	expect("link", false, "", "a link to root's file");
	expect("link-foreign", false, "link-foreign: error: belongs to user 65534, not to root\n",
	       "a link to somebody else's file");
	expect("link-open", false,
	       "link-open: error: is in TOP/open, a directory that others can write (mode 0777)\n",
	       "a link to a file where everybody can put another");
	expect("open/link", false,
	       "open/link: error: is in open, a directory that others can write (mode 0777)\n",
	       "a link that everybody can replace");
	expect("dangling", false, "dangling: error: is a link to nothing\n", "a link to nothing");
	expect("loop", false, "loop: error: can't be opened: Too many levels of symbolic links\n",
	       "a link to itself");
}

static void test_unreadable(void)
{
	write_file("secret", EMPTY, 0600);
	if (seteuid(NOBODY) < 0)
		printf("Bail out! seteuid: %m\n");
	expect("secret", false, "secret: error: can't be opened: Permission denied\n",
	       "a file that the caller can't read");
	expect("good", false, "", "and one that it can");
	if (seteuid(0) < 0)
		printf("Bail out! seteuid: %m\n");
}

/* ---- directories laid out like /etc/ifsteer ---- */

#define POLICY(name) "policies = ( { name = \"" name "\"; action = \"main\"; } );\n"

static void test_order(void)
{
	static const char *const want[] = { "main", "upper", "ten", "two", "umlaut" };
	CLEANUP(sources_done) struct sources sources = { 0 };
	CLEANUP(config_done) struct config c = { 0 };
	CLEANUP(diag_done) struct diag d = { 0 };
	struct load_options o = { .path = "etc///" };
	bool fine;

	make_directory("etc", 0755);
	make_directory("etc/policy.d", 0755);
	write_file("etc/policy.d/2.conf", POLICY("two"), 0600);
	write_file("etc/policy.d/10.conf", POLICY("ten"), 0600);
	write_file("etc/policy.d/\xc3\xa4.conf", POLICY("umlaut"), 0600);
	write_file("etc/policy.d/.hidden.conf", "not read", 0600);
	write_file("etc/policy.d/.conf", "not read", 0600);
	write_file("etc/policy.d/2.conf~", "not read", 0666);
	write_file("etc/policy.d/README", "not read", 0600);
	write_file("etc/ifsteer.conf", POLICY("main"), 0600);
	write_file("etc/policy.d/0A.conf",
		   "sets = ( { name = \"s\"; file = \"s.txt\"; },\n"
		   "{ name = \"t\"; file = [ \"../t.txt\", \"s.txt\" ]; } );\n" POLICY("upper"),
		   0600);
	write_file("etc/policy.d/s.txt", "10.0.0.0/8\n", 0600);
	write_file("etc/t.txt", "11.0.0.0/8\n", 0600);
	fine = config_load(&o, &nobody, &c, &sources, &d) == 0 &&
	       c.policy_count == ARRAY_SIZE(want);
	ok(fine, "five policies of five files");
	for (size_t i = 0; fine && i < ARRAY_SIZE(want); i++)
		is(c.policies[i].name, want[i], "policy %zu", i);
	ok(sources.policy_count == 5 && sources.count == 7,
	   "five policy files and two set files are kept");
	fine = sources.count == 7;
	is(fine ? sources.v[0].path : NULL, "etc/ifsteer.conf", "ifsteer.conf is the first");
	is(fine ? sources.v[1].path : NULL, "etc/policy.d/0A.conf", "then in the order of bytes");
	is(fine ? sources.v[5].path : NULL, "etc/policy.d/s.txt",
	   "set files come behind, once each");
	is(fine ? sources.v[5].text : NULL, "10.0.0.0/8\n", "as read");
	ok(c.set_count == 2 && c.sets[1].elements[FAMILY_IPV4].count == 1,
	   "a set of two files is merged");
	is(c.policy_count ? c.policies[0].at.file : NULL, "etc/ifsteer.conf",
	   "places name the file");
}

static void test_all_problems(void)
{
	make_directory("bad", 0755);
	make_directory("bad/policy.d", 0755);
	make_directory("bad/policy.d/30-directory.conf", 0755);
	write_file("bad/ifsteer.conf", "policies = ( { name = \"p\"; via = eth0; } );", 0600);
	write_file("bad/policy.d/10.conf",
		   "policies = ( { name = \"p\"; to = \"10.0.0.0/33\"; via = \"x\"; } );", 0600);
	write_file("bad/policy.d/20.conf", POLICY("q"), 0602);
	write_file("bad/policy.d/40.conf", "sets = ( { name = \"s\"; file = \"s.txt\"; } );", 0600);
	if (symlink("gone", "bad/policy.d/50.conf") < 0)
		printf("Bail out! symlink: %m\n");
	write_file("bad/policy.d/s.txt", "x\n", 0622);
	expect("bad", false,
	       "bad/policy.d/20.conf: error: can be written by others than its owner (mode 0602)\n"
	       "bad/policy.d/30-directory.conf: error: is a directory, not a file\n"
	       "bad/policy.d/50.conf: error: is a link to nothing\n"
	       "bad/ifsteer.conf:1: error: eth0 must stand in quotes\n"
	       "bad/policy.d/10.conf:1: error: policy \"p\": to: \"10.0.0.0/33\" is not an "
	       "address, prefix or range\n"
	       "bad/policy.d/40.conf:1: error: file: \"bad/policy.d/s.txt\" can be written by "
	       "others than its owner "
	       "(mode 0622)\n",
	       "every problem of every file in one run");
}

static void test_policy_directories(void)
{
	make_directory("none", 0755);
	expect("none", false, "none: error: has neither ifsteer.conf nor policy.d/*.conf\n",
	       "an empty directory");
	make_directory("parts", 0755);
	make_directory("parts/policy.d", 0777);
	expect("parts", false, "parts/policy.d: error: is a directory that others can write\n",
	       "a policy.d where everybody can add files");
	make_directory("file", 0755);
	write_file("file/policy.d", EMPTY, 0600);
	expect("file", false, "file/policy.d: error: can't be opened: Not a directory\n",
	       "a policy.d that is a file");
}

static void test_default(void)
{
	expect(NULL, false, "", "no /etc/ifsteer: an empty policy");
	make_directory("/etc/ifsteer", 0755);
	expect(NULL, false, "", "an empty /etc/ifsteer: an empty policy");
	write_file("/etc/ifsteer/ifsteer.conf", "policies = ( { name = \"p\"; vai = \"x\"; } );",
		   0644);
	expect(NULL, false,
	       "/etc/ifsteer/ifsteer.conf:1: error: policy \"p\": unknown key \"vai\"; did you "
	       "mean \"via\"?\n",
	       "/etc/ifsteer/ifsteer.conf is read");
	if (unlink("/etc/ifsteer/ifsteer.conf") < 0 ||
	    symlink("gone", "/etc/ifsteer/ifsteer.conf") < 0)
		printf("Bail out! symlink: %m\n");
	expect(NULL, false, "/etc/ifsteer/ifsteer.conf: error: is a link to nothing\n",
	       "a link to nothing is not no file");
}

/* Nothing here may be seen by anybody else, or stay. */
static bool private_files(void)
{
	return geteuid() == 0 && mkdtemp(top) && unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("none", top, "tmpfs", 0, "mode=0755") == 0 &&
	       mount("none", "/etc", "tmpfs", 0, "mode=0755") == 0 && chdir(top) == 0 &&
	       mknod("probe", S_IFREG | 0600, 0) == 0 && chown("probe", NOBODY, 0) == 0;
}

int main(void)
{
	if (!private_files()) {
		printf("1..0 # SKIP needs root that can mount and chown\n");
		rmdir(top);
		return 0;
	}
	umask(022);
	test_files();
	test_contents();
	test_directories();
	test_links();
	test_unreadable();
	test_order();
	test_all_problems();
	test_policy_directories();
	test_default();
	if (chdir("/") < 0 || umount2(top, MNT_DETACH) < 0 || rmdir(top) < 0)
		printf("# %s stays: %m\n", top);
	return tap_done();
}
