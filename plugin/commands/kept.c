/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The files that one run keeps for the next, below /var/lib/ifsteer and /run/ifsteer.
 */
#include "commands/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "kernel/kernel.h"

#define LIBRARY_DIR "/var/lib/ifsteer"
#define SIZE_MAX_KEPT (128u << 20)
#define TRIAL_SIZE 80

static const struct {
	bool lasting; /* in LIBRARY_DIR */
	const char *name;
} places[] = {
	[KEPT_ACCEPTED] = { true, "accepted" },	 [KEPT_UNCONFIRMED] = { true, "unconfirmed" },
	[KEPT_IN_FORCE] = { false, "in-force" }, [KEPT_BEFORE] = { false, "before" },
	[KEPT_TRIAL] = { false, "trial" },	 [KEPT_EVENT] = { false, "event" },
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Root's own, and nobody else may write it: what stands there is applied without further
 * questions. */
static int judge(int fd, mode_t type)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if ((st.st_mode & S_IFMT) != type || (st.st_uid != 0 && st.st_uid != geteuid()) ||
	    (st.st_mode & 022))
		return -EPERM;
	return 0;
}

static int open_library(bool create)
{
	int fd, r;

	if (create && mkdir(LIBRARY_DIR, 0755) && errno != EEXIST)
		return -errno;
	fd = open(LIBRARY_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = judge(fd, S_IFDIR);
	if (r) {
		close(fd);
		return r;
	}
	return fd;
}

static int open_place(enum kept what, bool create)
{
	return places[what].lasting ? open_library(create) : told_directory();
}

static int read_all(int fd, char **ret, size_t *ret_len)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	char block[16384];
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (text.len + (size_t)n > SIZE_MAX_KEPT)
			return -EFBIG;
		strbuf_add_bytes(&text, block, (size_t)n);
	}
	n = (ssize_t)text.len;
	*ret = strbuf_take(&text);
	if (!*ret)
		return -ENOMEM;
	*ret_len = (size_t)n;
	return 0;
}

static int open_kept(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), r;

	/* A link: kept_lose was here. */
	if (fd < 0)
		return errno == ELOOP ? -ENODATA : -errno;
	r = judge(fd, S_IFREG);
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

int kept_read(enum kept what, char **ret, size_t *ret_len)
{
	CLEANUP(close_fd) int dir = open_place(what, false);
	CLEANUP(close_fd) int fd = dir < 0 ? dir : open_kept(dir, places[what].name);

	return fd < 0 ? fd : read_all(fd, ret, ret_len);
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Beside it first, then renamed over it: a reader sees the old one or the new one, whole. What
 * lasts has to survive a power cut as well. */
static int replace_at(int dir, enum kept what, const char *text, size_t len)
{
	char beside[32];
	int fd, r;

	snprintf(beside, sizeof(beside), "%s.new", places[what].name);
	if (unlinkat(dir, beside, 0) && errno != ENOENT)
		return -errno;
	fd = openat(dir, beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, text, len);
	if (r == 0 && places[what].lasting && fsync(fd))
		r = -errno;
	if (close(fd) && r == 0)
		r = -errno;
	if (r == 0 && renameat(dir, beside, dir, places[what].name))
		r = -errno;
	if (r)
		unlinkat(dir, beside, 0);
	else if (places[what].lasting && fsync(dir))
		r = -errno;
	return r;
}

/* Piece by piece: a policy of 100,000 prefixes has 1.5 MB, and mostly it is what is there. */
static bool is_text_of(int fd, const char *text, size_t len)
{
	char block[16384];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) || st.st_size != (off_t)len)
		return false;
	for (; len; text += n, len -= (size_t)n) {
		n = read(fd, block, sizeof(block));
		if (n <= 0 || (size_t)n > len || memcmp(block, text, (size_t)n) != 0)
			return false;
	}
	return true;
}

int kept_write(enum kept what, const char *text, size_t len)
{
	CLEANUP(close_fd) int dir = open_place(what, true);
	CLEANUP(close_fd) int fd = dir < 0 ? dir : open_kept(dir, places[what].name);

	if (dir < 0)
		return dir;
	return fd >= 0 && is_text_of(fd, text, len) ? 0 : replace_at(dir, what, text, len);
}

int kept_remove(enum kept what)
{
	CLEANUP(close_fd) int dir = open_place(what, false);

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	if (unlinkat(dir, places[what].name, 0))
		return errno == ENOENT ? 0 : -errno;
	return places[what].lasting && fsync(dir) ? -errno : 0;
}

int kept_lose(enum kept what)
{
	CLEANUP(close_fd) int dir = open_place(what, false);
	int r = kept_remove(what);

	if (r == 0 && symlinkat("nowhere", dir, places[what].name))
		r = -errno;
	return r;
}

struct kept_stamp kept_stamp(enum kept what)
{
	CLEANUP(close_fd) int dir = open_place(what, false);
	struct stat st;

	if (dir < 0 || fstatat(dir, places[what].name, &st, AT_SYMLINK_NOFOLLOW))
		return (struct kept_stamp){ 0 };
	return (struct kept_stamp){ true, st.st_ino, st.st_ctim.tv_sec, st.st_ctim.tv_nsec };
}

bool kept_same(const struct kept_stamp *a, const struct kept_stamp *b)
{
	return a->exists == b->exists && a->inode == b->inode && a->seconds == b->seconds &&
	       a->nanoseconds == b->nanoseconds;
}

int kept_read_snapshot(enum kept what, struct snapshot *ret)
{
	char *text;
	size_t len;
	int r = kept_read(what, &text, &len);

	if (r == 0) {
		r = snapshot_parse(text, len, ret);
		free(text);
	}
	return r;
}

bool kept_may_exist(int err)
{
	return err == 0 || err == -ENOMEM || err == -EMFILE || err == -ENFILE;
}

int kept_write_snapshot(enum kept what, const struct snapshot *s)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	int r = snapshot_print(s, &text);

	return r ? r : kept_write(what, text.text, text.len);
}

static const char *const state_words[] = {
	[TRIAL_NONE] = "none",	       [TRIAL_BEGUN] = "begun",
	[TRIAL_WAITING] = "waiting",   [TRIAL_CONFIRMED] = "confirmed",
	[TRIAL_REVERTED] = "reverted", [TRIAL_REPLACED] = "replaced",
};

/* Without memory of its own: a trial must not look like none when memory is short. */
struct trial trial_read(void)
{
	CLEANUP(close_fd) int dir = open_place(KEPT_TRIAL, false);
	CLEANUP(close_fd) int fd = dir < 0 ? dir : open_kept(dir, places[KEPT_TRIAL].name);
	struct trial t = { .state = TRIAL_NONE };
	char text[TRIAL_SIZE], state[16];
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	int is_default;

	if (len < 0) {
		t.state = fd == -ENOENT ? TRIAL_NONE : TRIAL_UNKNOWN;
		return t;
	}
	text[len] = '\0';
	if (sscanf(text, "%15s %" SCNx64 " %" SCNd64 " %d", state, &t.id, &t.deadline_ms,
		   &is_default) == 4) {
		t.is_default = is_default;
		for (size_t i = 0; i < ARRAY_SIZE(state_words); i++)
			if (!strcmp(state, state_words[i]))
				t.state = (enum trial_state)i;
	}
	return t;
}

int trial_write(const struct trial *t)
{
	char text[TRIAL_SIZE];
	int n = snprintf(text, sizeof(text), "%s %" PRIx64 " %" PRId64 " %d\n",
			 state_words[t->state], t->id, t->deadline_ms, t->is_default);

	return kept_write(KEPT_TRIAL, text, (size_t)n);
}
