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

static bool is_only_roots(const struct stat *st)
{
	return st->st_uid == 0 && !(st->st_mode & (S_IWGRP | S_IWOTH));
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
	if (err == 0 && !is_only_roots(&st))
		err = -EPERM;
	if (err == 0)
		return fd;
	close(fd);
	return err;
}

/* This namespace's directory, kept open: a cold apply of S4 looks below it 22 times, and took 496
 * system calls while each look began at the root and asked for the cookie, 357 now. */
static struct {
	char path[64];
	int fd;
	dev_t device;
	ino_t inode;
} own = { .fd = -1 };

static bool is_own(const struct stat *st)
{
	return st->st_dev == own.device && st->st_ino == own.inode;
}

/* One that was removed, replaced or given away is opened anew. A number that has become another
 * file's (a child that closed all it had) is not ours to close. */
static bool own_is_open(void)
{
	struct stat st;

	if (own.fd < 0 || fstat(own.fd, &st) || !is_own(&st)) {
		own.fd = -1;
		return false;
	}
	if (lstat(own.path, &st) == 0 && is_own(&st) && is_only_roots(&st))
		return true;
	close(own.fd);
	own.fd = -1;
	return false;
}

static int open_own(bool create)
{
	char cookie[32];
	struct stat st;
	int err = print_cookie(cookie, sizeof(cookie)), root, fd;

	if (err < 0)
		return err;
	root = open_at(AT_FDCWD, ROOT, create);
	if (root < 0)
		return root;
	fd = open_at(root, cookie, create);
	close(root);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st)) {
		err = -errno;
		close(fd);
		return err;
	}
	snprintf(own.path, sizeof(own.path), ROOT "/%s", cookie);
	own.device = st.st_dev;
	own.inode = st.st_ino;
	own.fd = fd;
	return 0;
}

int run_dir_open(const char *below, bool create)
{
	int err = own_is_open() ? 0 : open_own(create), fd;

	if (err < 0)
		return err;
	if (below)
		return open_at(own.fd, below, create);
	fd = fcntl(own.fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
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
