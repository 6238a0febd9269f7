/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The packets that ifsteer sends a way of its own, as far as somebody else's routing rule can tell
 * them apart.
 */
#pragma once

#include "plan/plan.h"

/* How a rule's selector lies to a stream of packets: it holds for none of them, some, all. In
 * this order: what several selectors come to is the least of them. */
enum meeting { MEETING_NONE, MEETING_SOME, MEETING_ALL };

struct stream {
	enum family family;
	/* NULL: this host's replies to what came in by the path, or sockets bound to it. */
	const struct policy *policy;
	const struct path *path;	/* the right way; NULL: somebody else's table */
	uint32_t table;
	bool yields;			/* to main's own routes */
	bool is_bound;
	bool is_local;
	bool is_forwarded;
	uint32_t mark;
	uint32_t mark_known;		/* other bits may be anything */
	struct addr_ranges to;		/* empty: anywhere */
	struct addr_ranges from;
};

struct streams {
	struct stream *v;
	size_t count;
};

/* 0 or -ENOMEM. */
MUST_CHECK int streams_of(const struct plan *p, struct streams *ret);
void streams_done(struct streams *s);
enum meeting stream_meets(const struct stream *s, const struct rule *r);
bool stream_goes_to(const struct stream *s, const struct prefix *dst);
