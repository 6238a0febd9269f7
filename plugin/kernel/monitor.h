/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the kernel tells of by itself: two sockets that hear about interfaces, addresses, rules,
 * routes and our table, and as little as possible about anything else.
 */
#pragma once

#include "plan/plan.h"

/* What has happened. */
struct happened {
	bool host;			/* what planning goes by: interfaces, addresses, others' routes */
	bool ours;			/* what is ours was made, changed or removed by somebody */
	struct numbers links;		/* the interfaces that it was about, by index */
};

void happened_done(struct happened *h);

struct monitor {
	int route;			/* for poll(); -1: not open */
	int nft;
	char *buffer;
	struct number_range *focus;	/* what monitor_focus was told last */
	size_t focus_count;
};

#define MONITOR_CLOSED { .route = -1, .nft = -1 }

MUST_CHECK int monitor_open(struct monitor *m);
void monitor_close(struct monitor *m);
/* Narrows what is heard down to the plan's interfaces and tables. True: it is not what was heard
 * until now, so that the plan may have missed something. Without a policy `p` is zeroed. */
bool monitor_focus(struct monitor *m, const struct plan *p);
/* Reads all that waits, and adds what of it may matter to the plan to *h. */
void monitor_read(struct monitor *m, const struct plan *p, struct happened *h);

/* ---- monitor-filter.c ---- */

/* Lets through, of routes: ours, default routes, all in these tables, and main's by these
 * interfaces; of the rest everything. Where the kernel has no room for such a filter all is let
 * through. */
void monitor_filter_routes(int fd, const struct number_range *tables, size_t table_count,
			   const struct number_range *links, size_t link_count);
/* Lets through what is about our table, and datagrams of several messages, of which a filter can
 * see only the first. */
void monitor_filter_nft(int fd);
