/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What planning goes by and no netlink message tells: cgroups that appear, are removed or made
 * again, DHCP leases, the clock, and local time.
 */
#pragma once

#include "kernel/lease.h"
#include "policy/policy.h"

struct surroundings {
	int files;			/* for poll(); -1: not open */
	int clock;
	int etc;			/* inotify's number of /etc */
	int leases[LEASE_DIRECTORIES];	/* and of these */
	const struct config *config;	/* whose cgroups are looked for; borrowed; NULL: nobody's */
};

#define SURROUNDINGS_CLOSED { .files = -1, .clock = -1, .etc = -1 }

MUST_CHECK int surroundings_open(struct surroundings *s);
void surroundings_close(struct surroundings *s);
/* Looks where the cgroups of this policy are or may appear. Call before facts are gathered: for
 * another policy, and after each surroundings_read that returned true. NULL: no policy. */
MUST_CHECK int surroundings_focus(struct surroundings *s, const struct config *c);
/* Reads all that waits. True: some of it may matter. */
bool surroundings_read(struct surroundings *s);
