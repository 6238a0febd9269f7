/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Carrying steps out. What goes by rtnetlink is sent in batches, in order; what was done is
 * remembered until nothing can be refused any more, so that it can be undone.
 */
#include <errno.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "kernel/conntrack.h"
#include "kernel/kernel.h"
#include "kernel/netlink.h"
#include "kernel/rtnl-codec.h"
#include "kernel/saved.h"
#include "kernel/sockets.h"
#include "kernel/standing.h"

struct run {
	const struct steps *steps;
	bool *refused;			/* the caller's, may be NULL */
	struct diag *d;			/* NULL while undoing */
	struct netlink route;
	struct netlink_batch batch;
	size_t waiting[NETLINK_BATCH_COUNT];	/* which step each message of the batch is */
	struct standing before;		/* tables in which routes are replaced */
	struct steps undo;		/* the opposite of what was done, in its order */
	bool in_force;			/* nftables agrees, or this is the way back */
	bool failed;			/* and something was refused nevertheless */
};

/* ---- words ---- */

static void print_step(const struct step *s, struct strbuf *out)
{
	struct link l = { 0 };
	const struct links links = { &l, 1 };

	switch (s->kind) {
	case STEP_SYSCTL:
	case STEP_RESTORE_SYSCTL:
		strbuf_printf(out, "%s %u of %s",
			      s->of.sysctl.src_valid_mark ? "src_valid_mark" : "rp_filter",
			      s->of.sysctl.value, s->of.sysctl.name);
		break;
	case STEP_ADD_ROUTE:
	case STEP_REPLACE_ROUTE:
	case STEP_DELETE_ROUTE:
		l.index = if_indextoname(s->of.route.oif, l.name) ? s->of.route.oif : 0;
		strbuf_add(out, "the route ");
		route_print(&s->of.route, &links, out);
		break;
	case STEP_ADD_RULE:
	case STEP_DELETE_RULE:
		strbuf_add(out, "the rule ");
		rule_print(&s->of.rule, out);
		break;
	case STEP_NFT_EDITS:
	case STEP_NFT:
		strbuf_add(out, "the nftables transaction");
		break;
	case STEP_FORGET_CONNECTIONS:
		strbuf_printf(out, "forgetting the connections marked %#x/%#x",
			      s->of.connections.mark, s->of.connections.mask);
		break;
	case STEP_CLOSE_SOCKETS:
		strbuf_add(out, "closing the sockets of an address that is gone");
		break;
	}
}

static void say(struct run *r, const struct step *s, const struct netlink_result *why,
		enum severity severity)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	const char *words = *why->words ? why->words : strerror(-why->err);

	if (!r->d)
		return;
	print_step(s, &text);
	if (severity == SEVERITY_ERROR)
		diag_error(r->d, (struct where){ 0 }, "the kernel refuses %s: %s", text.text ?: "",
			   words);
	else
		diag_warning(r->d, (struct where){ 0 }, "the kernel refuses %s: %s",
			     text.text ?: "", words);
}

/* ---- what was done, and its opposite ---- */

static int remember(struct run *r, const struct step *opposite)
{
	struct step *room;

	if (r->in_force)
		return 0;
	room = VEC_PUSH(r->undo.v, r->undo.count);
	if (!room)
		return -ENOMEM;
	*room = *opposite;
	return 0;
}

/* A sysctl's opposite was remembered when its value was saved. */
static int remember_opposite(struct run *r, const struct step *s)
{
	struct step opposite = *s;
	const struct route *old;

	switch (s->kind) {
	case STEP_ADD_ROUTE:
		opposite.kind = STEP_DELETE_ROUTE;
		return remember(r, &opposite);
	case STEP_REPLACE_ROUTE:
		old = standing_find(&r->before, &s->of.route);
		opposite.kind = old ? STEP_REPLACE_ROUTE : STEP_DELETE_ROUTE;
		if (old)
			opposite.of.route = *old;
		return remember(r, &opposite);
	case STEP_ADD_RULE:
		opposite.kind = STEP_DELETE_RULE;
		return remember(r, &opposite);
	case STEP_DELETE_RULE:
		opposite.kind = STEP_ADD_RULE;
		return remember(r, &opposite);
	case STEP_DELETE_ROUTE:
		opposite.kind = STEP_ADD_ROUTE;
		return remember(r, &opposite);
	case STEP_RESTORE_SYSCTL:
		saved_sysctl_forget(s->of.sysctl.index, s->of.sysctl.src_valid_mark);
		return 0;
	case STEP_NFT_EDITS:
	case STEP_NFT:
		if (s->of.nft.part != NFT_AHEAD)
			return 0;
		opposite.kind = STEP_NFT;
		opposite.of.nft.part = NFT_AFTER;
		opposite.of.nft.script = s->of.nft.undo;
		return remember(r, &opposite);
	case STEP_SYSCTL:
	case STEP_FORGET_CONNECTIONS:
	case STEP_CLOSE_SOCKETS:
		return 0;
	}
	return 0;
}

/* Before the sysctl is written: after a kill in between, the value as found is known all the same.
 * Where /run can't keep it the policy goes on and `flush` can't put it back. */
static int save_sysctl(struct run *r, const struct step *s)
{
	struct saved_sysctl saved = { .index = s->of.sysctl.index,
				      .src_valid_mark = s->of.sysctl.src_valid_mark,
				      .value = s->of.sysctl.found };
	struct step opposite = *s;
	int kept;

	memcpy(saved.name, s->of.sysctl.name, NAME_SIZE);
	kept = saved_sysctl_keep(&saved);
	if (kept < 0 && r->d)
		diag_warning(r->d, (struct where){ 0 },
			     "can't keep below /run/ifsteer what rp_filter of %s was: %s",
			     saved.name, strerror(-kept));
	opposite.kind = kept > 0 ? STEP_RESTORE_SYSCTL : STEP_SYSCTL;
	opposite.of.sysctl.value = s->of.sysctl.found;
	return remember(r, &opposite);
}

/* ---- what the kernel answered ---- */

/* Refusals that are about one interface: it vanished, went down, lost an address, has no IPv6, or
 * its gateway can't be reached. */
static bool is_about_interface(int err)
{
	return err == -ENETUNREACH || err == -EHOSTUNREACH || err == -EINVAL || err == -ENODEV ||
	       err == -ENETDOWN || err == -EACCES || err == -EEXIST;
}

static bool is_gone(int err)
{
	return err == -ENOENT || err == -ESRCH || err == -ENODEV || err == -ENETDOWN ||
	       err == -ENXIO;
}

/* "Exists already" is success where the same route stands there. */
static bool stands_already(struct run *r, const struct route *wanted)
{
	CLEANUP(standing_done) struct standing now = { 0 };
	const struct route *there;

	if (standing_read(&now, &r->route, wanted))
		return false;
	there = standing_find(&now, wanted);
	return there && route_compare(there, wanted) == 0;
}

static bool is_fulfilled(struct run *r, const struct step *s, int err)
{
	switch (s->kind) {
	case STEP_ADD_ROUTE:
		return err == -EEXIST && stands_already(r, &s->of.route);
	case STEP_ADD_RULE:
		return err == -EEXIST;		/* rules are equal in everything or not */
	case STEP_DELETE_RULE:
	case STEP_DELETE_ROUTE:
		return is_gone(err);
	case STEP_RESTORE_SYSCTL:
		if (err == -ENODEV)
			saved_sysctl_forget(s->of.sysctl.index, s->of.sysctl.src_valid_mark);
		return err == -ENODEV;
	case STEP_SYSCTL:
	case STEP_REPLACE_ROUTE:
	case STEP_NFT_EDITS:
	case STEP_NFT:
	case STEP_FORGET_CONNECTIONS:
	case STEP_CLOSE_SOCKETS:
		return false;
	}
	return false;
}

static bool concerns_one_interface(const struct step *s, int err)
{
	switch (s->kind) {
	case STEP_SYSCTL:
		return err == -ENODEV || err == -EOPNOTSUPP || err == -EINVAL;
	case STEP_ADD_ROUTE:
	case STEP_REPLACE_ROUTE:
		return s->of.route.oif && is_about_interface(err);
	case STEP_ADD_RULE:
	case STEP_NFT_EDITS:
	case STEP_NFT:
	case STEP_DELETE_RULE:
	case STEP_DELETE_ROUTE:
	case STEP_RESTORE_SYSCTL:
	case STEP_FORGET_CONNECTIONS:
	case STEP_CLOSE_SOCKETS:
		return false;
	}
	return false;
}

/* 0: go on; -EPROTO: the whole is refused. */
static int judge(struct run *r, size_t step, const struct netlink_result *result)
{
	const struct step *s = &r->steps->v[step];

	if (result->err == 0)
		return remember_opposite(r, s);
	if (is_fulfilled(r, s, result->err))
		return 0;
	if (concerns_one_interface(s, result->err)) {
		if (s->kind == STEP_SYSCTL && result->err == -ENODEV)
			saved_sysctl_forget(s->of.sysctl.index, s->of.sysctl.src_valid_mark);
		say(r, s, result, SEVERITY_WARNING);
		if (r->refused)
			r->refused[step] = true;
		return 0;
	}
	say(r, s, result, SEVERITY_ERROR);
	if (r->in_force) {
		r->failed = true;
		return 0;
	}
	return -EPROTO;
}

/* ---- batches ---- */

static int flush(struct run *r)
{
	int err = netlink_batch_send(&r->route, &r->batch), verdict = 0;

	if (err < 0 && r->d)
		diag_error(r->d, (struct where){ 0 }, "changing routes and rules: %s",
			   strerror(-err));
	/* All of them: what was done behind a refused one has to be undone as well, and so has what
	 * may have been done. */
	for (unsigned int i = 0; i < r->batch.count; i++) {
		size_t step = r->waiting[i];
		int one = err < 0 ? remember_opposite(r, &r->steps->v[step])
				  : judge(r, step, &r->batch.results[i]);

		verdict = verdict ? verdict : one;
	}
	netlink_batch_empty(&r->batch);
	return err ? err : verdict;
}

static void encode(void *buf, const struct step *s)
{
	switch (s->kind) {
	case STEP_SYSCTL:
	case STEP_RESTORE_SYSCTL:
		rtnl_encode_conf(buf, s->of.sysctl.index,
				 s->of.sysctl.src_valid_mark ? IPV4_DEVCONF_SRC_VMARK
							     : IPV4_DEVCONF_RP_FILTER,
				 s->of.sysctl.value);
		break;
	case STEP_ADD_ROUTE:
		rtnl_encode_route(buf, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &s->of.route);
		break;
	case STEP_REPLACE_ROUTE:
		rtnl_encode_route(buf, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &s->of.route);
		break;
	case STEP_DELETE_ROUTE:
		rtnl_encode_route(buf, RTM_DELROUTE, 0, &s->of.route);
		break;
	case STEP_ADD_RULE:
		/* Without NLM_F_EXCL the same rule would stand twice. */
		rtnl_encode_rule(buf, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, &s->of.rule);
		break;
	case STEP_DELETE_RULE:
		rtnl_encode_rule(buf, RTM_DELRULE, 0, &s->of.rule);
		break;
	case STEP_NFT_EDITS:
	case STEP_NFT:
	case STEP_FORGET_CONNECTIONS:
	case STEP_CLOSE_SOCKETS:
		break;
	}
}

static int queue(struct run *r, size_t step)
{
	const struct step *s = &r->steps->v[step];
	void *room;
	int err = r->route.fd < 0 ? netlink_open(&r->route, NETLINK_ROUTE) : 0;

	if (err == 0 && netlink_batch_full(&r->batch))
		err = flush(r);
	if (err == 0 && s->kind == STEP_SYSCTL)
		err = save_sysctl(r, s);
	if (err == 0 && s->kind == STEP_REPLACE_ROUTE && r->d)
		err = standing_read(&r->before, &r->route, &s->of.route);
	if (err < 0)
		return err;
	room = netlink_batch_room(&r->batch);
	if (!room)
		return -ENOMEM;
	encode(room, s);
	r->waiting[r->batch.count] = step;
	netlink_batch_add(&r->batch);
	return 0;
}

/* ---- the steps ---- */

static bool removes(enum step_kind kind)
{
	return kind >= STEP_DELETE_RULE;
}

/* What helps connections to end sooner, and leaves nothing in a wrong state where it can't be
 * done. */
static void help(struct run *r, const struct step *s, int err)
{
	struct netlink_result result = { .err = err };

	if (err == -EPROTONOSUPPORT)
		snprintf(result.words, sizeof(result.words), "%s",
			 "no ctnetlink (nf_conntrack_netlink); they keep their way until they end");
	if (err < 0)
		say(r, s, &result, SEVERITY_WARNING);
}

/* Of all that was to be done, not only of what was refused first. */
static void say_missing(const struct run *r, struct diag *d)
{
	CLEANUP(strbuf_done) struct strbuf all = { 0 };

	for (size_t i = 0; i < r->steps->count; i++)
		if (r->steps->v[i].kind == STEP_NFT)
			strbuf_add(&all, r->steps->v[i].of.nft.script);
	if (!all.failed)
		nft_say_missing(all.text, d);
}

/* What is made ahead can be taken back, and has to be where nobody knows whether it stands. Once
 * the change may stand, it must not lose the rules that it needs. */
static int change_nft(struct run *r, const struct step *s)
{
	CLEANUP(diag_done) struct diag unsaid = { 0 };
	struct diag *d = r->d ?: &unsaid;
	int err = flush(r), kept;

	if (err < 0)
		return err;
	if (s->of.nft.waits)
		nft_settle();
	err = s->kind == STEP_NFT_EDITS ? nft_edit(&s->of.nft.edits, d)
					: nft_run(s->of.nft.script, d);
	if (err == -EPROTO && s->kind == STEP_NFT)
		say_missing(r, d);
	if (err && err != -EIO)
		return err;
	kept = remember_opposite(r, s);
	r->in_force |= s->of.nft.part == NFT_CHANGE;
	return err ?: kept;
}

static int execute_one(struct run *r, size_t i)
{
	const struct step *s = &r->steps->v[i];
	int err = 0;

	/* Nothing is removed before everything that is new stands. */
	if (i > 0 && removes(s->kind) && !removes(s[-1].kind))
		err = flush(r);
	if (err < 0)
		return err;
	switch (s->kind) {
	case STEP_SYSCTL:
	case STEP_ADD_ROUTE:
	case STEP_REPLACE_ROUTE:
	case STEP_ADD_RULE:
	case STEP_DELETE_RULE:
	case STEP_DELETE_ROUTE:
	case STEP_RESTORE_SYSCTL:
		return queue(r, i);
	case STEP_NFT_EDITS:
	case STEP_NFT:
		return change_nft(r, s);
	case STEP_FORGET_CONNECTIONS:
		err = flush(r);
		if (err == 0)
			help(r, s, conntrack_forget(s));
		return err;
	case STEP_CLOSE_SOCKETS:
		err = flush(r);
		if (err == 0)
			help(r, s, sockets_close(&s->of.socket_source));
		return err;
	}
	return 0;
}

static int execute(struct run *r)
{
	int err = 0;

	for (size_t i = 0; i < r->steps->count && err == 0; i++)
		if (r->steps->v[i].kind == STEP_NFT)
			err = nft_prepare(r->d);
	for (size_t i = 0; i < r->steps->count && err == 0; i++)
		err = execute_one(r, i);
	return err ? err : flush(r);
}

static void run_done(struct run *r)
{
	netlink_close(&r->route);
	netlink_batch_done(&r->batch);
	standing_done(&r->before);
	free(r->undo.v);		/* its steps own nothing */
}

/* Backwards, and silently: that the whole was refused has been said, and what can't be undone is
 * repaired by the next run. */
static void undo(const struct run *r)
{
	struct steps back = { .v = calloc(r->undo.count + 1, sizeof(*back.v)),
			      .count = r->undo.count };
	struct run again = { .steps = &back, .in_force = true, .route = NETLINK_CLOSED };

	if (!back.v)
		return;
	for (size_t i = 0; i < back.count; i++)
		back.v[i] = r->undo.v[back.count - 1 - i];
	if (execute(&again))
		again.failed = true;
	run_done(&again);
	free(back.v);
}

int steps_execute(const struct steps *s, bool *ret_refused, struct diag *d)
{
	struct run r = { .steps = s, .refused = ret_refused, .d = d, .route = NETLINK_CLOSED };
	int err = execute(&r);

	if (err < 0 && !r.in_force)
		undo(&r);
	if (err == 0 && r.failed)
		err = -EIO;
	run_done(&r);
	return err;
}
