/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One look of `ifsteer watch`: which policy is in force, what differs from it, and whether that may
 * be repaired now.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/strbuf.h"
#include "commands/message.h"
#include "commands/status.h"
#include "commands/trial.h"
#include "commands/watch.h"
#include "kernel/kernel.h"

/* After a failure. */
#define RETRY_MS 5000
/* Between two looks, whatever happens. */
#define GAP_MS 20
/* Of each second we may take a fifth of a processor, and up to this what we have not taken so far;
 * who has taken more waits, but not for longer than this. */
#define SHARE 5
#define CREDIT_MAX_US 250000
#define GAP_MAX_MS 1000
/* Who waits for `ifsteer confirm` goes first. */
#define TRIAL_GRACE_MS 1000

/* ---- may it be repaired? ---- */

/* FNV-1a. */
static uint64_t number_of(const char *line, size_t len)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)line[i]) * 0x100000001b3;
	return h;
}

/* One object is one line of `ifsteer diff`. They are carried out together, so the first one that
 * may be repaired takes the others along. */
static int64_t may_be_repaired(const struct watch *w, const char *lines, int64_t now)
{
	int64_t when = NEVER;

	for (const char *end; *lines && when > now; lines = *end ? end + 1 : end) {
		int64_t this;

		end = strchrnul(lines, '\n');
		this = patience_when(&w->patience, number_of(lines, (size_t)(end - lines)), now);
		if (this < when)
			when = this;
	}
	return when == NEVER ? now : when;
}

static void note_repairs(struct watch *w, const char *lines, int64_t now)
{
	const char *first = NULL;
	size_t count = 0;

	for (const char *end; *lines; lines = *end ? end + 1 : end) {
		end = strchrnul(lines, '\n');
		if (!patience_repaired(&w->patience, number_of(lines, (size_t)(end - lines)), now))
			continue;
		if (!count++)
			first = lines;
	}
	if (count)
		message(LEVEL_WARNING,
			"%d times within a minute somebody has undone this, from now on it is "
			"repaired every %d seconds: %.*s%s",
			PATIENCE_REPAIRS, PATIENCE_PAUSE_MS / 1000, (int)strcspn(first, "\n"),
			first, count > 1 ? ", and more" : "");
}

/* Is asked when steps are planned. */
static bool consent(void *ctx, const struct session *s)
{
	CLEANUP(strbuf_done) struct strbuf lines = { 0 };
	int64_t now = monotonic_ms(), when;
	struct watch *w = ctx;

	free(w->first_step);
	w->first_step = NULL;
	if (!w->is_repair || plan_diff(&s->plan, &s->steps, &lines) || !lines.text)
		return true;
	when = may_be_repaired(w, lines.text, now);
	if (when > now) {
		w->due = when;
		return false;
	}
	note_repairs(w, lines.text, now);
	w->first_step = strndup(lines.text, strcspn(lines.text, "\n"));
	return true;
}

/* ---- messages ---- */

/* The state of each interface, a line each; NULL: no memory. */
static char *describe_paths(const struct plan *p)
{
	struct strbuf text = { 0 };

	for (size_t i = 0; i < p->path_count; i++) {
		path_describe(&p->paths[i], &text);
		strbuf_add(&text, "\n");
	}
	return strbuf_take(&text);
}

static bool has_line(const char *text, const char *line, size_t len)
{
	for (const char *at = text; at && *at; at = *at ? at + 1 : at) {
		size_t n = strcspn(at, "\n");

		if (n == len && !memcmp(at, line, len))
			return true;
		at += n;
	}
	return false;
}

/* Interfaces whose state is another one than at the last look. */
static void say_paths(struct watch *w)
{
	char *now = describe_paths(&w->session.plan);

	if (!now)
		return;
	for (const char *line = now; w->paths && *line; line += strcspn(line, "\n") + 1)
		if (!has_line(w->paths, line, strcspn(line, "\n")))
			message(LEVEL_NOTICE, "%.*s", (int)strcspn(line, "\n"), line);
	free(w->paths);
	w->paths = now;
}

static void say_changes(const struct watch *w)
{
	size_t n = w->session.changes;

	if (w->is_repair)
		message(LEVEL_NOTICE, "repaired, since somebody else has changed it: %s%s",
			w->first_step ? w->first_step : "?", n > 1 ? ", and more" : "");
	else
		message(LEVEL_INFO, "%zu change%s made", n, n == 1 ? "" : "s");
}

/* ---- which policy ---- */

/* Something that planning goes by is another one: the next look is no repair. */
static void look_again(struct watch *w)
{
	w->happened.host = true;
	w->due = monotonic_ms();
}

static void focus_around(struct watch *w)
{
	int r = surroundings_focus(&w->around, w->has_policy ? &w->session.config : NULL);

	w->around_changed = false;
	if (r)
		message(LEVEL_WARNING, "cgroups that appear are not noticed: %s", strerror(-r));
}

/* What was loaded and applied is what is in force. */
static void follow_own(struct watch *w)
{
	w->followed = kept_stamp(KEPT_IN_FORCE);
	w->accepted = kept_stamp(KEPT_ACCEPTED);
	w->has_policy = true;
	focus_around(w);
}

static enum exit_code load(struct watch *w, enum kept what)
{
	enum exit_code code = session_load_copy(&w->session, what, ORIGIN_COPY);

	if (code == EXIT_UNEXPECTED)
		return code;
	if (code)
		message(LEVEL_ERROR, "the policy in force can't be read: nothing is done until the "
				     "next apply");
	w->followed = kept_stamp(KEPT_IN_FORCE);
	w->accepted = kept_stamp(KEPT_ACCEPTED);
	w->has_policy = code == EXIT_DONE;
	w->happened.host = true;
	focus_around(w);
	return EXIT_DONE;
}

static bool has_ours(const struct facts *f)
{
	for (size_t i = 0; i < f->rule_count; i++)
		if (f->rules[i].protocol == OUR_PROTOCOL)
			return true;
	return f->nft;
}

/* There is no copy of a policy in force. Either `ifsteer flush` was here, or somebody has emptied
 * /run, or it is full: then all still stands in the kernel, and what was applied by hand meanwhile
 * was accepted. */
static enum exit_code follow_nothing(struct watch *w)
{
	struct kept_stamp accepted = kept_stamp(KEPT_ACCEPTED);
	bool is_new = accepted.exists && !kept_same(&accepted, &w->accepted);
	bool is_noticed = w->followed.exists || is_new;
	enum exit_code code = is_new ? load(w, KEPT_ACCEPTED) : EXIT_DONE;

	if (code || !w->has_policy)
		return code;
	code = session_plan(&w->session);
	if (code)
		return code;
	if (has_ours(&w->session.facts)) {
		if (is_noticed)
			(void)!session_keep_in_force(&w->session);
		w->followed = kept_stamp(KEPT_IN_FORCE);
		return EXIT_DONE;
	}
	message(LEVEL_NOTICE, "all was flushed: nothing is done until the next apply");
	w->followed = (struct kept_stamp){ 0 };
	w->has_policy = false;
	focus_around(w);
	return EXIT_DONE;
}

/* Loads the policy that is in force, if it is another one than the last time. */
static enum exit_code follow(struct watch *w)
{
	struct kept_stamp stamp = kept_stamp(KEPT_IN_FORCE);

	if (!stamp.exists)
		return follow_nothing(w);
	return kept_same(&stamp, &w->followed) ? EXIT_DONE : load(w, KEPT_IN_FORCE);
}

/* ---- the look itself ---- */

/* An interface with routes that the kernel refused gets another chance when it has changed: where
 * nobody announces events this is one. */
static void forgive(const struct watch *w)
{
	const struct facts *f = &w->session.facts;

	for (size_t i = 0; i < f->told_count; i++) {
		const struct told *t = &f->told[i];
		const struct link *l = links_by_name(&f->links, t->name);

		if (!l || !numbers_contain(&w->happened.links, l->index))
			continue;
		for (int family = 0; family < FAMILY_COUNT; family++)
			if (t->refused[family] &&
			    told_set_refused(t->name, (enum family)family, false))
				message(LEVEL_WARNING, "below /run/ifsteer: %s stays refused",
					t->name);
	}
}

/* What has been heard by now is our own writing, or stands in what is planned next: neither need
 * wake us. */
static enum exit_code verify(struct watch *w)
{
	enum exit_code code;

	monitor_read(&w->monitor, &w->session.plan, &w->happened);
	code = session_plan(&w->session);
	if (code == EXIT_DONE && w->session.steps.count)
		w->due = monotonic_ms();
	else
		happened_done(&w->happened);
	return code;
}

static enum exit_code repair(struct watch *w)
{
	enum exit_code code;

	if (w->around_changed)
		focus_around(w);
	forgive(w);
	w->is_repair = !w->happened.host;
	happened_done(&w->happened);
	code = session_apply(&w->session);
	if (code == EXIT_DONE && w->session.changes) {
		say_changes(w);
		code = verify(w);
	}
	if (code)
		return code;
	say_paths(w);
	if (monitor_focus(&w->monitor, &w->session.plan))
		look_again(w);
	return EXIT_DONE;
}

/* The process that waits for `ifsteer confirm` may have been killed. */
static void mind_trial(struct watch *w)
{
	struct trial t = trial_read();

	if (t.state == TRIAL_WAITING && t.deadline_ms + TRIAL_GRACE_MS < w->due)
		w->due = t.deadline_ms + TRIAL_GRACE_MS;
}

/* Processor time taken so far. Time that passes while we wait for others is not ours. */
static int64_t processor_us(void)
{
	struct timespec used = { 0 };

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
}

/* How long nothing is looked at after a look: however much happens, most of a processor is left for
 * others. */
static int64_t gap_after(struct watch *w, int64_t now)
{
	int64_t used = processor_us(), gap;

	w->credit_us += (now - w->last_look) * 1000 / SHARE;
	if (w->credit_us > CREDIT_MAX_US)
		w->credit_us = CREDIT_MAX_US;
	w->credit_us -= used - w->used_us;
	w->used_us = used;
	w->last_look = now;
	gap = w->credit_us < 0 ? GAP_MS - w->credit_us * SHARE / 1000 : GAP_MS;
	return gap < GAP_MAX_MS ? gap : GAP_MAX_MS;
}

/* The end of whatever took the lock. */
static void release(struct watch *w, enum exit_code code)
{
	bool has_changed = w->session.changes;
	int64_t now;

	mind_trial(w);
	session_release(&w->session);
	/* Closing may wait for the kernel: nobody need wait for us. */
	if (has_changed)
		nft_close();
	now = monotonic_ms();
	patience_forget(&w->patience, now);
	w->earliest = now + (code ? GAP_MAX_MS : 0) + gap_after(w, now);
	if (code && now + RETRY_MS < w->due)
		w->due = now + RETRY_MS;
	if (w->due < w->earliest)
		w->due = w->earliest;
}

void watch_look(struct watch *w)
{
	enum exit_code code;

	w->due = NEVER;
	code = session_lock(&w->session, LOCK_SECONDS_PERSON);
	if (code == EXIT_DONE)
		code = follow(w);
	if (code == EXIT_DONE && w->has_policy)
		code = repair(w);
	else if (code == EXIT_DONE)
		happened_done(&w->happened);
	release(w, code);
}

/* ---- beginning, and beginning anew ---- */

/* What was accepted last, unless a change waits to be confirmed. The files have their say when they
 * are just that, or nothing was accepted yet. */
static enum exit_code load_first(struct session *s)
{
	CLEANUP(snapshot_done) struct snapshot accepted = { 0 };
	enum exit_code code;
	int r;

	if (s->options->path || trial_read().state == TRIAL_WAITING)
		return session_load_in_force(s);
	r = kept_read_snapshot(KEPT_ACCEPTED, &accepted);
	if (r && !kept_may_exist(r))
		return session_load_in_force(s);
	if (r) {
		message_errno("the accepted policy", r);
		return EXIT_UNEXPECTED;
	}
	code = session_load_files(s);
	if (code == EXIT_DONE && snapshot_same_text(&accepted, &s->read))
		return code;
	if (code == EXIT_DONE)
		message(LEVEL_WARNING, "the policy files have changed since they were applied, which "
				       "stays in force: `ifsteer apply` takes them over");
	else if (code == EXIT_POLICY)
		message(LEVEL_WARNING, "the policy that was accepted last stays in force instead "
				       "(/var/lib/ifsteer/accepted)");
	else
		return code;
	return session_load_copy(s, KEPT_ACCEPTED, ORIGIN_ACCEPTED);
}

/* What is loaded is applied and in force. */
static enum exit_code apply_loaded(struct watch *w)
{
	enum exit_code code;

	w->is_repair = false;
	code = session_apply(&w->session);
	if (code)
		return code;
	session_accept(&w->session);
	say_paths(w);
	follow_own(w);
	/* What was heard is mostly our own writing; the look that follows sees the rest. */
	(void)monitor_focus(&w->monitor, &w->session.plan);
	monitor_read(&w->monitor, &w->session.plan, &w->happened);
	happened_done(&w->happened);
	look_again(w);
	return EXIT_DONE;
}

enum exit_code watch_begin(struct watch *w)
{
	enum exit_code code;

	w->session.consent = consent;
	w->session.consent_ctx = w;
	code = session_lock(&w->session, LOCK_SECONDS_HOOK);
	if (code == EXIT_DONE)
		code = load_first(&w->session);
	if (code == EXIT_DONE)
		code = apply_loaded(w);
	release(w, code);
	return code;
}

void watch_reload(struct watch *w)
{
	enum exit_code code = session_lock(&w->session, LOCK_SECONDS_PERSON);
	bool is_locked = code == EXIT_DONE;

	if (is_locked)
		code = session_load_in_force(&w->session);
	if (code == EXIT_DONE)
		code = apply_loaded(w);
	if (code && is_locked) {
		/* Nothing is loaded, or what could not be applied: back to what is in force. */
		w->has_policy = false;
		w->followed = w->accepted = (struct kept_stamp){ 0 };
		look_again(w);
	}
	release(w, code);
}
