/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What most commands share: load a policy, take the lock, gather facts, plan, carry the plan out.
 * These functions say themselves what went wrong; the caller passes their exit status on.
 */
#pragma once

#include "commands/command.h"
#include "commands/kept.h"
#include "plan/plan.h"

enum policy_origin {
	ORIGIN_FILES,		/* the files as they are */
	ORIGIN_ACCEPTED,	/* the files are in error: what was accepted last */
	ORIGIN_TRIAL,		/* a change that waits for `ifsteer confirm` */
	ORIGIN_COPY,		/* a copy of a policy, to be put back */
};

/* Routes of an interface that the kernel would not have: a fact that only trying tells. */
struct refusal {
	char name[NAME_SIZE];
	enum family family;
};

struct session {
	const struct options *options;
	int lock;			/* 0: not held; standard input is 0 */
	enum policy_origin origin;
	const struct addr *about;	/* explain: the routes to these are wanted, whosever they are */
	size_t about_count;
	bool all_routes;	/* doctor: everybody's routes are wanted */
	bool handles;		/* diff: of the rules in our table, so that a line can delete one */
	struct snapshot known;		/* names that need not be asked for, at boot */
	struct snapshot read;		/* the policy as it was read */
	struct config config;
	struct facts facts;
	struct plan plan;		/* borrows config and facts: a session must not move */
	struct steps steps;
	struct refusal *refused;
	size_t refused_count;
	size_t changes;			/* steps carried out so far */
	/* Whether the steps may be carried out now; NULL: always. */
	bool (*consent)(void *ctx, const struct session *s);
	void *consent_ctx;
};

void session_done(struct session *s);

/* Reads --facts where they are given; else this host is asked, and the process keeps no more
 * privileges than that takes. Call first. */
MUST_CHECK enum exit_code session_open(struct session *s, const struct options *o);
/* The end of a run for who stays: lets go of the lock and of what holds for one run alone. The policy
 * and what was planned last are still there. */
void session_release(struct session *s);
/* Waits for other runs, at most so long, and puts back a change whose time to be confirmed is
 * over. */
MUST_CHECK enum exit_code session_lock(struct session *s, int seconds);
/* The same for a person who replaces what is in force: that it can't be put back is no obstacle. */
MUST_CHECK enum exit_code session_lock_to_replace(struct session *s, int seconds);
/* For those who only read: a consistent view where the lock can be had at all. */
MUST_CHECK enum exit_code session_lock_to_read(struct session *s, int seconds);

/* The files as they are; EXIT_POLICY when they are in error. */
MUST_CHECK enum exit_code session_load_files(struct session *s);
/* What hooks go by: a change on trial, else the files, else (loudly) what was accepted last.
 * With -c: that. */
MUST_CHECK enum exit_code session_load_in_force(struct session *s);
/* A kept copy; EXIT_POLICY when there is none, which is said by the caller. */
MUST_CHECK enum exit_code session_load_copy(struct session *s, enum kept what,
					    enum policy_origin origin);
/* At boot there may be nobody yet to ask who a user is: takes what is known from the accepted
 * policy. */
void session_know_accepted_names(struct session *s);

/* Facts (unless they were given), plan and steps, anew. */
MUST_CHECK enum exit_code session_plan(struct session *s);
/* What managers announced becomes known, and this run is the one that acts on it. Wants the
 * lock. */
MUST_CHECK int session_take_events(void);
/* Makes the kernel agree, until no event is waiting. Wants the lock. */
MUST_CHECK enum exit_code session_apply(struct session *s);
/* Removes everything of ours from the kernel. Wants the lock. */
MUST_CHECK enum exit_code session_flush(struct session *s);
/* After an apply with success: this policy is in force, and accepted where it came from the
 * default files. */
void session_accept(const struct session *s);
/* This policy is in force, whether or not it is accepted. -errno: that can't be kept. */
MUST_CHECK int session_keep_in_force(const struct session *s);
