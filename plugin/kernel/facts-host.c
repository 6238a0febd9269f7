/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Facts that netlink does not tell: which cgroups exist, and what time it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/vec.h"
#include "kernel/gather.h"

/* nft looks here and nowhere else. */
#define CGROUP_ROOT "/sys/fs/cgroup"

/* The directory below `dir` that is called by the first part of the path; -1: there is none. */
static int open_part(int dir, const char *path, size_t len)
{
	char name[NAME_MAX + 1];

	if (len >= sizeof(name))
		return -1;
	memcpy(name, path, len);
	name[len] = '\0';
	return openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Step by step, since systemd's RestrictSUIDSGID= denies openat2() to the units. The policy's room
 * lets no ".." through. Cgroup paths are written with and without the slash in front. */
static bool cgroup_exists(int root, const char *path)
{
	int fd = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;
	bool exists;

	for (path += strspn(path, "/"); fd >= 0 && *path; path += strspn(path, "/")) {
		size_t len = strcspn(path, "/");
		int next = open_part(fd, path, len);

		close(fd);
		fd = next;
		path += len;
	}
	if (fd < 0)
		return false;
	/* In the hybrid hierarchy the same path may be one of version 1, which nft does not know. */
	exists = fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
	close(fd);
	return exists;
}

static bool is_listed(const struct facts *f, const char *path)
{
	for (size_t i = 0; i < f->cgroup_count; i++)
		if (strcmp(f->cgroups[i], path) == 0)
			return true;
	return false;
}

static int add_cgroup(struct facts *f, const char *path)
{
	char *copy = strdup(path);
	char **room = copy ? VEC_PUSH(f->cgroups, f->cgroup_count) : NULL;

	if (!room) {
		free(copy);
		return -ENOMEM;
	}
	*room = copy;
	return 0;
}

int gather_cgroups(struct gather *g)
{
	const struct config *c = g->want->config;
	int root = -1, err = 0;

	for (size_t p = 0; c && p < c->policy_count; p++) {
		const struct name_match *m = &c->policies[p].cgroup;

		for (size_t i = 0; i < m->count && err == 0; i++) {
			if (root < 0)
				root = open(CGROUP_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
			if (root >= 0 && !is_listed(&g->facts, m->v[i].text) &&
			    cgroup_exists(root, m->v[i].text))
				err = add_cgroup(&g->facts, m->v[i].text);
		}
	}
	if (root >= 0)
		close(root);
	return err;
}

void gather_clock(struct gather *g)
{
	time_t now = time(NULL);
	struct tm local;

	g->facts.now = now;
	g->facts.utc_offset = localtime_r(&now, &local) ? (int32_t)local.tm_gmtoff : 0;
}
