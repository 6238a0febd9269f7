/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The last listing of our table: a file whose first line is its stamp and its length.
 */
#include "kernel/nft-cache.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/run-dir.h"

#define NAME "nft"
#define NEW_NAME "nft.new"
#define HEAD \
	"ifsteer nft 1 generation %" PRIu32 " handle %" PRIu64 " offset %" PRId32 " length %zu\n"
#define HEAD_SIZE 128
#define SIZE_MAX_KEPT (64 << 20)

static int print_head(const struct nft_stamp *s, size_t length, char ret[static HEAD_SIZE])
{
	return snprintf(ret, HEAD_SIZE, HEAD, s->generation, s->handle, s->utc_offset, length);
}

static bool is_ours(int fd, size_t *ret_size)
{
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != 0 ||
	    st.st_mode & (S_IWGRP | S_IWOTH) || st.st_size > SIZE_MAX_KEPT)
		return false;
	*ret_size = (size_t)st.st_size;
	return true;
}

static char *read_all(int fd, size_t size)
{
	char *text = malloc(size + 1);
	size_t have = 0;
	ssize_t n = 1;

	while (text && have < size && n > 0) {
		n = read(fd, text + have, size - have);
		have += n > 0 ? (size_t)n : 0;
	}
	if (have < size) {
		free(text);
		return NULL;
	}
	if (text)
		text[size] = '\0';
	return text;
}

/* Takes the head off, when it is exactly the one of this stamp and this length. */
static bool take_head(const struct nft_stamp *s, char *text, size_t size)
{
	const char *end = strchr(text, '\n');
	size_t head_len = end ? (size_t)(end - text) + 1 : 0;
	char head[HEAD_SIZE];

	if (!head_len || print_head(s, size - head_len, head) != (int)head_len ||
	    memcmp(head, text, head_len) != 0)
		return false;
	memmove(text, text + head_len, size - head_len + 1);
	return true;
}

char *nft_cache_read(const struct nft_stamp *s)
{
	char *text = NULL;
	int dir = run_dir_open(NULL, false), fd;
	size_t size;

	if (dir < 0)
		return NULL;
	fd = openat(dir, NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	close(dir);
	if (fd < 0)
		return NULL;
	if (is_ours(fd, &size))
		text = read_all(fd, size);
	close(fd);
	if (text && take_head(s, text, size))
		return text;
	free(text);
	return NULL;
}

static bool write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

void nft_cache_write(const struct nft_stamp *s, const char *listing)
{
	size_t length = strlen(listing);
	char head[HEAD_SIZE];
	int head_len = print_head(s, length, head), dir, fd;

	/* Namespaces without a cookie may get the directory of another one that is gone. */
	dir = run_dir_is_certain() ? run_dir_open(NULL, false) : -1;
	if (dir < 0)
		return;
	fd = openat(dir, NEW_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && write_all(fd, head, (size_t)head_len) && write_all(fd, listing, length))
		(void)renameat(dir, NEW_NAME, dir, NAME);
	else
		/* Full, or another run's; one that was killed must not be in the way forever. */
		(void)unlinkat(dir, NEW_NAME, 0);
	if (fd >= 0)
		close(fd);
	close(dir);
}

void nft_cache_forget(void)
{
	int dir = run_dir_open(NULL, false);

	if (dir < 0)
		return;
	(void)unlinkat(dir, NAME, 0);
	close(dir);
}
