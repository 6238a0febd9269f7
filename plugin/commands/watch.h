/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * `ifsteer watch` while it runs.
 */
#pragma once

#include "commands/patience.h"
#include "commands/session.h"
#include "kernel/monitor.h"
#include "kernel/surroundings.h"

#define NEVER INT64_MAX

struct watch {
	struct session session;		/* with the policy in force, and what was planned last */
	bool has_policy;		/* false: nothing is in force, and nothing is done */
	struct kept_stamp followed;	/* the copy of the policy in force that this one knows */
	struct kept_stamp accepted;	/* the accepted one at that time */
	struct monitor monitor;
	struct surroundings around;
	struct happened happened;	/* since the last look */
	bool around_changed;		/* cgroups, leases or the clock */
	struct patience patience;
	bool is_repair;			/* what is different now is somebody else's doing */
	char *first_step;		/* of this look, for the message; owned */
	char *paths;			/* the state of each interface, a line each; owned */
	int64_t due;			/* the next look, monotonic ms; NEVER: when something happens */
	int64_t earliest;		/* and not before, however much happens */
	int64_t last_look;		/* when it ended */
	int64_t used_us;		/* processor time taken until then */
	int64_t credit_us;		/* what may be taken without a pause */
	int signals;			/* signalfd */
};

/* ---- watch-look.c ---- */

/* Loads what is to be in force at the start, and makes it so. */
MUST_CHECK enum exit_code watch_begin(struct watch *w);
/* The files anew, as `ifsteer apply` would. What is in force stays where they are in error. */
void watch_reload(struct watch *w);
/* Compares the kernel with the policy in force, and repairs. Sets `due` and `earliest`. */
void watch_look(struct watch *w);
