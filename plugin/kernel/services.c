/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whether a service is enabled or running, without asking systemd: there may be none, and nothing
 * is started for it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/doctor.h"

/* The first two are where a unit is masked. */
static const char *const unit_dirs[] = {
	"/etc/systemd/system",	   "/run/systemd/system", "/usr/local/lib/systemd/system",
	"/usr/lib/systemd/system", "/lib/systemd/system",
};
#define MASKING_DIRS 2

static bool is_masked(int dir, const char *unit)
{
	char target[32];
	ssize_t len = readlinkat(dir, unit, target, sizeof(target));

	return len == (ssize_t)strlen("/dev/null") && memcmp(target, "/dev/null", (size_t)len) == 0;
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t len = strlen(name), n = strlen(suffix);

	return len > n && strcmp(name + len - n, suffix) == 0;
}

/* Somebody in this directory wants it. */
static bool is_wanted(DIR *dir, const char *unit)
{
	static const char *const relations[] = { ".wants", ".requires", ".upholds" };
	struct dirent *e;

	while ((e = readdir(dir))) {
		char path[PATH_MAX];
		struct stat st;

		for (size_t i = 0; i < ARRAY_SIZE(relations); i++) {
			if (!has_suffix(e->d_name, relations[i]))
				continue;
			snprintf(path, sizeof(path), "%s/%s", e->d_name, unit);
			if (fstatat(dirfd(dir), path, &st, AT_SYMLINK_NOFOLLOW) == 0)
				return true;
		}
	}
	return false;
}

static void look_for_unit(const char *unit, struct service *s)
{
	bool masked = false;

	for (size_t i = 0; i < ARRAY_SIZE(unit_dirs); i++) {
		DIR *dir = opendir(unit_dirs[i]);
		struct stat st;

		if (!dir)
			continue;
		masked |= i < MASKING_DIRS && is_masked(dirfd(dir), unit);
		s->installed |= fstatat(dirfd(dir), unit, &st, 0) == 0 && S_ISREG(st.st_mode);
		s->enabled |= is_wanted(dir, unit);
		closedir(dir);
	}
	s->installed &= !masked;
	s->enabled &= !masked;
}

/* A process of another network namespace, of a container for instance, is not this host's. */
static bool is_here(int proc, const char *pid, const struct stat *netns)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/ns/net", pid);
	return fstatat(proc, path, &st, 0) == 0 && st.st_dev == netns->st_dev &&
	       st.st_ino == netns->st_ino;
}

/* The kernel keeps 15 bytes of a program's name. */
static bool is_called(int proc, const char *pid, const char *process)
{
	char path[PATH_MAX], name[16] = "";
	int fd;
	ssize_t len;

	snprintf(path, sizeof(path), "%s/comm", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	len = read(fd, name, sizeof(name));
	close(fd);
	return len > 1 && strncmp(name, process, (size_t)len - 1) == 0 &&
	       (len == 16 || process[len - 1] == '\0');
}

static bool is_running(const char *process)
{
	struct stat netns;
	bool found = false;
	struct dirent *e;
	DIR *proc;

	if (stat("/proc/self/ns/net", &netns) < 0)
		return false;
	proc = opendir("/proc");
	while (proc && !found && (e = readdir(proc)))
		if (e->d_name[0] >= '0' && e->d_name[0] <= '9')
			found = is_called(dirfd(proc), e->d_name, process) &&
				is_here(dirfd(proc), e->d_name, &netns);
	if (proc)
		closedir(proc);
	return found;
}

/* systemd keeps this link while a unit is active: also of one whose process has ended, as
 * nftables.service's does. */
static bool is_active(const char *unit)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "/run/systemd/units/invocation:%s", unit);
	return lstat(path, &st) == 0;
}

struct service service_look(const char *unit, const char *process)
{
	struct service s = { 0 };

	look_for_unit(unit, &s);
	s.running = is_active(unit) || (process && is_running(process));
	return s;
}
