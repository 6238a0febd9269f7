/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The kernel objects that planning reasons about, as plain values in canonical form: an attribute that
 * is absent is zero. Facts, desired state, steps and the netlink codec all speak these.
 */
#pragma once

#include "base/number.h"
#include "base/prefix.h"

/* RTA_PROTOCOL and FRA_PROTOCOL of everything that is ours. */
#define OUR_PROTOCOL 77
/* Where our table, sets and chains live: `inet ifsteer`. */
#define OUR_TABLE "ifsteer"
#define RULE_BAND_SIZE 1000

/* An RTM_NEWROUTE. One with several nexthops is split into one for each by whoever reads it. */
struct route {
	enum family family;
	uint8_t type;			/* RTN_UNICAST, RTN_THROW, … */
	uint8_t protocol;		/* RTPROT_… */
	uint8_t scope;			/* RT_SCOPE_…; IPv6 has universe only */
	bool onlink;			/* RTNH_F_ONLINK */
	bool dead;			/* RTNH_F_DEAD or RTNH_F_LINKDOWN: read, never compared or written */
	bool has_gateway;
	bool has_src;
	uint32_t table;
	uint32_t metric;		/* RTA_PRIORITY; IPv6 reads back 1024 for 0: canonical is 1024 */
	uint32_t oif;			/* interface index, 0: none */
	uint32_t mtu;			/* RTAX_MTU, 0: none */
	struct prefix dst;
	struct addr gateway;		/* RTA_GATEWAY or RTA_VIA: its family may be another */
	struct addr src;		/* RTA_PREFSRC */
};

enum rule_action { RULE_LOOKUP, RULE_GOTO, RULE_NOP, RULE_UNREACHABLE, RULE_PROHIBIT, RULE_BLACKHOLE, RULE_OTHER };

/* An RTM_NEWRULE. */
struct rule {
	enum family family;
	enum rule_action action;
	uint8_t protocol;		/* FRA_PROTOCOL */
	bool invert;			/* `not` */
	bool has_uids;
	bool has_suppress;		/* suppress_prefixlength */
	bool has_other;			/* carries a selector not listed here: never one of ours */
	uint8_t ip_protocol;		/* FRA_IP_PROTO, 0: any */
	uint32_t priority;
	uint32_t table;			/* of RULE_LOOKUP */
	uint32_t target;		/* of RULE_GOTO */
	uint32_t suppress;
	uint32_t fwmark;
	uint32_t fwmask;		/* 0: no fwmark selector at all */
	char iif[NAME_SIZE];		/* "": any */
	char oif[NAME_SIZE];
	struct prefix src;		/* len 0: any */
	struct prefix dst;
	struct number_range uids;	/* when has_uids */
	struct number_range sport;	/* 0-0: any */
	struct number_range dport;
};

/* Total orders over everything that we can set; equal means "the same object". `dead` does not count. */
int route_compare(const struct route *a, const struct route *b);
int rule_compare(const struct rule *a, const struct rule *b);
/* The order of slots, which comes first in that of routes. Adding a route where its slot is taken is refused
 * with EEXIST: same family, table, destination and metric. */
int route_slot_compare(const struct route *a, const struct route *b);
bool route_same_slot(const struct route *a, const struct route *b);

struct strbuf;
struct links;
/* As `ip` takes it behind `ip [-6] route add` and `ip [-6] rule add`. Interface names are quoted
 * visibly; `links` names the oif. */
void route_print(const struct route *r, const struct links *links, struct strbuf *out);
void rule_print(const struct rule *r, struct strbuf *out);
/* One word as a shell takes it: quoted when it must be, control bytes as \xNN (those don't survive pasting). */
void word_print(const char *word, struct strbuf *out);
/* Several, between which spaces may stand unquoted. */
void words_print(const char *words, struct strbuf *out);
