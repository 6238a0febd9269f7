/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Sockets bound to a device, which explain is not asked about: they use that interface, usable or not, whatever the policies
 * say; but a kill switch lets nothing out by another.
 */
#include "tests/netns/random/random.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plan/internal.h"

#define PATIENCE_MS 400
#define DOUBT_MS 3

/* Whether nobody else's rules have a say. */
static bool is_ours_alone(const struct plan *p, enum family f)
{
	size_t others = 0;

	for (size_t i = 0; i < p->facts->rule_count; i++)
		others += p->facts->rules[i].family == f &&
			  p->facts->rules[i].protocol != OUR_PROTOCOL;
	return others == (f == FAMILY_IPV4 ? 3 : 2);
}

static bool is_address_of(const struct path_half *h, const struct addr *a)
{
	for (size_t i = 0; i < h->address_count; i++)
		if (addr_compare(&h->addresses[i], a) == 0)
			return true;
	return false;
}

/* Whether the packet has to leave; `e` is what becomes of it by a socket that has the same address, but isn't bound. */
static bool must_leave(const struct plan *p, const struct trial *t, const struct path *path,
		       const struct explanation *e)
{
	const struct path_half *h = path ? &path->half[t->flow.family] : NULL;

	return h && path->link && path->link->up && path->link->carrier && h->has_default &&
	       !h->no_way_out && h->address_count && !t->flow.has_src && e->link &&
	       !e->link->loopback && !e->note && !(e->policy && policy_is_kill_switch(e->policy)) &&
	       is_ours_alone(p, t->flow.family);
}

/* A kill switch's packets leave by one of the interfaces that it names. */
static bool may_leave(const struct trial *t, const struct explanation *e)
{
	if (!e->policy || !policy_is_kill_switch(e->policy))
		return true;
	for (size_t i = 0; i < e->policy->member_count; i++)
		if (strcmp(e->policy->members[i].name, t->bound->name) == 0)
			return true;
	return false;
}

static void check(const struct plan *p, const struct trial *t, const struct explanation *e,
		  struct strbuf *wrong)
{
	const struct path *path = plan_path(p, t->bound->name);
	bool must = must_leave(p, t, path, e);
	struct frame left;
	struct packet seen;

	if (!trial_find(t, must ? PATIENCE_MS : DOUBT_MS, &left, &seen)) {
		if (must)
			strbuf_add(wrong, "nothing left; ");
	} else if (left.link != t->bound->index && (!e->link || !e->link->loopback)) {
		strbuf_printf(wrong, "it left by %u, not by %u; ", left.link, t->bound->index);
	} else if (!may_leave(t, e)) {
		strbuf_printf(wrong, "it left under kill switch %s; ", e->policy->name);
	} else if (must && !is_address_of(&path->half[t->flow.family], &seen.src)) {
		strbuf_add(wrong, "it left with another interface's address; ");
	}
}

bool bound_run(struct trial *t, const struct plan *p, uint32_t minute, char **ret)
{
	struct strbuf wrong = { 0 };
	struct flow sent;
	struct explanation e;
	int fd;

	do
		trial_draw(t, p, minute);
	while (t->flow.forwarded ||
	       (t->flow.protocol != IPPROTO_TCP && t->flow.protocol != IPPROTO_UDP));
	t->bound = &wires[below(LINK_COUNT)];
	sent = t->flow;
	fd = trial_send(t, &sent.src);
	/* Known since connect(), also where send() was refused. */
	sent.has_src = !addr_is_zero(&sent.src);
	if (explain_flow(p, &sent, &e))
		abort();
	check(p, t, &e, &wrong);
	if (wrong.len)
		strbuf_printf(&wrong, "bound to %s, policy %s", t->bound->name,
			      e.policy ? e.policy->name : "none");
	if (fd >= 0)
		close(fd);
	explanation_done(&e);
	if (!wrong.len)
		return true;
	*ret = strbuf_take(&wrong);
	return false;
}
