/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ifsteer doctor: marks, reverse-path filters, forwarding, other services; and the limits of kill
 * switches.
 */
#include "plan/doctor/doctor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan/internal.h"

void host_done(struct host *h)
{
	for (size_t i = 0; i < h->writer_count; i++) {
		free(h->writers[i].table);
		free(h->writers[i].chain);
	}
	free(h->writers);
	*h = (struct host){ 0 };
}

/* ---- marks ---- */

bool mark_write_keeps(const struct mark_write *w, uint32_t mask)
{
	return ((w->to_connection ? w->what.connection : w->what.packet) & mask) == mask;
}

/* As nft would write it, where it is that simple. */
static void put_write(const struct mark_write *w, struct strbuf *b)
{
	const char *name = w->to_connection ? "ct mark" : "meta mark";

	if (w->what.fixed == UINT32_MAX)
		strbuf_printf(b, "`%s set %#010x`", name, w->what.value);
	else if (w->to_connection && w->what.packet == UINT32_MAX)
		strbuf_add(b, "`ct mark set meta mark`");
	else if (!w->to_connection && w->what.connection == UINT32_MAX)
		strbuf_add(b, "`meta mark set ct mark`");
	else
		strbuf_printf(b, "%s set", name);
}

static void put_hook(const struct mark_writer *w, struct strbuf *b)
{
	static const char *const hooks[] = { "prerouting", "input",	  "forward",
					     "output",	   "postrouting", "ingress" };
	bool is_netdev = strncmp(w->table, "netdev ", 7) == 0;

	if (!w->is_base)
		return;
	strbuf_printf(b, " (%s, priority %d)",
		      is_netdev			    ? (w->hook ? "egress" : "ingress")
		      : w->hook < ARRAY_SIZE(hooks) ? hooks[w->hook]
						    : "hook",
		      w->priority);
}

static void examine_writer(const struct plan *p, const struct mark_writer *w, struct findings *ret)
{
	CLEANUP(strbuf_done) struct strbuf what = { 0 };
	CLEANUP(strbuf_done) struct strbuf cure = { 0 };
	const char *name = w->write.to_connection ? "ct mark" : "meta mark";
	uint32_t ours = p->config->settings.mark_mask;

	strbuf_printf(&what, "nftables: table %s, chain %s", w->table, w->chain);
	put_hook(w, &what);
	strbuf_printf(&what, ", rule handle %llu", (unsigned long long)w->handle);
	if (w->count > 1)
		strbuf_printf(&what, " and %zu more", w->count - 1);
	strbuf_add(&what, ": ");
	put_write(&w->write, &what);
	strbuf_printf(&what, " writes over our bits of the %s mark, %#010x",
		      w->write.to_connection ? "connection" : "packet", ours);
	strbuf_printf(&cure,
		      "keep them: `%s set %s & %#010x | ...`, in iptables `--set-xmark "
		      "VALUE/MASK`, `--nfmask`, `--ctmask`; "
		      "or give ifsteer other bits: settings = { mark_mask = ...; }",
		      name, name, ours);
	findings_add(ret, false, cure.text, "%s", what.text ?: "");
}

static void examine_marks(const struct plan *p, const struct host *h, struct findings *ret)
{
	for (size_t i = 0; i < h->writer_count; i++)
		examine_writer(p, &h->writers[i], ret);
	if (h->has_legacy_mangle)
		findings_add(ret, true,
			     "see for yourself: `iptables-legacy -t mangle -S`, `ip6tables-legacy "
			     "-t mangle -S`",
			     "iptables-legacy has a mangle table; whether it writes our bits of "
			     "marks can't be told from here");
}

/* ---- reverse-path filter ---- */

/* The larger of both counts, and loose is the larger one. */
static bool is_strict(const struct facts *f, const struct link *l)
{
	return (l->rp_filter > f->rp_filter_all ? l->rp_filter : f->rp_filter_all) == 1;
}

static bool leads_by(const struct policy_plan *pp, const struct plan *p, const struct path *path)
{
	const struct verdict *v = &pp->verdict[FAMILY_IPV4];

	for (size_t i = 0; pp->policy->enabled && i < v->active_count; i++)
		if (&p->paths[v->active[i]] == path)
			return true;
	return false;
}

/* Whether it has packets whose way back main does not expect: what it forwards, and what gets
 * its source address on the way out only. */
static bool is_rewritten(const struct plan *p, const struct policy_plan *pp)
{
	if (policy_seen(pp->policy, HOOK_FORWARDED) && p->facts->forwarding[FAMILY_IPV4])
		return true;
	return policy_seen(pp->policy, HOOK_LOCAL) && !pp->verdict[FAMILY_IPV4].has_companion;
}

static void examine_kept(const struct plan *p, const struct path *path, struct findings *ret)
{
	for (size_t i = 0; i < p->policy_count; i++) {
		const struct policy_plan *pp = &p->policies[i];

		if (!leads_by(pp, p, path) || !is_rewritten(p, pp))
			continue;
		findings_add(ret, false,
			     "let ifsteer see to it: settings = { rp_filter = \"loose\"; }, or set "
			     "it to 2 yourself",
			     "rp_filter is strict on %s and kept so by settings.rp_filter = "
			     "\"keep\": replies to traffic of policy "
			     "\"%s\" that is forwarded, or whose source is rewritten, are dropped",
			     path->name, pp->policy->name);
		return;
	}
}

/* The first policy that leads forwarded packets of the family somewhere; NULL: there is none. */
static const struct policy *first_that_forwards(const struct plan *p, enum family f)
{
	for (size_t i = 0; i < p->policy_count; i++) {
		const struct policy *pol = p->policies[i].policy;
		const struct verdict *v = &p->policies[i].verdict[f];

		if (pol->enabled && v->covered && policy_seen(pol, HOOK_FORWARDED) &&
		    (v->active_count || v->outcome == ACTION_TABLE))
			return pol;
	}
	return NULL;
}

/* A packet that comes in is looked up with its mark where src_valid_mark is set, and then main's
 * routes, which lead back by this interface, are not what answers. */
static void examine_unmanaged(const struct plan *p, const struct host *h, const struct link *l,
			      struct findings *ret)
{
	const struct policy *pol;

	if (!h->all_src_valid_mark && !l->src_valid_mark)
		return;
	pol = first_that_forwards(p, FAMILY_IPV4);
	if (pol)
		findings_add(ret, false,
			     "set one of them: `sysctl -w net.ipv4.conf.INTERFACE.rp_filter=2`, or "
			     "src_valid_mark=0",
			     "rp_filter is strict and src_valid_mark set on %s: packets that "
			     "policy \"%s\" forwards from there are "
			     "dropped",
			     l->name, pol->name);
}

static void examine_rp_filter(const struct plan *p, const struct host *h, struct findings *ret)
{
	const struct facts *f = p->facts;
	bool keeps = p->config->settings.rp_filter == RP_FILTER_KEEP;

	for (size_t i = 0; i < f->links.count; i++) {
		const struct link *l = &f->links.v[i];
		const struct path *path = plan_path(p, l->name);

		if (l->loopback || !is_strict(f, l))
			continue;
		if (path && keeps)
			examine_kept(p, path, ret);
		/* Before the first apply it is what apply will change. */
		else if (path && f->nft)
			findings_add(ret, false,
				     "`ifsteer apply` sets it to 2; if it comes back: `grep -r "
				     "rp_filter /etc/sysctl.*`",
				     "rp_filter is strict on %s, and ifsteer has not set it so: "
				     "replies may be dropped",
				     l->name);
		else if (!path && f->forwarding[FAMILY_IPV4])
			examine_unmanaged(p, h, l, ret);
	}
}

/* ---- forwarding ---- */

static bool is_about_forwarding(const struct policy *pol)
{
	return pol->enabled && (pol->origin == ORIGIN_FORWARDED || pol->in.count || pol->mac.count);
}

static void examine_forwarding(const struct plan *p, struct findings *ret)
{
	static const char *const sysctls[] = { "net.ipv4.ip_forward",
					       "net.ipv6.conf.all.forwarding" };
	static const char *const families[] = { "IPv4", "IPv6" };

	for (size_t i = 0; i < p->policy_count; i++) {
		const struct policy *pol = p->policies[i].policy;
		enum family f = pol->family[FAMILY_IPV4] ? FAMILY_IPV4 : FAMILY_IPV6;
		const char *slash = strrchr(pol->at.file ?: "", '/');
		CLEANUP(strbuf_done) struct strbuf cure = { 0 };

		/* Whoever forwards one family only has his reasons. */
		if (!is_about_forwarding(pol) ||
		    (pol->family[FAMILY_IPV4] && p->facts->forwarding[FAMILY_IPV4]) ||
		    (pol->family[FAMILY_IPV6] && p->facts->forwarding[FAMILY_IPV6]))
			continue;
		strbuf_printf(&cure, "`sysctl -w %s=1`, and the same in a file of /etc/sysctl.d",
			      sysctls[f]);
		findings_add(ret, false, cure.text,
			     "policy \"%s\" (%s:%u) is about forwarded packets, but forwarding of "
			     "%s is off",
			     pol->name, slash ? slash + 1 : "", pol->at.line, families[f]);
	}
}

/* ---- other services ---- */

static bool counts(const struct service *s)
{
	return s->enabled || s->running;
}

static void examine_networkd(const struct host *h, struct findings *ret)
{
	CLEANUP(strbuf_done) struct strbuf cure = { 0 };

	if (!counts(&h->networkd) || (h->networkd_keeps_rules && h->networkd_keeps_routes))
		return;
	strbuf_printf(&cure, "in /etc/systemd/networkd.conf, section [Network]:%s%s",
		      h->networkd_keeps_rules ? "" : " ManageForeignRoutingPolicyRules=no",
		      h->networkd_keeps_routes ? "" : " ManageForeignRoutes=no");
	findings_add(
		ret, false, cure.text,
		"systemd-networkd removes %s that it did not make, ours too, whenever it starts",
		h->networkd_keeps_rules	   ? "routes"
		: h->networkd_keeps_routes ? "routing rules"
					   : "routing rules and routes");
}

static void examine_nftables(const struct host *h, struct findings *ret)
{
	if (!h->nftables_conf || !counts(&h->nftables))
		return;
	findings_add(ret, false,
		     "begin it with `table inet filter; delete table inet filter` instead, for "
		     "each of its tables",
		     "%s has `flush ruleset`: whenever nftables.service loads it, everybody's "
		     "tables are gone, ours too until ifsteer has applied again",
		     h->nftables_conf);
}

/* Its filter looks up the way back with the packet's mark, and wants it to be by the interface that
 * the packet came in by: a packet that was steered came in by another one, and its reply by one that
 * is not main's. What the host itself sends and gets is found by the rules for its addresses. */
static void examine_firewalld(const struct plan *p, const struct host *h, struct findings *ret)
{
	const struct policy *pol;

	if (!counts(&h->firewalld) || !h->firewalld_is_strict || !p->facts->forwarding[FAMILY_IPV6])
		return;
	pol = first_that_forwards(p, FAMILY_IPV6);
	if (pol)
		findings_add(
			ret, false,
			"in /etc/firewalld/firewalld.conf: IPv6_rpfilter=no (from version 2.1 on: "
			"loose), then `systemctl restart firewalld`",
			"firewalld's reverse-path filter for IPv6 drops the IPv6 packets that "
			"policy \"%s\" forwards",
			pol->name);
}

static void examine_networkmanager(const struct host *h, struct findings *ret)
{
	if (!counts(&h->networkmanager))
		return;
	if (!counts(&h->dispatcher))
		findings_add(ret, false,
			     "`systemctl enable --now NetworkManager-dispatcher.service`",
			     "NetworkManager is here without its dispatcher service: nobody tells "
			     "ifsteer about its interfaces");
	if (h->networkmanager.running && !h->has_dispatcher_hook)
		findings_add(ret, false,
			     "install it as /usr/lib/NetworkManager/dispatcher.d/50-ifsteer, a "
			     "link to ifsteer, and let nothing of "
			     "that name stand in /etc/NetworkManager/dispatcher.d",
			     "NetworkManager is running without ifsteer's hook: nobody tells "
			     "ifsteer about its interfaces");
}

static void examine_services(const struct plan *p, const struct host *h, struct findings *ret)
{
	examine_networkd(h, ret);
	examine_nftables(h, ret);
	examine_firewalld(p, h, ret);
	examine_networkmanager(h, ret);
	if (h->ifsteer.installed && !h->ifsteer.enabled)
		findings_add(ret, true, "`systemctl enable ifsteer.service`",
			     "ifsteer.service is not enabled: after a boot nothing stands before "
			     "the first interface is up");
}

/* ---- what no policy can cover ---- */

static void note_limits(const struct plan *p, struct findings *ret)
{
	static const char *const limits[] = {
		"what is never steered: loopback, link-local, multicast, broadcast, neighbour "
		"discovery",
		"packets that carry somebody else's mark, unless it names that mark",
		"replies to connections that came in: it judges the original direction",
		"packets of AF_PACKET sockets (DHCP clients, tcpdump's kind), which pass by "
		"nftables",
		"the time before ifsteer.service has run, on interfaces that are up that early",
		"the time after somebody else deletes table inet ifsteer or runs `conntrack -F`",
	};
	CLEANUP(strbuf_done) struct strbuf names = { 0 };
	bool by_cgroup = false;

	for (size_t i = 0; i < p->policy_count; i++) {
		const struct policy *pol = p->policies[i].policy;

		if (!pol->enabled || !policy_is_kill_switch(pol))
			continue;
		strbuf_printf(&names, "%s\"%s\"", names.len ? ", " : "", pol->name);
		by_cgroup |= pol->cgroup.count > 0;
	}
	if (!names.len)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		findings_add(ret, true, NULL, "a kill switch (%s) does not cover %s", names.text,
			     limits[i]);
	if (by_cgroup)
		findings_add(ret, true,
			     "`ExecStartPre=+ifsteer apply` in the service, or a slice that is "
			     "always there",
			     "a kill switch by cgroup holds from the apply that sees the cgroup");
}

static void sort_notes_last(struct findings *list)
{
	for (size_t i = 1; i < list->count; i++) {
		struct finding f = list->v[i];
		size_t k = i;

		for (; !f.is_note && k > 0 && list->v[k - 1].is_note; k--)
			list->v[k] = list->v[k - 1];
		list->v[k] = f;
	}
}

int doctor_examine(const struct plan *p, const struct host *h, struct findings *ret)
{
	doctor_rules(p, ret);
	examine_marks(p, h, ret);
	examine_rp_filter(p, h, ret);
	examine_forwarding(p, ret);
	examine_services(p, h, ret);
	note_limits(p, ret);
	sort_notes_last(ret);
	return ret->failed ? -ENOMEM : 0;
}
