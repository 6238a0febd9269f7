/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Planning: policy and facts become the desired state, and the desired state against the facts becomes
 * ordered steps. Pure: no socket, no clock, no printing. apply, diff, status and explain all read the
 * same struct plan; there is no second opinion.
 */
#pragma once

#include "base/diag.h"
#include "plan/facts.h"
#include "plan/nft/nft.h"
#include "plan/steps.h"
#include "policy/policy.h"

/* One family's half of a managed interface. */
struct path_half {
	bool usable;
	const char *reason;		/* why not; static text, NULL when usable */
	bool dead;			/* carries nothing at all: not even replies, as it may when taken offline */
	bool has_default;		/* a way out is known: a gateway, or on-link */
	bool has_gateway;		/* false with has_default: on-link */
	bool no_way_out;		/* a way out was named but can't be taken: reason says why */
	bool onlink;			/* the gateway is outside the connected networks */
	bool symmetric;			/* replies to what came in by it leave by it */
	bool has_companion;		/* a companion leads first look-ups here */
	struct addr gateway;
	bool has_src;			/* the default route names its source address */
	struct addr src;
	uint32_t mtu;			/* that the default route names, 0: none */
	struct addr *addresses;		/* of this interface, the ones that may be a source; owned */
	bool *is_second;		/* an interface before this one has that address, too; owned */
	size_t address_count;
};

/* The facts of one link, in their order; the arrays are the plan's. */
struct near {
	const struct address *const *addresses;
	size_t address_count;
	const struct route *const *routes;
	size_t route_count;
};

/* A managed interface: a declared one, or one that a glob matched. */
struct path {
	char name[NAME_SIZE];
	const struct interface *interface;
	const struct link *link;	/* NULL: absent */
	const struct told *told;	/* NULL: nothing was told */
	struct near near;
	uint32_t slot;
	uint32_t table;
	uint32_t mark;			/* the path's own value, in place */
	uint32_t mark_yields;		/* 0: not in use */
	uint32_t mark_kill;		/* 0: not in use */
	bool usable;			/* any family */
	char word[32];			/* its word in nft names: eth2, or slot_3_br_lan */
	char quoted[NAME_SIZE + 4];	/* its name in nft text, quoted; "": nft can't say it */
	struct path_half half[FAMILY_COUNT];
};

/* What becomes of a policy in one family, now. */
struct verdict {
	bool covered;			/* the policy is about this family */
	bool dormant;			/* no named interface is usable and `otherwise` is "main" or "next" */
	bool catches_nothing;		/* its cgroups don't exist yet */
	enum action outcome;		/* what happens: via, table, main, unreachable, … */
	bool yields;			/* leaves to main the destinations that main has a route for */
	bool kill;			/* a kill switch's path */
	bool has_companion;		/* local sockets get the right source at once: nothing need be rewritten */
	size_t *active;			/* indices into plan.paths: one, or the members of a balance; owned */
	size_t active_count;
};

struct policy_plan {
	const struct policy *policy;
	char *word;			/* its word in nft names; owned */
	bool has_rules;			/* not only a place in maps: rules refer to its long lists */
	struct verdict verdict[FAMILY_COUNT];
};

/* The mark of somebody else's table that a policy looks up. */
struct table_mark {
	uint32_t table;
	uint32_t mark;			/* looks up the table alone; 0: not in use */
	uint32_t mark_yields;		/* main's own routes first; 0: not in use */
};

/* A sysctl that must have a value while we are here. */
struct want_sysctl {
	const struct link *link;
	bool src_valid_mark;
	uint8_t value;
};

/* Names in order, and the place of what has them; the names are borrowed. */
struct name_list {
	struct name_at {
		const char *name;
		size_t at;
	} *v;
	size_t count;
};

struct plan {
	const struct config *config;	/* borrowed, as is facts */
	const struct facts *facts;
	unsigned int mark_shift;
	uint32_t mark_main;		/* 0: not in use */
	bool marks_replies;		/* main has no IPv4 default route: a reverse look-up needs the mark, even a loose one */
	bool companion_elsewhere[FAMILY_COUNT];	/* a companion leads to somebody else's table */
	struct table_mark *tables;
	size_t table_count;
	const struct address **addresses_by_link;
	const struct route **routes_by_link;
	const struct route **foreign_defaults;	/* others' default routes outside main */
	size_t foreign_default_count;
	struct path *paths;		/* by slot */
	size_t path_count;
	struct name_list paths_by_name;
	struct policy_plan *policies;	/* one for each of config->policies, disabled ones too */
	size_t policy_count;

	/* The desired state. */
	struct route *routes;
	size_t route_count;
	struct rule *rules;
	size_t rule_count;
	struct want_sysctl *sysctls;
	size_t sysctl_count;
	struct nft_table nft;

	bool keeps_marks;		/* marks stand that no policy needs: connections may still carry them */
	bool wants_carried;		/* a mark would be given out, or taken away: plan again with facts.carried */
};

/* 0; -EINVAL: the policy can't be met on this host, with messages in `d` (marks that run out); -ENOMEM. */
MUST_CHECK int plan_make(const struct config *c, const struct facts *f, struct plan *ret, struct diag *d);
void plan_done(struct plan *p);

/* The plan and its steps, if there are any without the marks that only connections may still need: their end is no
 * reason to write. No steps with plan.wants_carried. Otherwise as plan_make and plan_steps; `d` is an empty one. */
MUST_CHECK int plan_change(const struct config *c, const struct facts *f, struct plan *ret, struct steps *ret_steps,
			   struct diag *d);
/* The writes that make the kernel agree with the plan, in make-before-break order: what is new first, the
 * nftables transaction, then what is no longer wanted. None when it agrees already. */
MUST_CHECK int plan_steps(const struct plan *p, struct steps *ret);
/* The writes that remove everything of ours and put sysctls back. */
MUST_CHECK int plan_flush(const struct facts *f, struct steps *ret);
/* The steps as lines for a person: "+ ip rule add …", "- ip route del …", "+ nft add rule …". */
MUST_CHECK int plan_diff(const struct plan *p, const struct steps *s, struct strbuf *ret);
/* Notes of what was somebody else's doing, where that can be known. */
void plan_drift(const struct plan *p, const struct steps *s, struct diag *d);
