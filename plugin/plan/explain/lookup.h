/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The kernel's look-up of a route, over the rules and routes as they will stand: ours from the
 * plan, everybody else's from the facts.
 */
#pragma once

#include "plan/explain/flow.h"

struct fib {
	const struct plan *plan;
	enum family family;
	const struct rule **rules;	/* in the order in which the kernel asks them; borrowed */
	size_t rule_count;
};

struct lookup {
	int error;			/* 0; -ENETUNREACH: nobody had an answer; -EHOSTUNREACH,
					 * -EACCES, -EINVAL: unreachable, prohibit, blackhole */
	const struct rule *rule;	/* the one that had the answer, NULL: none; with a route: that
					 * of the source, by whose interface it goes */
	const struct route *route;	/* NULL: none, or the rule itself is the answer */
	bool is_one_of_several;		/* it has other nexthops: the kernel chooses by a hash */
};

MUST_CHECK int fib_make(const struct plan *p, enum family f, struct fib *ret);
void fib_done(struct fib *t);

/* The flow's mark, user, ports and source, if any, count; a local one comes in by "lo". */
struct lookup fib_lookup(const struct fib *t, const struct flow *f);
/* What the kernel knows when it looks up a packet rather than a socket: its protocol and ports only
 * where a rule other than for `iif lo` asks for them (fib_rule_requires_fldissect). */
struct flow fib_packet_key(const struct fib *t, const struct flow *f);
/* RTN_…, as table `local` says, else RTN_UNICAST: what nft calls `fib daddr type`. */
uint8_t fib_address_type(const struct fib *t, const struct addr *a);

/* ---- reverse.c ---- */

/* What a reverse-path filter says of a packet that comes in. */
enum reverse {
	REVERSE_UNASKED,	/* none comes: to this host itself, to many, or refused */
	REVERSE_NONE,		/* nobody filters: IPv6, or rp_filter is 0 */
	REVERSE_LOOSE,		/* passes, since its sender can be reached at all */
	REVERSE_STRICT,		/* passes, since its sender is reached by the same interface */
	REVERSE_DROPPED,
};

/* Of one that comes in by this interface; `way_back` leads to its sender. */
enum reverse reverse_filter(const struct fib *t, const struct link *l, const struct flow *way_back);

/* ---- source.c: the source address that the kernel chooses ---- */

/* For a local packet to `dst` by this route; false: there is none. */
bool source_of_route(const struct facts *f, const struct route *r, const struct addr *dst,
		     struct addr *ret);
/* As masquerade chooses it for a packet that leaves by the interface. */
bool source_of_masquerade(const struct facts *f, const struct route *r, const struct addr *dst,
			  struct addr *ret);
