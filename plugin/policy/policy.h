/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The policy as its administrator wrote it, checked and in canonical form: plain values, no
 * libconfig type, no knowledge of this host's interfaces.
 */
#pragma once

#include "base/diag.h"
#include "base/number.h"
#include "base/prefix.h"

enum rp_filter_mode { RP_FILTER_LOOSE, RP_FILTER_KEEP };

struct settings {
	uint32_t mark_mask;
	uint32_t rule_priority;
	uint32_t table_base;
	enum rp_filter_mode rp_filter;
};

enum gateway_kind { GATEWAY_AUTO, GATEWAY_FIRST, GATEWAY_NONE, GATEWAY_ADDRESS };

struct gateway {
	enum gateway_kind kind;
	struct addr addr;		/* of GATEWAY_ADDRESS */
};

struct extra_route {
	struct prefix dst;
	bool has_via;
	struct addr via;
};

enum symmetric { SYMMETRIC_AUTO, SYMMETRIC_NO, SYMMETRIC_YES };
enum snat { SNAT_AUTO, SNAT_ALWAYS, SNAT_NEVER };

/* One entry of `interfaces`. */
struct interface {
	struct where at;
	char name[NAME_SIZE];		/* exact, or a pattern in which * is special */
	bool is_glob;
	uint32_t table;			/* 0: table_base + slot */
	struct gateway gateway[FAMILY_COUNT];
	struct extra_route *routes;
	size_t route_count;
	enum symmetric symmetric;
	enum snat snat;
};

/* NAME_4 must fit into the 31 bytes that a set's name may have in the kernel. */
#define SET_NAME_MAX 29

/* One entry of `sets`: elements from the policy and from files, merged; or left to others. */
struct set {
	struct where at;
	char *name;
	bool dynamic;
	uint32_t timeout;		/* seconds, 0: none */
	struct addr_ranges elements[FAMILY_COUNT];
};

struct set_ref {
	size_t set;			/* index into config.sets */
	bool negated;
};

/* `from`, `to`. A packet matches when some positive element does (or there is none) and no negated
 * one. */
struct addr_match {
	bool given;
	struct addr_ranges yes[FAMILY_COUNT];
	struct addr_ranges no[FAMILY_COUNT];
	struct set_ref *sets;
	size_t set_count;
};

/* Ports, ids, protocols, code points: canonical lists. `no` is empty where `yes` isn't: it was taken
 * away. */
struct number_match {
	bool given;
	struct numbers yes;
	struct numbers no;
};

struct name {
	char *text;
	bool negated;
};

/* `in`, `cgroup`, `mac`: text as written, without the "!". */
struct name_match {
	struct name *v;
	size_t count;			/* 0: not given */
};

struct mark_value {
	uint32_t value;
	uint32_t mask;
	bool negated;
};

struct mark_match {
	struct mark_value *v;
	size_t count;
};

enum origin { ORIGIN_ANY, ORIGIN_LOCAL, ORIGIN_FORWARDED };

enum action {
	ACTION_VIA,			/* members are a failover list */
	ACTION_BALANCE,			/* members have weights */
	ACTION_TABLE,
	ACTION_MAIN,
	ACTION_UNREACHABLE,
	ACTION_PROHIBIT,
	ACTION_BLACKHOLE,
};

enum otherwise {
	OTHERWISE_MAIN,
	OTHERWISE_NEXT,
	OTHERWISE_UNREACHABLE,		/* from here on: a kill switch */
	OTHERWISE_PROHIBIT,
	OTHERWISE_BLACKHOLE,
};

struct member {
	char name[NAME_SIZE];
	uint32_t weight;		/* 1 in a failover list */
};

#define MINUTES_OF_DAY 1440

/* One entry of `policies`. */
struct policy {
	struct where at;
	char *name;
	bool enabled;

	struct addr_match from;
	struct addr_match to;
	struct name_match in;
	enum origin origin;
	bool family[FAMILY_COUNT];	/* the families the policy is about at all: `family`,
					 * addresses of one family alone, icmp and icmpv6 */
	struct number_match protocol;
	struct number_match sport;	/* without `protocol`: tcp and udp, as it then says */
	struct number_match dport;
	struct number_match user;
	struct number_match group;
	struct name_match cgroup;
	struct number_match dscp;
	struct name_match mac;		/* lower-case, aa:bb:cc:dd:ee:ff */
	struct mark_match mark;
	/* Where one is given both have a `yes`, and nothing in `no`. */
	struct number_match hours;	/* minutes of the day, from 1440 on of the next: hours across
					 * midnight belong to the day on which they begin */
	struct number_match days;	/* 0 Monday … 6 Sunday */

	enum action action;
	struct member *members;
	size_t member_count;
	uint32_t table;
	enum otherwise otherwise;
};

/* Everything from all files, in order. Owns its strings and the file names its places borrow. */
struct config {
	struct settings settings;
	struct interface *interfaces;
	size_t interface_count;
	struct policy *policies;
	size_t policy_count;
	struct set *sets;
	size_t set_count;
	char **files;			/* the files read, in order; struct where borrows names */
	size_t file_count;
};

void config_done(struct config *c);

static inline bool policy_is_kill_switch(const struct policy *p)
{
	return (p->action == ACTION_VIA || p->action == ACTION_BALANCE) &&
	       p->otherwise >= OTHERWISE_UNREACHABLE;
}

/* Whether an interface name matches a pattern in which only * is special. */
bool name_matches(const char *pattern, const char *name);
/* The entry of `interfaces` that is about `name`: the exact one, else the first glob, else NULL. */
const struct interface *config_interface(const struct config *c, const char *name);
/* The language's word for a protocol; NULL: it has none. */
const char *protocol_word(uint32_t protocol);
