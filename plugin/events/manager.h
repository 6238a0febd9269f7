/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the dialects of the network managers and DHCP clients share. Private to this room: others
 * see event.h.
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

/* Whether the text is exactly one address of that family, and one that can be a way out. */
MUST_CHECK bool way_out_parse(const char *text, enum family family, struct addr *ret);

/* Notes `text` as the way out for its family, if way_out_parse says so. NULL and everything else
 * change nothing. Returns whether a gateway was noted. */
bool event_note_gateway(struct event *ev, enum family family, const char *text);

/* The next word of *text into buf, *text behind it. False at the end, and for a word that does not
 * fit: nothing that we look for is that long. */
MUST_CHECK bool next_word(const char **text, const char *separators, char *buf, size_t size);

/* The managers: argv[0] is the manager's name. As event_parse, whose contract they fulfil; *ret
 * comes in zeroed. */
MUST_CHECK int networkmanager_parse(int argc, const char *const *argv,
				    const struct environment *env, struct event *ret,
				    const char **ret_why);
MUST_CHECK int ifupdown_parse(int argc, const char *const *argv, const struct environment *env,
			      struct event *ret, const char **ret_why);
MUST_CHECK int systemd_parse(int argc, const char *const *argv, const struct environment *env,
			     struct event *ret, const char **ret_why);
