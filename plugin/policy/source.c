/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Opening, trusting and reading files of a policy. The program runs as root and does what they say,
 * so only root may have written them. Links are followed (stow and NixOS make them); what counts is
 * the opened file, by fstat, and where it lies.
 */
#include "policy/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "base/vec.h"

#define SIZE_LIMIT ((size_t)64 << 20)

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static void free_text(char **text)
{
	free(*text);
}

static int fail(struct strbuf *why, const char *text)
{
	strbuf_add(why, text);
	return -EINVAL;
}

static int fail_errno(struct strbuf *why, int error, const char *what)
{
	strbuf_printf(why, "%s: %s", what, strerror(error));
	return -error;
}

/* Nobody but root may put another file into this directory. In a sticky one (/tmp) others may add
 * files, but not touch root's. */
static int judge_directory(const char *path, const struct stat *st, struct strbuf *why)
{
	if (st->st_uid != 0) {
		strbuf_printf(why, "is in %s, a directory of user %u, not root's", path,
			      (unsigned int)st->st_uid);
		return -EINVAL;
	}
	if ((st->st_mode & 022) && !(st->st_mode & S_ISVTX)) {
		strbuf_printf(why, "is in %s, a directory that others can write (mode %04o)", path,
			      (unsigned int)st->st_mode & 07777);
		return -EINVAL;
	}
	return 0;
}

/* The directory part of `path`, which is where the file is found. */
static int judge_parent(const char *path, struct strbuf *why)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	CLEANUP(free_text) char *dir = slash ? strndup(path, n ? n : 1) : strdup(".");
	struct stat st;

	if (!dir)
		return -ENOMEM;
	if (stat(dir, &st) < 0)
		return fail_errno(why, errno, "is in a directory that can't be examined");
	return judge_directory(dir, &st, why);
}

static int judge_owner(const struct stat *st, struct strbuf *why)
{
	if (st->st_uid == 0)
		return 0;
	strbuf_printf(why, "belongs to user %u, not to root", (unsigned int)st->st_uid);
	return -EINVAL;
}

static int judge_file(int fd, const char *path, const struct stat *st, struct strbuf *why)
{
	char link[64], real[PATH_MAX];
	ssize_t n;
	int err;

	err = judge_owner(st, why);
	if (err < 0)
		return err;
	if (st->st_mode & 022) {
		strbuf_printf(why, "can be written by others than its owner (mode %04o)",
			      (unsigned int)st->st_mode & 07777);
		return -EINVAL;
	}
	err = judge_parent(path, why);
	if (err < 0)
		return err;
	/* The name that the kernel knows of the opened file: behind all links. */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, real, sizeof(real) - 1);
	if (n < 0)
		return fail_errno(why, errno, "can't be followed to where it lies");
	real[n] = '\0';
	return judge_parent(real, why);
}

/* To the end, or beyond the limit: fstat's size may be stale, or 0 for a file made up on reading. */
static int read_all(int fd, size_t expected, char **ret, size_t *ret_len, struct strbuf *why)
{
	size_t size = expected + 1, len = 0;
	CLEANUP(free_text) char *text = malloc(size + 1);

	if (!text)
		return -ENOMEM;
	for (;;) {
		ssize_t n = read(fd, text + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(why, errno, "can't be read");
		if (n == 0)
			break;
		len += n;
		if (len > SIZE_LIMIT)
			return fail(why, "has more than 64 MiB");
		if (len == size) {
			char *larger = realloc(text, 2 * size + 1);

			if (!larger)
				return -ENOMEM;
			text = larger;
			size *= 2;
		}
	}
	text[len] = '\0';
	*ret = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}

/* A link that leads nowhere is not "no file": somebody wanted one. And root is refused, having dropped the
 * capability, what another user keeps for himself: it is the owner that is wrong then. */
static int open_failed(const char *path, int error, struct strbuf *why)
{
	struct stat st;

	if (error == ENOENT && lstat(path, &st) == 0)
		return fail(why, "is a link to nothing");
	if (error == EACCES && stat(path, &st) == 0 && judge_owner(&st, why) < 0)
		return -EINVAL;
	return fail_errno(why, error, "can't be opened");
}

int source_read(const char *path, bool trust_owner, struct source *ret, struct strbuf *why)
{
	/* O_NONBLOCK: the open of a FIFO must not wait for a writer. */
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct source s = { 0 };
	struct stat st;
	int err;

	if (fd < 0)
		return open_failed(path, errno, why);
	if (fstat(fd, &st) < 0)
		return fail_errno(why, errno, "can't be examined");
	if (S_ISDIR(st.st_mode))
		return fail(why, "is a directory, not a file");
	if (!S_ISREG(st.st_mode))
		return fail(why, "is not a regular file");
	if (st.st_size > (off_t)SIZE_LIMIT)
		return fail(why, "has more than 64 MiB");
	err = trust_owner ? 0 : judge_file(fd, path, &st, why);
	if (err == 0)
		err = read_all(fd, st.st_size, &s.text, &s.len, why);
	if (err < 0)
		return err;
	if (memchr(s.text, '\0', s.len)) {
		free(s.text);
		return fail(why, "contains a NUL byte: this is no text");
	}
	s.path = strdup(path);
	if (!s.path) {
		free(s.text);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_names(DIR *dir, struct source_names *ret, struct strbuf *why)
{
	CLEANUP(source_names_done) struct source_names names = { 0 };
	struct dirent *e;

	while (errno = 0, (e = readdir(dir))) {
		size_t n = strlen(e->d_name);
		char **slot;

		if (*e->d_name == '.' || n < 5 || strcmp(e->d_name + n - 5, ".conf") != 0)
			continue;
		slot = VEC_PUSH(names.v, names.count);
		if (!slot || !(*slot = strdup(e->d_name)))
			return -ENOMEM;
	}
	if (errno)
		return fail_errno(why, errno, "can't be read");
	if (names.count)
		qsort(names.v, names.count, sizeof(*names.v), by_bytes);
	*ret = names;
	names = (struct source_names){ 0 };
	return 0;
}

int source_list(const char *path, bool trust_owner, struct source_names *ret, struct strbuf *why)
{
	DIR *dir = opendir(path);
	struct stat st;
	int err = 0;

	if (!dir)
		return open_failed(path, errno, why);
	if (fstat(dirfd(dir), &st) < 0)
		err = fail_errno(why, errno, "can't be examined");
	else if (!trust_owner && st.st_uid != 0)
		err = fail(why, "is a directory that is not root's");
	else if (!trust_owner && (st.st_mode & 022) && !(st.st_mode & S_ISVTX))
		err = fail(why, "is a directory that others can write");
	if (err == 0)
		err = read_names(dir, ret, why);
	closedir(dir);
	return err;
}

void source_names_done(struct source_names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->v[i]);
	free(n->v);
	*n = (struct source_names){ 0 };
}

char *source_join(const char *directory, const char *name)
{
	char *path;

	if (*name == '/')
		return strdup(name);
	return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}
