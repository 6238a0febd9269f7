/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a network manager announces, whatever its dialect: argv and environment in, one event out.
 */
#pragma once

#include "base/base.h"
#include "base/prefix.h"

enum event_kind {
	EVENT_NONE,			/* nothing that concerns us */
	EVENT_APPLY,			/* something changed: look again (boot, connectivity) */
	EVENT_UP,			/* the interface came up or its configuration changed */
	EVENT_DOWN,			/* not usable, whatever the kernel still shows */
};

struct event {
	enum event_kind kind;
	char name[NAME_SIZE];		/* interface; "" for EVENT_APPLY */
	bool has_gateway[FAMILY_COUNT];	/* what the manager says the way out is */
	struct addr gateway[FAMILY_COUNT];
	bool from_boot;			/* the systemd unit: there may be no names yet */
};

/* The environment as a function, so that parsing stays pure. NULL: not set. */
typedef const char *(*event_getenv)(void *ctx, const char *name);

/* argv begins with the manager: {"networkmanager", "eth2", "up"}. 0; -EINVAL: wrong usage,
 * *ret_why says how (static text). Values in the environment that are not what they should be
 * are ignored: a DHCP server wrote them. */
MUST_CHECK int event_parse(int argc, const char *const *argv, event_getenv env, void *ctx,
			   struct event *ret, const char **ret_why);
