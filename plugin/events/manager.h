/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the dialects of the network managers share. Private to this room: others see event.h.
 */
#pragma once

#include "events/event.h"

struct environment {
	event_getenv get;
	void *ctx;
};

/* The value of a variable; one that is empty is as good as not set: NULL. */
const char *environment_get(const struct environment *env, const char *variable);

/* Sets the event's interface. False, and nothing set, for `lo` and for a name that no interface can
 * have: names that were told become file names, so this is where "../x" ends. */
MUST_CHECK bool event_set_name(struct event *ev, const char *name);

/* Notes `text` as the way out for its family, if it is exactly one address that can be a way out.
 * NULL and everything else change nothing. Returns whether a gateway was noted. */
bool event_note_gateway(struct event *ev, enum family family, const char *text);

/* The managers: argv[0] is the manager's name. As event_parse, whose contract they fulfil; *ret
 * comes in zeroed. */
MUST_CHECK int networkmanager_parse(int argc, const char *const *argv,
				    const struct environment *env, struct event *ret,
				    const char **ret_why);
MUST_CHECK int ifupdown_parse(int argc, const char *const *argv, const struct environment *env,
			      struct event *ret, const char **ret_why);
MUST_CHECK int systemd_parse(int argc, const char *const *argv, const struct environment *env,
			     struct event *ret, const char **ret_why);
