/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What planning may know about the host: a snapshot, gathered by the kernel room or read from a file
 * of facts. Planning asks nothing else, so that equal facts give equal plans.
 */
#pragma once

#include "plan/objects.h"

/* What managers and people told us about one interface; kept under /run/ifsteer. */
struct told {
	char name[NAME_SIZE];
	uint32_t index;			/* interface index when it was told, 0: unknown */
	bool down;			/* a manager announced it down */
	bool offline;			/* a person or health check took it out of use */
	bool refused[FAMILY_COUNT];	/* the kernel refused its routes of this family: unusable until the
					 * next event that says up, `online`, or another policy */
	bool has_gateway[FAMILY_COUNT];	/* the current connection's gateway, from the manager's event */
	struct addr gateway[FAMILY_COUNT];
};

struct link {
	uint32_t index;
	char name[NAME_SIZE];
	bool up;			/* IFF_UP */
	bool carrier;			/* IFF_LOWER_UP, or what operstate says */
	bool point_to_point;		/* IFF_POINTOPOINT or IFF_NOARP: needs no gateway */
	bool loopback;
	bool enslaved;			/* has a master: bridge port, bond member */
	uint32_t mtu;
	uint8_t rp_filter;		/* net.ipv4.conf.NAME.*, as it is now */
	uint8_t src_valid_mark;
	bool prefers_temporary;		/* net.ipv6.conf.NAME.use_tempaddr */
	bool has_lease[FAMILY_COUNT];	/* a DHCP client's lease file names a router */
	struct addr lease[FAMILY_COUNT];
};

struct links {
	struct link *v;			/* by index */
	size_t count;
};

struct address {
	uint32_t link;			/* interface index */
	struct addr addr;
	uint8_t len;
	uint8_t scope;			/* RT_SCOPE_… */
	bool tentative;			/* also dadfailed: never a source, as the kernel sees it */
	bool duplicate;			/* dadfailed: it won't settle any more */
	bool deprecated;
	bool temporary;			/* RFC 8981 */
	bool secondary;			/* IPv4: never chosen as a source */
	uint32_t order;			/* in which the kernel lists them, and chooses among equals */
	struct addr peer;		/* of a point-to-point address, else zero */
};

/* A user, group or service by name, for captured facts only. */
struct fact_name {
	char kind;			/* 'u', 'g', 's' */
	char *name;			/* services: "https/tcp" */
	uint32_t id;
};

/* A sysctl that we changed and its value as found; kept under /run/ifsteer. */
struct saved_sysctl {
	char name[NAME_SIZE];		/* interface */
	uint32_t index;			/* of the interface whose value was found */
	bool src_valid_mark;		/* which one; false: rp_filter */
	uint8_t value;			/* as found */
};

struct facts {
	bool has_family[FAMILY_COUNT];	/* the kernel has it and it is not disabled */
	bool forwarding[FAMILY_COUNT];
	uint8_t rp_filter_all;
	struct links links;
	struct address *addresses;	/* sorted by link, then order */
	size_t address_count;
	struct route *routes;		/* main's, other tables' and ours, by managed interfaces; the
					 * default routes of main by whatever; all of our protocol */
	size_t route_count;
	struct rule *rules;		/* all of both families, in the kernel's order */
	size_t rule_count;
	struct told *told;
	size_t told_count;
	struct saved_sysctl *saved;
	size_t saved_count;
	char *nft;			/* `nft list table inet ifsteer`, stateless; NULL: there is none */
	char **cgroups;			/* of those that the policy names: the ones that exist */
	size_t cgroup_count;
	/* Mark values of connections under the policy's mask. Gathered only on request, since it reads
	 * the whole connection table: see plan.wants_carried. */
	bool has_carried;
	struct numbers carried;		/* values shifted down, canonical */
	uint32_t hash_seed;		/* of `balance`, as stands in the kernel; 0: none yet */
	struct fact_name *names;	/* captured facts only */
	size_t name_count;
	int64_t now;			/* seconds since the epoch, for `hours` and `days` */
	int32_t utc_offset;		/* of local time, seconds */
};

void facts_done(struct facts *f);
/* The host as it were without an interface: borrows from `f` all but links, addresses and routes, which
 * facts_without_done frees. 0 or -ENOMEM. */
MUST_CHECK int facts_without_link(const struct facts *f, uint32_t index, struct facts *ret);
void facts_without_done(struct facts *f);
const struct link *links_by_index(const struct links *l, uint32_t index);
const struct link *links_by_name(const struct links *l, const char *name);
/* What the interface's rp_filter is without us. */
uint8_t facts_rp_filter(const struct facts *f, const struct link *l);
const struct told *facts_told(const struct facts *f, const char *name);

/* The file of `ifsteer facts`: versioned text, one fact a line, stable order. -EINVAL with a message in
 * `d` for what cannot be read; text[len] is a NUL. */
struct strbuf;
struct diag;
void facts_print(const struct facts *f, struct strbuf *out);
MUST_CHECK int facts_parse(const char *path, const char *text, size_t len, struct facts *ret, struct diag *d);
