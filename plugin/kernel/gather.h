/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the files that gather facts share.
 */
#pragma once

#include "kernel/kernel.h"
#include "kernel/netlink.h"

struct gather_link {
	bool managed;
	uint32_t routes[2];		/* kept of the dump so far: of other tables, of main */
	bool full;			/* there is more in main than anybody copies */
};

struct gather {
	const struct facts_want *want;
	struct netlink route;		/* NETLINK_ROUTE */
	struct facts facts;
	struct gather_link *links;	/* by place in facts.links.v */
	size_t managed_count;
	bool past_defaults;		/* all of main's have been read by the dump so far */
	/* Tables that are an interface's own: the policy or a rule of ours says so. */
	struct numbers own_tables;
};

/* ---- facts-routes.c: needs links and rules ---- */
MUST_CHECK int gather_routes(struct gather *g, enum family f);

/* ---- facts-host.c: what netlink does not tell ---- */
MUST_CHECK int gather_cgroups(struct gather *g);
void gather_clock(struct gather *g);

/* ---- lease.c ---- */
/* The routers that DHCP clients wrote down, where nothing else says one. */
void gather_leases(struct gather *g);
