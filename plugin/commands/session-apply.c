/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From a policy to the kernel: gather, plan, execute, and again where the kernel or an event says
 * so.
 */
#include "commands/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "commands/message.h"
#include "commands/progress.h"
#include "kernel/kernel.h"

/* Each further try knows of an interface more that can't be used; interfaces that vanish one
 * after the other need some, but never many. */
#define TRIES_MAX 8
/* After that the hooks that wait have to help themselves: none is lost, they apply when they get
 * the lock. */
#define TAKE_UP_MS 30000
/* Where events have come during a run, more are on their way: they are awaited, at most so long,
 * and planned for together. Of 250 hooks at once the first made 8 to 42 runs without this, 2 to 6
 * with it. */
#define SETTLE_MS 100

/* What was refused in this run is a fact, also where /run is full and can't keep it. */
static int add_refusals(struct session *s)
{
	for (size_t i = 0; i < s->refused_count; i++) {
		struct told *told = NULL;

		for (size_t k = 0; k < s->facts.told_count; k++)
			if (!strcmp(s->facts.told[k].name, s->refused[i].name))
				told = &s->facts.told[k];
		if (!told) {
			told = VEC_PUSH(s->facts.told, s->facts.told_count);
			if (!told)
				return -ENOMEM;
			memcpy(told->name, s->refused[i].name, NAME_SIZE);
		}
		told->refused[s->refused[i].family] = true;
	}
	return 0;
}

/* A missing capability, or a feature that the kernel lacks: it does not even let us look. */
static enum exit_code say_unread(int r)
{
	message_errno("what stands in the kernel can't be read", r);
	return r == -EPERM || r == -ENOPROTOOPT || r == -EPROTONOSUPPORT ? EXIT_REFUSED
									 : EXIT_UNEXPECTED;
}

static enum exit_code gather(struct session *s, bool all_ours)
{
	struct facts_want want = { .config = &s->config,
				   .all_ours = all_ours,
				   .nft = true,
				   .listing = s->handles ? NFT_HANDLES : NFT_KNOWN,
				   .all_routes = s->all_routes || s->about_count,
				   .about = s->about,
				   .about_count = s->about_count };
	struct diag d = { 0 };
	int r;

	progress_stage("asking the kernel", 0);
	facts_done(&s->facts);
	r = facts_gather(&want, &s->facts, &d);
	if (r == 0)
		r = add_refusals(s);
	message_diag(&d);
	return r ? say_unread(r) : EXIT_DONE;
}

static enum exit_code add_carried(struct session *s)
{
	struct diag d = { 0 };
	int r = facts_add_carried(s->config.settings.mark_mask, &s->facts, &d);

	message_diag(&d);
	return r ? say_unread(r) : EXIT_DONE;
}

static int make_plan(struct session *s, struct diag *d)
{
	progress_stage("planning", 0);
	/* The plan borrows the facts, which may have changed. */
	plan_done(&s->plan);
	steps_done(&s->steps);
	return plan_change(&s->config, &s->facts, &s->plan, &s->steps, d);
}

enum exit_code session_plan(struct session *s)
{
	enum exit_code code = s->options->facts ? EXIT_DONE : gather(s, false);
	struct diag d = { 0 };
	bool is_refused;
	int r;

	if (code)
		return code;
	r = make_plan(s, &d);
	if (r == 0 && s->plan.wants_carried) {
		diag_done(&d);
		code = add_carried(s);
		r = code ? 0 : make_plan(s, &d);
	}
	is_refused = r == -EINVAL && d.errors;
	message_diag(&d);
	if (code || r == 0)
		return code;
	if (is_refused)
		return EXIT_POLICY;
	message_errno("planning", r);
	return EXIT_UNEXPECTED;
}

/* Notes the routes that the kernel would not have. */
static int note_refused(struct session *s, const bool *refused)
{
	for (size_t i = 0; i < s->steps.count; i++) {
		const struct step *step = &s->steps.v[i];
		const struct link *link;
		struct refusal *r;

		if (!refused[i] ||
		    (step->kind != STEP_ADD_ROUTE && step->kind != STEP_REPLACE_ROUTE))
			continue;
		link = links_by_index(&s->facts.links, step->of.route.oif);
		if (!link)
			continue;
		r = VEC_PUSH(s->refused, s->refused_count);
		if (!r)
			return -ENOMEM;
		memcpy(r->name, link->name, NAME_SIZE);
		r->family = step->of.route.family;
		if (told_set_refused(r->name, r->family, true))
			message(LEVEL_WARNING,
				"can't keep below /run/ifsteer that %s has no usable route",
				r->name);
	}
	return 0;
}

static size_t count_set(const bool *v, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += v[i];
	return n;
}

static void say_steps(const struct session *s)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	if (s->options->verbose && plan_diff(&s->plan, &s->steps, &text) == 0 && text.text)
		message_lines(LEVEL_INFO, text.text);
}

/* Carries s->steps out. *ret_again: the kernel would not have a route, plan again. At first that is
 * no fact: the host may have changed since it was looked at, and an address is gone that the route
 * names. */
static enum exit_code execute(struct session *s, bool is_first, bool *ret_again)
{
	bool *refused = calloc(s->steps.count, sizeof(*refused));
	struct diag d = { 0 };
	size_t lost;
	int r;

	progress_stage("changing the kernel", s->steps.count);
	r = refused ? steps_execute(&s->steps, refused, &d) : -ENOMEM;
	lost = r == 0 ? count_set(refused, s->steps.count) : 0;
	*ret_again = lost;
	if (lost && is_first)
		diag_done(&d);
	else
		message_diag(&d);
	if (r == 0) {
		s->changes += s->steps.count - lost;
		r = is_first ? 0 : note_refused(s, refused);
	}
	free(refused);
	if (r == 0)
		return EXIT_DONE;
	if (r == -EPROTO) {
		message(LEVEL_ERROR, "the kernel refused the change; what stood before stands");
		return EXIT_REFUSED;
	}
	message_errno("changing the kernel", r);
	return EXIT_UNEXPECTED;
}

static enum exit_code apply_once(struct session *s)
{
	bool again = true;

	for (int i = 0; again && i < TRIES_MAX; i++) {
		enum exit_code code = session_plan(s);

		if (code)
			return code;
		again = false;
		if (s->steps.count) {
			if (s->consent && !s->consent(s->consent_ctx, s))
				return EXIT_DONE;
			say_steps(s);
			code = execute(s, i == 0, &again);
			if (code)
				return code;
		}
		/* With 250 interfaces a listing by libnftables is half of what the next event
		 * costs (callgrind: 99 of 199 million instructions). */
		if (s->steps.standing)
			nft_keep(s->steps.standing);
	}
	if (again)
		message(LEVEL_WARNING, "interfaces keep changing: the next event or `ifsteer "
				       "apply` finishes this");
	return EXIT_DONE;
}

static bool is_in_force(const struct session *s)
{
	CLEANUP(snapshot_done) struct snapshot in_force = { 0 };

	return kept_read_snapshot(KEPT_IN_FORCE, &in_force) == 0 &&
	       snapshot_same_text(&in_force, &s->read);
}

static bool any_refused(const struct told *told, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (told[i].refused[FAMILY_IPV4] || told[i].refused[FAMILY_IPV6])
			return true;
	return false;
}

static void forgive_all(const struct told *told, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (int f = 0; f < FAMILY_COUNT; f++)
			if (told[i].refused[f] &&
			    told_set_refused(told[i].name, (enum family)f, false))
				message(LEVEL_WARNING, "below /run/ifsteer: %s stays refused",
					told[i].name);
}

/* Routes that were refused are tried again when the policy has changed: it may name others now.
 * With the same policy they are not, or each apply would use the interface for a moment. */
static void forgive(const struct session *s)
{
	struct told *told = NULL;
	size_t count = 0;

	if (told_read(&told, &count))
		return;
	/* The copy can be long, and refusals are rare. */
	if (any_refused(told, count) && !is_in_force(s))
		forgive_all(told, count);
	free(told);
}

int session_take_events(void)
{
	/* What a run took up that then failed is this one's now: it acts on all that was told. */
	told_taken();
	return told_take();
}

enum exit_code session_apply(struct session *s)
{
	int64_t end = monotonic_ms() + TAKE_UP_MS;
	enum exit_code code;
	bool more = false;
	int r;

	forgive(s);
	do {
		if (more)
			told_settle(monotonic_ms() + SETTLE_MS);
		r = session_take_events();
		if (r)
			message(LEVEL_WARNING,
				"what managers announced can't be kept below /run/ifsteer: %s",
				strerror(-r));
		code = apply_once(s);
		if (code == EXIT_DONE && r == 0)
			told_taken();
		more = code == EXIT_DONE && r == 0 && told_pending();
	} while (more && monotonic_ms() < end);
	return code;
}

enum exit_code session_flush(struct session *s)
{
	enum exit_code code = gather(s, true);
	bool again;
	int r;

	if (code)
		return code;
	steps_done(&s->steps);
	r = plan_flush(&s->facts, &s->steps);
	if (r) {
		message_errno("planning", r);
		return EXIT_UNEXPECTED;
	}
	if (s->steps.count)
		code = execute(s, false, &again);
	if (code)
		return code;
	r = kept_remove(KEPT_IN_FORCE);
	if (r)
		message(LEVEL_WARNING, "the copy of the policy in force: %s", strerror(-r));
	return EXIT_DONE;
}

/* `copy`: what is to be kept, unless `r` says that there is none. */
static int keep_in_force(const struct session *s, const struct strbuf *copy, int r)
{
	int lost;

	r = r ?: kept_write(KEPT_IN_FORCE, copy->text, copy->len);
	if (r == 0)
		return 0;
	message(LEVEL_WARNING, "can't keep a copy of the policy below /run/ifsteer: %s%s",
		strerror(-r),
		s->options->path ? "; until the next apply `watch` repairs nothing" : "");
	/* `watch` would make the old one be in force again; and without one go by what was accepted,
	 * which -c is not. */
	lost = s->options->path ? kept_lose(KEPT_IN_FORCE) : kept_remove(KEPT_IN_FORCE);
	if (lost)
		message(LEVEL_WARNING, "nor remove the old one: %s", strerror(-lost));
	return r;
}

int session_keep_in_force(const struct session *s)
{
	CLEANUP(strbuf_done) struct strbuf copy = { 0 };
	int r = snapshot_print(&s->read, &copy);

	return keep_in_force(s, &copy, r);
}

void session_accept(const struct session *s)
{
	CLEANUP(strbuf_done) struct strbuf copy = { 0 };
	int r = snapshot_print(&s->read, &copy);

	(void)!keep_in_force(s, &copy, r);
	if (s->origin != ORIGIN_FILES || s->options->path)
		return;
	r = r ?: kept_write(KEPT_ACCEPTED, copy.text, copy.len);
	r = r ?: kept_remove(KEPT_UNCONFIRMED);
	if (r)
		message(LEVEL_WARNING,
			"can't keep a copy of the accepted policy in /var/lib/ifsteer: %s; "
			"if the files are in error one day, hooks have nothing to go by",
			strerror(-r));
}
