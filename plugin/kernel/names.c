/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Users, groups and services as this host knows them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stdlib.h>

#include "kernel/kernel.h"

/* The reentrant calls say -ERANGE until the buffer is large enough; a group may have thousands of
 * members. */
#define BUFFER_FIRST 1024
#define BUFFER_LAST (1 << 22)

typedef int (*look_up)(const char *name, char *buf, size_t size, uint32_t *ret);

static int look_up_user(const char *name, char *buf, size_t size, uint32_t *ret)
{
	struct passwd entry, *found;
	int err = getpwnam_r(name, &entry, buf, size, &found);

	if (found)
		*ret = entry.pw_uid;
	return found ? 0 : err ? -err : -ENOENT;
}

static int look_up_group(const char *name, char *buf, size_t size, uint32_t *ret)
{
	struct group entry, *found;
	int err = getgrnam_r(name, &entry, buf, size, &found);

	if (found)
		*ret = entry.gr_gid;
	return found ? 0 : err ? -err : -ENOENT;
}

static int with_buffer(look_up f, const char *name, uint32_t *ret)
{
	int err = -ERANGE;

	for (size_t size = BUFFER_FIRST; err == -ERANGE && size <= BUFFER_LAST; size *= 4) {
		char *buf = malloc(size);

		if (!buf)
			return -ENOMEM;
		err = f(name, buf, size, ret);
		free(buf);
	}
	/* What the databases say when there is no such name, or no database at all. */
	return err == -ESRCH || err == -EBADF || err == -EPERM ? -ENOENT : err;
}

static int host_user(void *ctx, const char *name, uint32_t *ret)
{
	(void)ctx;
	return with_buffer(look_up_user, name, ret);
}

static int host_group(void *ctx, const char *name, uint32_t *ret)
{
	(void)ctx;
	return with_buffer(look_up_group, name, ret);
}

static int host_service(void *ctx, const char *name, const char *protocol, uint16_t *ret)
{
	const struct servent *s = getservbyname(name, protocol);

	(void)ctx;
	if (!s)
		return -ENOENT;
	*ret = ntohs((uint16_t)s->s_port);
	return 0;
}

const struct names host_names = { host_user, host_group, host_service, NULL };
