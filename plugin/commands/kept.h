/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What one run of ifsteer keeps for the next: copies of policies, a change that waits to be
 * confirmed, the last event. Each is one file, replaced as a whole. All but kept_read want the lock
 * held.
 */
#pragma once

#include "commands/snapshot.h"

enum kept {
	KEPT_ACCEPTED,		/* /var/lib/ifsteer: applied with success from the default path */
	KEPT_UNCONFIRMED,	/* /var/lib/ifsteer: an edit on trial, or reverted: in error */
	KEPT_IN_FORCE,		/* /run/ifsteer/COOKIE: what was applied last, from wherever */
	KEPT_BEFORE,		/* /run/ifsteer/COOKIE: what was in force before the trial */
	KEPT_TRIAL,		/* /run/ifsteer/COOKIE: struct trial */
	KEPT_EVENT,		/* /run/ifsteer/COOKIE: the last event and what came of it */
};

/* A text file of at most 128 MiB, NUL-terminated; the caller frees. -ENOENT: there is none.
 * -ENODATA: there is, but there was no room for it. */
MUST_CHECK int kept_read(enum kept what, char **ret, size_t *ret_len);
/* Nothing is written when it is there already. */
MUST_CHECK int kept_write(enum kept what, const char *text, size_t len);
/* 0 as well when there was none. */
MUST_CHECK int kept_remove(enum kept what);
/* Where kept_write failed: from now on there is one that can't be read (-ENODATA). It is a link, which
 * finds room in a full tmpfs. */
MUST_CHECK int kept_lose(enum kept what);

/* Which file it is: another one after each kept_write that wrote something. */
struct kept_stamp {
	bool exists;
	uint64_t inode;
	int64_t seconds;
	int64_t nanoseconds;
};

struct kept_stamp kept_stamp(enum kept what);
bool kept_same(const struct kept_stamp *a, const struct kept_stamp *b);

MUST_CHECK int kept_read_snapshot(enum kept what, struct snapshot *ret);
/* Whether there may be one, for who could not read it: what failed was of this moment, like memory. */
bool kept_may_exist(int err);
MUST_CHECK int kept_write_snapshot(enum kept what, const struct snapshot *s);

enum trial_state {
	TRIAL_NONE,
	TRIAL_BEGUN,		/* under way; whoever has the lock knows: it was cut short */
	TRIAL_WAITING,		/* in force */
	TRIAL_CONFIRMED,
	TRIAL_REVERTED,
	TRIAL_REPLACED,		/* something else was applied, or all was flushed */
	TRIAL_UNKNOWN,		/* the record can't be read just now */
};

/* `apply --confirm`: at most one at a time, the last one's end is remembered. */
struct trial {
	enum trial_state state;
	uint64_t id;
	int64_t deadline_ms;	/* CLOCK_MONOTONIC */
	bool is_default;	/* of the default path: becomes the accepted policy */
};

/* TRIAL_NONE: there is no record, or none that makes sense. */
struct trial trial_read(void);
MUST_CHECK int trial_write(const struct trial *t);
