/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * inotify on the directories in which a cgroup that the policy names appears, on those of DHCP
 * leases, and on /etc for localtime; a timer that goes off when local time does not go on evenly,
 * or the clock is set.
 */
#include "kernel/surroundings.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* nft looks here and nowhere else. */
#define CGROUP_ROOT "/sys/fs/cgroup"
#define CHANGES (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
/* dhclient adds to its file, and after its script has set addresses and routes; others rename. */
#define WRITTEN (IN_MODIFY | IN_MOVED_TO)
#define DAY 86400

/* ---- local time ---- */

static long utc_offset(time_t t)
{
	struct tm local = { 0 };

	localtime_r(&t, &local);
	return local.tm_gmtoff;
}

/* The first second with another offset within a year; else, the end of that year. */
static time_t next_change(time_t now)
{
	long offset = utc_offset(now);
	time_t low = now, high = now;

	for (int day = 0; day < 366 && utc_offset(high) == offset; day++) {
		low = high;
		high += DAY;
	}
	while (utc_offset(high) != offset && high - low > 1) {
		time_t middle = low + (high - low) / 2;

		if (utc_offset(middle) == offset)
			low = middle;
		else
			high = middle;
	}
	return high;
}

static int arm(int clock)
{
	struct itimerspec at = { 0 };

	/* localtime_r() alone goes by what /etc/localtime said when the process began. */
	tzset();
	at.it_value.tv_sec = next_change(time(NULL));
	return timerfd_settime(clock, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, NULL)
		       ? -errno : 0;
}

/* ---- files ---- */

/* Each directory on the way to the cgroup, as far as there are any: the next one appears in it. */
static int look_for(int files, const char *cgroup)
{
	char path[PATH_MAX];
	size_t end = sizeof(CGROUP_ROOT) - 1;

	cgroup += strspn(cgroup, "/");
	if (snprintf(path, sizeof(path), CGROUP_ROOT "/%s", cgroup) >= (int)sizeof(path))
		return 0; /* no cgroup can be called so */
	while (path[end]) {
		char next = path[end];

		path[end] = '\0';
		if (inotify_add_watch(files, path, CHANGES | IN_ONLYDIR | IN_DONT_FOLLOW) < 0)
			return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
		path[end] = next;
		end += strspn(path + end, "/");
		end += strcspn(path + end, "/");
	}
	return 0;
}

static int open_files(struct surroundings *s)
{
	int files = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (files < 0)
		return -errno;
	if (s->files >= 0)
		close(s->files);
	s->files = files;
	s->etc = inotify_add_watch(files, "/etc", CHANGES | IN_ONLYDIR);
	for (size_t i = 0; i < LEASE_DIRECTORIES; i++)
		s->leases[i] = inotify_add_watch(files, lease_directories[i], WRITTEN | IN_ONLYDIR);
	return 0;
}

/* What the files before have not been asked for is lost with them: all is looked at anew. */
int surroundings_focus(struct surroundings *s, const struct config *c)
{
	int err = open_files(s) ?: arm(s->clock);

	s->config = c;
	for (size_t p = 0; c && p < c->policy_count; p++)
		for (size_t i = 0; i < c->policies[p].cgroup.count && err == 0; i++)
			err = look_for(s->files, c->policies[p].cgroup.v[i].text);
	return err;
}

static bool has_component(const char *path, const char *name)
{
	size_t len = strlen(name);

	for (path += strspn(path, "/"); *path; path += strspn(path, "/")) {
		size_t n = strcspn(path, "/");

		if (n == len && !memcmp(path, name, len))
			return true;
		path += n;
	}
	return false;
}

static bool is_wanted(const struct surroundings *s, const char *name)
{
	const struct config *c = s->config;

	for (size_t p = 0; c && p < c->policy_count; p++)
		for (size_t i = 0; i < c->policies[p].cgroup.count; i++)
			if (has_component(c->policies[p].cgroup.v[i].text, name))
				return true;
	return false;
}

static bool is_news(const struct surroundings *s, const struct inotify_event *e)
{
	if (e->mask & IN_Q_OVERFLOW)
		return true;
	if (!e->len)
		return false;
	for (size_t i = 0; i < LEASE_DIRECTORIES; i++)
		if (e->wd == s->leases[i])
			return s->config && lease_is_file(e->name);
	return e->wd == s->etc ? !strcmp(e->name, "localtime") : is_wanted(s, e->name);
}

static bool read_files(const struct surroundings *s)
{
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool news = false;
	ssize_t n;

	while ((n = read(s->files, buffer, sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const void *)(buffer + at);

			news |= is_news(s, e);
			at += (ssize_t)sizeof(*e) + e->len;
		}
	return news;
}

bool surroundings_read(struct surroundings *s)
{
	uint64_t times;
	bool news = read_files(s);

	/* It went off, or the clock was set (ECANCELED), or localtime is another one. */
	if (read(s->clock, &times, sizeof(times)) > 0 || errno == ECANCELED)
		news = true;
	/* Where it can't be set anew, the next event is what notices the change. */
	if (news)
		(void)!arm(s->clock);
	return news;
}

int surroundings_open(struct surroundings *s)
{
	struct surroundings new = SURROUNDINGS_CLOSED;
	int err = 0;

	new.clock = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (new.clock < 0)
		err = -errno;
	if (err == 0)
		err = arm(new.clock);
	if (err == 0)
		err = open_files(&new);
	if (err < 0)
		surroundings_close(&new);
	else
		*s = new;
	return err;
}

void surroundings_close(struct surroundings *s)
{
	if (s->files >= 0)
		close(s->files);
	if (s->clock >= 0)
		close(s->clock);
	*s = (struct surroundings)SURROUNDINGS_CLOSED;
}
