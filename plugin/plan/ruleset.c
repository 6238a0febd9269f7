/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The hooks of `table inet ifsteer`: which packets are judged, which are restored to the way their connection
 * remembers, and what may leave. It reads top to bottom as a packet travels.
 *
 * A connection's mark names one path. If it came in by a symmetric interface that is the way of its replies,
 * else it is the way of its original direction; `ct direction` says which of the two a packet is.
 */
#include "plan/runs.h"
#include "plan/ways.h"

#include <errno.h>
#include <stdlib.h>

#define OUTPUT_HOOK "type route hook output priority -90; policy accept;"
#define PREROUTING_HOOK "type filter hook prerouting priority -90; policy accept;"
#define GUARD_HOOK "type filter hook postrouting priority 90; policy accept;"
#define NAT_HOOK "type nat hook postrouting priority 95; policy accept;"
#define STRAYS_HOOK "type filter hook postrouting priority 200; policy accept;"

static struct nft_chain *chain(struct plan *p, const char *name, const char *hook)
{
	return nft_add_chain(&p->nft, name, hook);
}

static uint32_t mask(const struct plan *p)
{
	return p->config->settings.mark_mask;
}

/* ---- output: the host's own packets ---- */

static int add_output(struct plan *p)
{
	struct nft_chain *c = chain(p, "output", OUTPUT_HOOK);
	bool kills = plan_has_kill_switch(p, HOOK_LOCAL);

	if (!c)
		return -ENOMEM;
	/* By its type, which one interface has: its name costs every packet 9 ns more. */
	TRY(nft_add_rule(c, NULL, "oiftype loopback accept"));
	TRY(nft_add_rule(c, "a mark of somebody else's", "meta mark & 0x%08x != 0x00000000 %s", ~mask(p),
			 plan_names_marks(p, HOOK_LOCAL) ? "goto marked_local" : "accept"));
	if (kills) {
		TRY(nft_add_rule(c, NULL, "ct direction original ct state established,related jump older_local"));
		TRY(nft_add_rule(c, NULL, "ct state invalid jump older_local"));
	}
	/* No reply is new. A question fewer for what is not steered is 10 ns a packet. */
	TRY(nft_add_rule(c, NULL, p->mark_main ? "ct state related,new,untracked goto leaving" :
						 "ct state related goto related"));
	/* Not to be looked up: 17 ns of 1,040 for what is not steered. */
	TRY(nft_add_rule(c, NULL, "ct mark & 0x%08x == 0x00000000 %s", mask(p), p->mark_main ? "goto unsteered" : "accept"));
	TRY(ways_add_few(p, c, false));
	TRY(nft_add_rule(c, "as the connection remembers", "ct mark & 0x%08x vmap @restore", mask(p)));
	if (!p->mark_main)
		return 0;
	TRY(nft_add_rule(c, NULL, "goto unsteered"));
	c = chain(p, "leaving", NULL);
	if (!c)
		return -ENOMEM;
	TRY(nft_add_rule(c, NULL, "ct state related goto related"));
	TRY(nft_add_rule(c, "as the connection remembers", "ct mark & 0x%08x vmap @restore", mask(p)));
	TRY(nft_add_rule(c, NULL, "ct state new tcp flags ! syn,rst goto midstream"));
	return nft_add_rule(c, NULL, "goto judge_local");
}

/* What is forwarded may be too big or too old, and it is the host that says so, to either end of a connection that
 * names a way for one of them. Main knows where the other one is: behind an interface that remembers no arrivals. */
static int add_related(struct plan *p)
{
	struct nft_chain *c = chain(p, "related", NULL);

	if (!c)
		return -ENOMEM;
	TRY(nft_add_rule(c, "not ICMP", "meta l4proto != { 1, 58 } ct mark & 0x%08x vmap @restore", mask(p)));
	TRY(nft_add_rule(c, NULL, "oifname @symmetric ct mark & 0x%08x vmap @restore", mask(p)));
	/* Should main lead elsewhere: what can't be of an arrival names the way of the original direction. */
	TRY(nft_add_rule(c, NULL, "ct direction original ct mark & 0x%08x != @crossing ct mark & 0x%08x vmap @restore",
			 mask(p), mask(p)));
	return p->mark_main ? nft_add_rule(c, NULL, "goto unsteered") : 0;
}

/* Loopback, link-local, multicast, broadcast and neighbour discovery are never steered. */
static int add_never_steered(struct nft_chain *c)
{
	TRY(nft_add_rule(c, "never steered", "fib daddr type { local, broadcast, anycast, multicast } accept"));
	TRY(nft_add_rule(c, "never steered", "ip daddr 169.254.0.0/16 accept"));
	TRY(nft_add_rule(c, "never steered", "ip6 daddr fe80::/10 accept"));
	return nft_add_rule(c, "never steered", "icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, "
			    "nd-neighbor-advert, nd-redirect } accept");
}

static int add_judge(struct plan *p, const char *name, enum hook hook)
{
	CLEANUP(runs_done) struct runs runs = { 0 };
	struct nft_chain *c = chain(p, name, NULL);

	if (!c)
		return -ENOMEM;
	TRY(runs_find(p, hook, name, &runs));
	TRY(add_never_steered(c));
	TRY(judge_add(p, c, hook, &runs));
	if (hook == HOOK_LOCAL)
		TRY(nft_add_rule(c, NULL, "goto unsteered"));
	return judge_add_runs(p, hook, &runs);
}

/* A packet with a foreign mark is left alone unless a policy names that mark. */
static int add_marked(struct plan *p, enum hook hook)
{
	bool local = hook == HOOK_LOCAL;
	struct nft_chain *c;

	if (!plan_names_marks(p, hook))
		return 0;
	c = chain(p, local ? "marked_local" : "marked_forwarded", NULL);
	if (!c)
		return -ENOMEM;
	TRY(nft_add_rule(c, NULL, "ct direction original ct mark & 0x%08x vmap @%s", mask(p), local ? "restore" : "onward"));
	TRY(nft_add_rule(c, NULL, "ct state new,untracked goto %s", local ? "judge_marked_local" : "judge_marked_forwarded"));
	c = chain(p, local ? "judge_marked_local" : "judge_marked_forwarded", NULL);
	if (!c)
		return -ENOMEM;
	TRY(add_never_steered(c));
	return judge_add_marked(p, c, hook);
}

/* What a kill switch says of connections that it did not take itself: older ones, and unknown ones. */
static int add_older(struct plan *p, enum hook hook)
{
	struct nft_chain *c;

	if (!plan_has_kill_switch(p, hook))
		return 0;
	c = chain(p, hook == HOOK_LOCAL ? "older_local" : "older_forwarded", NULL);
	if (!c)
		return -ENOMEM;
	TRY(add_never_steered(c));
	return judge_add_older(p, c, hook);
}

/* What is not steered but may have been caught by a companion is told "main". The sources of managed interfaces
 * can't have been: their rules stand ahead of the companions. */
static int add_unsteered(struct plan *p)
{
	struct nft_chain *c = chain(p, "unsteered", NULL);

	if (!c)
		return -ENOMEM;
	for (int f = 0; f < FAMILY_COUNT; f++) {
		const char *saddr = f == FAMILY_IPV4 ? "ip saddr != @addresses_ipv4" : "ip6 saddr != @addresses_ipv6";

		if (p->companion_elsewhere[f]) {
			TRY(nft_add_rule(c, NULL, "%s goto to_main", saddr));
			continue;
		}
		for (size_t i = 0; i < p->path_count; i++)
			if (p->paths[i].half[f].has_companion)
				TRY(nft_add_rule(c, NULL, "oifname %s %s goto to_main", p->paths[i].quoted, saddr));
	}
	return 0;
}

/* Kill switches that know their packets by the process: one that has exited can't be asked. */
static bool kills_by_owner(const struct plan *p)
{
	for (size_t i = 0; i < p->policy_count; i++) {
		const struct policy *pol = p->policies[i].policy;

		if (pol->enabled && policy_is_kill_switch(pol) && (pol->user.given || pol->group.given || pol->cgroup.count))
			return true;
	}
	return false;
}

/* A local TCP packet without SYN that conntrack does not know: older than us, or forgotten with its path. */
static int add_midstream(struct plan *p)
{
	struct nft_chain *c = chain(p, "midstream", NULL);

	if (!c)
		return -ENOMEM;
	if (plan_has_kill_switch(p, HOOK_LOCAL))
		TRY(nft_add_rule(c, NULL, "jump older_local"));
	if (kills_by_owner(p)) {
		/* skuid matches nothing at all where there is no socket. */
		TRY(nft_add_rule(c, NULL, "meta skuid 0-4294967294 goto midstream_owned"));
		TRY(nft_add_rule(c, "its process has exited: nobody knows whose it was", "drop"));
		c = chain(p, "midstream_owned", NULL);
		if (!c)
			return -ENOMEM;
	}
	TRY(nft_add_rule(c, "its address is gone", "meta l4proto 6 fib saddr type != local reject with tcp reset"));
	for (size_t i = 0; i < p->path_count; i++)
		TRY(ways_add_dead_sources(c, &p->paths[i]));
	return nft_add_rule(c, NULL, "goto unsteered");
}

static int add_cut(struct plan *p)
{
	struct nft_chain *c;

	if (!plan_has_kill_switch(p, HOOK_LOCAL) && !plan_has_kill_switch(p, HOOK_FORWARDED))
		return 0;
	c = chain(p, "cut", NULL);
	if (!c)
		return -ENOMEM;
	TRY(nft_add_rule(c, NULL, "meta l4proto 6 reject with tcp reset"));
	return nft_add_rule(c, NULL, "drop");
}

/* ---- prerouting: what comes in ---- */

static int add_prerouting(struct plan *p)
{
	struct nft_chain *c = chain(p, "prerouting", PREROUTING_HOOK);
	bool kills = plan_has_kill_switch(p, HOOK_FORWARDED);

	if (!c)
		return -ENOMEM;
	/* What nothing below would touch, in one look: 66 ns of 1,413. What is steered sees it by its mark alone: 6 ns. */
	if (!kills)
		TRY(nft_add_rule(c, "not steered", "ct mark & 0x%08x == 0x00000000 ct state established accept", mask(p)));
	TRY(nft_add_rule(c, NULL, "iiftype loopback accept"));
	TRY(nft_add_rule(c, "a mark of somebody else's", "meta mark & 0x%08x != 0x00000000 %s", ~mask(p),
			 plan_names_marks(p, HOOK_FORWARDED) ? "goto marked_forwarded" : "accept"));
	TRY(nft_add_rule(c, NULL, "ct direction reply goto replying"));
	TRY(ways_add_few(p, c, true));
	TRY(nft_add_rule(c, "as the connection remembers", "ct mark & 0x%08x vmap @onward", mask(p)));
	if (kills)
		TRY(nft_add_rule(c, NULL, "ct state invalid,established,related jump older_forwarded"));
	TRY(nft_add_rule(c, NULL, "ct state new,untracked goto arriving"));
	c = chain(p, "replying", NULL);
	return c ? nft_add_rule(c, NULL, "ct mark & 0x%08x vmap @replies", mask(p)) : -ENOMEM;
}

/* A link-local neighbour is answered on its link whatever the mark. */
static int add_arriving(struct plan *p)
{
	struct nft_chain *c = chain(p, "arriving", NULL);

	if (!c)
		return -ENOMEM;
	TRY(nft_add_rule(c, NULL, "ip6 saddr fe80::/10 accept"));
	TRY(nft_add_rule(c, "replies leave by the interface it came in by", "iifname vmap @arrivals"));
	return nft_add_rule(c, NULL, "goto judge_forwarded");
}

/* ---- postrouting: what may leave ---- */

static int add_guard(struct plan *p)
{
	struct nft_chain *c;

	if (!ways_have_kill(p))
		return 0;
	c = chain(p, "guard", GUARD_HOOK);
	if (!c)
		return -ENOMEM;
	return nft_add_rule(c, "kill switches leave by their own interface or not at all", "meta mark & 0x%08x vmap @guarded",
			    mask(p));
}

static bool has_router(const struct plan *p)
{
	for (size_t i = 0; i < p->path_count; i++)
		if (p->paths[i].interface->snat == SNAT_ALWAYS)
			return true;
	return false;
}

/* A packet that is steered may as well carry the address of an interface that is not managed: main had chosen it
 * before there was a mark. */
static int add_unmanaged(struct plan *p, struct nft_chain *c, enum family f, const char *match, const char *verdict)
{
	if (!p->mark_main)
		return 0;
	return nft_add_rule(c, "the address of an interface that is not managed",
			    "%soifname @rewritten meta mark & 0x%08x != { 0x00000000, 0x%08x } %s fib saddr type local %s",
			    match, mask(p), p->mark_main,
			    f == FAMILY_IPV4 ? "ip saddr != @loopback_ipv4" : "ip6 saddr != @loopback_ipv6", verdict);
}

/* The source of a packet that leaves a managed interface is an address of that interface. The address is asked for
 * first: what is forwarded has another one, and asking for the interface cost it 65 ns. */
static int add_nat(struct plan *p)
{
	struct nft_chain *c = chain(p, "nat", NAT_HOOK);

	if (!c)
		return -ENOMEM;
	TRY(nft_add_rule(c, NULL, "ip saddr . oifname @own_ipv4 accept"));
	TRY(nft_add_rule(c, NULL, "ip6 saddr . oifname @own_ipv6 accept"));
	TRY(nft_add_rule(c, "another interface's address", "ip saddr @addresses_ipv4 oifname @rewritten masquerade"));
	TRY(nft_add_rule(c, "another interface's address", "ip6 saddr @addresses_ipv6 oifname @rewritten masquerade"));
	for (enum family f = 0; f < FAMILY_COUNT; f++)
		TRY(add_unmanaged(p, c, f, "", "masquerade"));
	if (has_router(p))
		TRY(nft_add_rule(c, "a NAT router", "oifname @routers fib saddr type != local masquerade"));
	return 0;
}

/* What the host says of packets that it forwards: main had chosen its source, and NAT is not asked for errors. */
static int add_errors(struct plan *p, struct nft_chain *c)
{
	static const struct {
		const char *type;
		const char *of_another;
		const char *set;
	} errors[FAMILY_COUNT] = {
		{ "icmp type { destination-unreachable, time-exceeded, parameter-problem } ",
		  "ip saddr @addresses_ipv4", "ip saddr set oifname map @sources_ipv4 accept" },
		{ "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } ",
		  "ip6 saddr @addresses_ipv6", "ip6 saddr set oifname map @sources_ipv6 accept" },
	};

	for (enum family f = 0; f < FAMILY_COUNT; f++) {
		TRY(nft_add_rule(c, "the host speaks of what it forwards", "%s%s %s", errors[f].type,
				 errors[f].of_another, errors[f].set));
		TRY(add_unmanaged(p, c, f, errors[f].type, errors[f].set));
	}
	return 0;
}

/* What was forwarded, and nothing else, came by an interface, which has a group, and not this one. For an interface's
 * number libnftables lists all interfaces first. Older kernels know none here: then nothing matches. */
#define CAME_BY_ONE "iifgroup != 4294967295 "

/* What NAT was not asked for. What is forwarded mostly has an address that is none of ours, and is asked for that
 * alone: 60 ns of 1,450. */
static int add_strays(struct plan *p)
{
	struct nft_chain *c = chain(p, "strays", STRAYS_HOOK);

	if (!c)
		return -ENOMEM;
	TRY(nft_add_rule(c, "forwarded", CAME_BY_ONE "ip saddr != @addresses_ipv4 accept"));
	TRY(nft_add_rule(c, "forwarded", CAME_BY_ONE "ip6 saddr != @addresses_ipv6 accept"));
	TRY(nft_add_rule(c, NULL, "ip saddr . oifname @own_ipv4 accept"));
	TRY(nft_add_rule(c, NULL, "ip6 saddr . oifname @own_ipv6 accept"));
	TRY(add_errors(p, c));
	TRY(nft_add_rule(c, "what NAT was not asked for", "ip saddr @addresses_ipv4 oifname @rewritten counter name \"strays\" drop"));
	return nft_add_rule(c, "what NAT was not asked for",
			    "ip6 saddr @addresses_ipv6 oifname @rewritten counter name \"strays\" drop");
}

static int add_local(struct plan *p)
{
	TRY(add_output(p));
	TRY(add_related(p));
	TRY(add_marked(p, HOOK_LOCAL));
	if (!p->mark_main)
		return 0;
	TRY(add_older(p, HOOK_LOCAL));
	TRY(add_midstream(p));
	TRY(add_judge(p, "judge_local", HOOK_LOCAL));
	return add_unsteered(p);
}

static int add_forwarded(struct plan *p)
{
	TRY(add_prerouting(p));
	TRY(add_marked(p, HOOK_FORWARDED));
	TRY(add_older(p, HOOK_FORWARDED));
	TRY(add_arriving(p));
	return add_judge(p, "judge_forwarded", HOOK_FORWARDED);
}

int plan_ruleset(struct plan *p)
{
	if (!p->path_count && !p->mark_main)
		return 0;
	p->nft.exists = true;
	TRY(add_local(p));
	TRY(add_forwarded(p));
	TRY(add_cut(p));
	TRY(ways_add(p));
	TRY(add_guard(p));
	TRY(ways_add_guards(p));
	TRY(add_nat(p));
	TRY(add_strays(p));
	TRY(sets_add(p));
	nft_sort(&p->nft);
	return 0;
}
