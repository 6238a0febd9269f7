/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What is kept below /run/ifsteer, and the lock: events that race, runs that die, directories that
 * are somebody else's.
 */
#include "tests/netns/own-netns.h"

#include <net/if.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "kernel/kernel.h"

static struct addr address(const char *text)
{
	struct addr a = { 0 };

	if (addr_parse(text, &a))
		ok(false, "an address: %s", text);
	return a;
}

static int event(const char *name, bool is_up, const char *gateway)
{
	struct told t = { 0 };

	snprintf(t.name, sizeof(t.name), "%s", name);
	if (gateway) {
		struct addr a = address(gateway);

		t.has_gateway[a.family] = true;
		t.gateway[a.family] = a;
	}
	return told_write_event(&t, is_up);
}

/* "up|down [offline] [refused4] [refused6] [GATEWAY…]", "" when nothing was told. */
static const char *told(const char *name)
{
	static char text[200];
	struct told *v = NULL;
	size_t count = 0;

	*text = '\0';
	if (told_read(&v, &count))
		return "unreadable";
	for (size_t i = 0; i < count; i++) {
		char gateway[ADDR_TEXT_SIZE];

		if (strcmp(v[i].name, name) != 0)
			continue;
		snprintf(text, sizeof(text), "%s%s%s%s", v[i].down ? "down" : "up",
			 v[i].offline ? " offline" : "",
			 v[i].refused[FAMILY_IPV4] ? " refused4" : "",
			 v[i].refused[FAMILY_IPV6] ? " refused6" : "");
		for (int f = 0; f < FAMILY_COUNT; f++) {
			if (!v[i].has_gateway[f])
				continue;
			strcat(text, " ");
			strcat(text, addr_print(&v[i].gateway[f], gateway));
		}
	}
	free(v);
	return text;
}

static void take_all(void)
{
	if (told_take())
		ok(false, "told_take");
	told_taken();
}

static void test_events(void)
{
	is(told("eth2"), "", "nothing was told");
	ok(!told_pending(), "nothing waits");
	ok(event("eth2", true, "172.31.64.1") == 0 && told_pending(), "an event waits");
	is(told("eth2"), "up 172.31.64.1", "and is true already");
	ok(told_take() == 0 && told_pending(), "taken up, it waits to be carried out");
	told_taken();
	ok(!told_pending(), "carried out");
	is(told("eth2"), "up 172.31.64.1", "it is known");

	ok(event("eth2", false, NULL) == 0, "down");
	is(told("eth2"), "down", "down, and its gateway is forgotten");
	ok(event("eth2", true, "fe80::1") == 0 && event("eth0", true, NULL) == 0,
	   "up again, and another one");
	take_all();
	is(told("eth2"), "up fe80::1", "the current event's gateway and no other");
	is(told("eth0"), "up", "the other one");
}

static void test_offline(void)
{
	ok(told_set_offline("eth2", true) == 0, "offline");
	take_all();
	is(told("eth2"), "up offline fe80::1", "offline beside what is known");
	ok(event("eth2", false, NULL) == 0 && event("eth2", true, "172.31.64.1") == 0,
	   "down and up");
	take_all();
	is(told("eth2"), "up offline 172.31.64.1", "offline outlives that");
	ok(event("eth2", false, NULL) == 0 && told_set_offline("eth2", false) == 0,
	   "down and online");
	take_all();
	is(told("eth2"), "up", "online ends down as well");
}

static void test_refused(void)
{
	ok(told_set_refused("eth2", FAMILY_IPV6, true) == 0 && !told_pending(),
	   "refused is no event");
	is(told("eth2"), "up refused6", "refused");
	ok(told_set_refused("eth2", FAMILY_IPV6, false) == 0, "asked again");
	is(told("eth2"), "up", "not refused");
	ok(told_set_refused("eth2", FAMILY_IPV4, true) == 0 && event("eth2", true, NULL) == 0,
	   "refused, and up");
	is(told("eth2"), "up", "up ends it");
	take_all();
}

static void test_new_index(void)
{
	ok(told_set_offline("eth2", true) == 0 && event("eth2", false, NULL) == 0,
	   "offline and down");
	take_all();
	sh("ip link del eth2; ip link add eth2 type veth peer name p2");
	ok(told_set_refused("eth2", FAMILY_IPV4, true) == 0,
	   "another interface of that name is refused");
	is(told("eth2"), "up offline refused4",
	   "what a person said is true of it, and down is not");
	ok(event("gone", false, NULL) == 0, "one that is gone already");
	take_all();
	is(told("gone"), "", "is not kept");
	ok(event("later", true, "10.0.0.1") == 0, "one that is not there yet");
	take_all();
	is(told("later"), "up 10.0.0.1", "is");
}

static void test_names(void)
{
	static const char *const good[] = {
		".hidden", "\"};",
		"a'b\\c",  "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4x",
		"-",	   "lock",
		"@0",	   "%s%n"
	};
	static const char *const bad[] = { "", ".", "..", "a/b", "../x" };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		ok(event(good[i], true, "10.0.0.1") == 0, "a name: %s", good[i]);
		take_all();
		is(told(good[i]), "up 10.0.0.1", "it is known");
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ok(event(bad[i], true, NULL) == -EINVAL &&
			   told_set_offline(bad[i], true) == -EINVAL,
		   "no name: %s", bad[i]);
}

/* A run that ends between taking events up and carrying them out. */
static void test_killed(void)
{
	pid_t child;

	ok(event("eth0", false, NULL) == 0, "an event");
	child = fork();
	if (child == 0) {
		if (told_take())
			_exit(1);
		raise(SIGKILL);
	}
	waitpid(child, NULL, 0);
	ok(told_pending(), "it still waits");
	is(told("eth0"), "down", "and is known");
	take_all();
}

/* Two hundred hooks, and a run that takes up what it finds: none is lost. */
static void test_race(void)
{
	enum { HOOKS = 200 };
	pid_t children[HOOKS];
	int missing = 0, failed = 0, status;

	for (int i = 0; i < HOOKS; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			char name[NAME_SIZE];

			snprintf(name, sizeof(name), "race%d", i);
			_exit(event(name, false, NULL) || event(name, true, "10.0.0.1"));
		}
		if (i % 20 == 0)
			take_all();
	}
	for (int i = 0; i < HOOKS; i++) {
		waitpid(children[i], &status, 0);
		failed += status != 0;
	}
	take_all();
	ok(!failed && !told_pending(), "two hundred hooks");
	for (int i = 0; i < HOOKS; i++) {
		char name[NAME_SIZE];

		snprintf(name, sizeof(name), "race%d", i);
		missing += strcmp(told(name), "up 10.0.0.1") != 0;
	}
	ok(!missing, "each is known (%d are not)", missing);
}

/* What told_settle waits for: so many of its moments bring an event. */
static int storm, moments;

int nanosleep(const struct timespec *moment, struct timespec *left)
{
	(void)moment, (void)left;
	moments++;
	return storm && storm-- ? event("eth0", true, NULL) : 0;
}

static void test_settle(void)
{
	storm = 3;
	told_settle(INT64_MAX);
	ok(moments == 4, "awaited until a moment brings none (%d moments)", moments);
	storm = 3;
	moments = 0;
	told_settle(0);
	ok(moments == 1, "but not for ever (%d moments)", moments);
	storm = 0;
	take_all();
}

static const char *cookie_directory(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s", output("echo /run/ifsteer/*"));
	return path;
}

static void test_hostile(void)
{
	const char *dir = cookie_directory();
	struct stat st;

	ok(stat("/run/ifsteer", &st) == 0 && st.st_uid == 0 && (st.st_mode & 07777) == 0755,
	   "the directory is root's");
	sh("ln -s nonsense %s/inbox/1; ln -s 'up 1 - - a b c d e f g h' %s/inbox/2; echo "
	   ">%s/inbox/3; ln -s 'up x - - eth0' %s/inbox/4",
	   dir, dir, dir, dir);
	sh("ln -s nonsense %s/told/eth0 2>/dev/null; ln -sfn 'd 1 10.0.0.1' %s/told/eth0; ln -s 'd "
	   "4 fe80::1 - x' %s/told/y",
	   dir, dir, dir);
	is(told("eth0"), "", "what can't be read was not told");
	is(told("y"), "", "nor what has the wrong family");
	take_all();
	ok(!told_pending(), "and does not wait forever");

	sh("chmod 777 %s/told", dir);
	is(told("eth2"), "", "a directory that others can write says nothing");
	ok(told_set_refused("eth2", FAMILY_IPV4, true) == -EPERM, "and is not written");
	sh("chmod 755 %s/told; mv %s /run/elsewhere; ln -s /run/elsewhere %s", dir, dir, dir);
	is(told("eth2"), "", "a link is not followed");
	ok(event("eth2", true, NULL) == -ENOTDIR || event("eth2", true, NULL) == -ELOOP,
	   "nor written through");
	ok(lock_take(0) < 0, "no lock behind a link");
	sh("rm %s; mv /run/elsewhere %s", dir, dir);
	is(told("eth2"), "up offline refused4", "there again");

	sh("rm -f %s/lock; ln -s /run/target %s/lock", dir, dir);
	ok(lock_take(0) == -ELOOP, "a link in the place of the lock");
	sh("rm %s/lock; mkfifo %s/lock", dir, dir);
	ok(lock_take(0) == -EPERM, "a pipe in the place of the lock");
	sh("rm %s/lock", dir);
}

static void test_full(void)
{
	int fd;

	sh("dd if=/dev/zero of=/run/filler bs=64k 2>/dev/null; true");
	fd = open("/run/probe", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	ok(fd < 0 || write(fd, "x", 1) < 0, "/run is full");
	if (fd >= 0)
		close(fd);
	ok(event("eth0", true, "172.31.64.1") == 0, "an event is kept all the same");
	take_all();
	is(told("eth0"), "up 172.31.64.1", "and known");
	sh("rm -f /run/filler /run/probe");
}

static void test_lock(void)
{
	int64_t start = monotonic_ms(), waited;
	int fd = lock_take(start), end[2];
	pid_t child;

	ok(fd >= 0 && fcntl(fd, F_GETFD) & FD_CLOEXEC, "the lock");
	child = fork();
	if (child == 0) {
		int second = lock_take(monotonic_ms() + 300);

		_exit(second == -EBUSY && monotonic_ms() - start >= 300 ? 0 : 1);
	}
	waitpid(child, end, 0);
	waited = monotonic_ms() - start;
	ok(end[0] == 0 && waited < 1500,
	   "somebody who waits in vain goes after the time given (%lld ms)", (long long)waited);

	child = fork();
	if (child == 0) {
		close(fd);	/* it would hold the lock as well */
		_exit(lock_take(monotonic_ms() + 10000) >= 0 ? 0 : 1);
	}
	usleep(100000);
	start = monotonic_ms();
	close(fd);
	waitpid(child, end, 0);
	waited = monotonic_ms() - start;
	ok(end[0] == 0 && waited < 200, "somebody who waits gets it at once (%lld ms)",
	   (long long)waited);
	fd = lock_take(monotonic_ms());
	ok(fd >= 0, "free again when its holder ends");
	close(fd);
}

/* Takes the lock, and finds that nobody else has it. */
static int alone(void)
{
	int fd = lock_take(monotonic_ms() + 10000);
	int busy = open("/run/busy", O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	usleep(3000);
	return fd < 0 || busy < 0 || unlink("/run/busy");
}

static void test_queue(void)
{
	enum { RUNS = 20 };
	pid_t children[RUNS];
	int failed = 0, status;

	for (int i = 0; i < RUNS; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(alone());
	}
	for (int i = 0; i < RUNS; i++) {
		waitpid(children[i], &status, 0);
		failed += status != 0;
	}
	ok(!failed, "twenty runs, one after the other");
}

/* Another run in another network namespace, as long as `gate` is open not begun: a process asks for
 * its own namespace once. */
static pid_t start_other(int gate[2])
{
	char byte;
	pid_t child;

	if (pipe(gate))
		abort();
	child = fork();
	if (child)
		return child;
	close(gate[1]);
	_exit(read(gate[0], &byte, 1) || unshare(CLONE_NEWNET) || *told("eth2") ||
	      event("eth2", false, NULL) || strcmp(told("eth2"), "down") != 0);
}

static void test_other_netns(pid_t other, const int gate[2])
{
	int status;

	close(gate[1]);
	waitpid(other, &status, 0);
	ok(status == 0, "another network namespace knows nothing, and has its own");
	is(told("eth2"), "up offline refused4", "which is not ours");
}

int main(void)
{
	int gate[2];
	pid_t other;

	own_netns();
	other = start_other(gate);
	sh("ip link add eth2 type veth peer name p2; ip link add eth0 type veth peer name p0");
	test_events();
	test_offline();
	test_refused();
	test_new_index();
	test_names();
	test_killed();
	test_race();
	test_settle();
	test_hostile();
	test_lock();
	test_queue();
	test_other_netns(other, gate);
	test_full();
	return tap_done();
}
