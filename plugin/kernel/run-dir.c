/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Directories and notes below /run/ifsteer. Each is opened by descriptor, links are not followed,
 * and what was opened is judged, not its path.
 */
#include "kernel/run-dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT "/run/ifsteer"

static int get_cookie(uint64_t *ret)
{
	socklen_t len = sizeof(*ret);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	err = getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, ret, &len) ? -errno : 0;
	close(fd);
	return err;
}

bool run_dir_is_certain(void)
{
	uint64_t cookie;

	return get_cookie(&cookie) == 0;
}

/* This network namespace's cookie, which is never given twice; inode numbers are, but older kernels
 * have nothing else. */
static int print_cookie(char *buf, size_t size)
{
	uint64_t cookie = 0;
	struct stat st;
	int err = get_cookie(&cookie);

	if (err == 0)
		snprintf(buf, size, "%llu", (unsigned long long)cookie);
	else if (err == -ENOPROTOOPT && stat("/proc/self/ns/net", &st) == 0)
		snprintf(buf, size, "inode-%llu", (unsigned long long)st.st_ino);
	else
		return err;
	return 0;
}

static int open_at(int at, const char *path, bool create)
{
	struct stat st;
	int unmade = !create ? -EEXIST : mkdirat(at, path, 0755) ? -errno : 0;
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), err;

	if (fd < 0)
		return errno == ENOENT && create ? unmade : -errno;
	if (unmade == 0)
		(void)fchmod(fd, 0755);		/* whatever the manager's umask is */
	err = fstat(fd, &st) ? -errno : 0;
	if (err == 0 && (st.st_uid != 0 || st.st_mode & (S_IWGRP | S_IWOTH)))
		err = -EPERM;
	if (err == 0)
		return fd;
	close(fd);
	return err;
}

int run_dir_open(const char *below, bool create)
{
	char cookie[32];
	int err = print_cookie(cookie, sizeof(cookie)), root, dir, fd;

	if (err < 0)
		return err;
	root = open_at(AT_FDCWD, ROOT, create);
	if (root < 0)
		return root;
	dir = open_at(root, cookie, create);
	close(root);
	if (dir < 0 || !below)
		return dir;
	fd = open_at(dir, below, create);
	close(dir);
	return fd;
}

int run_dir_list(int dir, int (*each)(int dir, const char *name, void *ctx), void *ctx)
{
	/* A description of its own: a duplicate would share its place in the directory. */
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (!d) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	while (err == 0 && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			err = each(dir, e->d_name, ctx);
	closedir(d);
	return err;
}

int note_add(int dir, const char *name, const char *text)
{
	return symlinkat(text, dir, name) ? -errno : 0;
}

int note_replace(int scratch, int dir, const char *name, const char *text)
{
	static const char fresh[] = "note";
	int err;

	note_remove(scratch, fresh);
	err = note_add(scratch, fresh, text);
	if (err == 0 && renameat(scratch, fresh, dir, name))
		err = -errno;
	return err;
}

int note_read(int dir, const char *name, char ret[static NOTE_SIZE])
{
	ssize_t len = readlinkat(dir, name, ret, NOTE_SIZE);

	if (len < 0)
		return -errno;
	if (len == 0 || len == NOTE_SIZE)
		return -EINVAL;
	ret[len] = '\0';
	return 0;
}

void note_remove(int dir, const char *name)
{
	(void)unlinkat(dir, name, 0);
}

char *note_word(char **rest)
{
	char *word = *rest, *end;

	if (!word || !*word)
		return NULL;
	end = strchr(word, ' ');
	if (end)
		*end = '\0';
	*rest = end ? end + 1 : NULL;
	return word;
}
