/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ifsteer hook: what a network manager calls. The event is written down first; then whoever has the
 * lock takes up all that wait, so that two hundred at once cost as little as two.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/strbuf.h"
#include "commands/message.h"
#include "commands/session.h"
#include "commands/status.h"
#include "kernel/kernel.h"

/* "networkmanager eth2 up", "ifupdown eth2 up", "systemd": for the journal and `status`. */
static void describe_event(const struct options *o, const struct event *ev, struct strbuf *out)
{
	strbuf_add(out, o->argv[0]);
	if (ev->name[0]) {
		strbuf_add(out, " ");
		strbuf_add_visible(out, ev->name);
	}
	if (o->argc > 2) {
		strbuf_add(out, " ");
		strbuf_add_visible(out, o->argv[2]);
	} else if (ev->kind == EVENT_UP || ev->kind == EVENT_DOWN) {
		strbuf_add(out, ev->kind == EVENT_UP ? " up" : " down");
	}
}

static void describe_result(const struct session *s, const struct event *ev, struct strbuf *out)
{
	size_t usable = 0;

	for (size_t i = 0; i < s->plan.path_count; i++) {
		usable += s->plan.paths[i].usable;
		if (strcmp(s->plan.paths[i].name, ev->name) != 0)
			continue;
		strbuf_add(out, "; ");
		path_describe(&s->plan.paths[i], out);
	}
	if (!ev->name[0])
		strbuf_printf(out, "; %zu of %zu interfaces usable", usable, s->plan.path_count);
}

/* For `status`: when, what, and what came of it, trouble included. */
static void keep_event(const char *event, const char *result)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	strbuf_printf(&text, "%lld\n%s: %s\n%s", (long long)time(NULL), event, result,
		      message_troubles());
	if (text.failed || kept_write(KEPT_EVENT, text.text, text.len))
		message(LEVEL_WARNING, "the event can't be kept below /run/ifsteer for `status`");
}

static enum exit_code apply_event(struct session *s, const struct event *ev)
{
	enum exit_code code;

	/* Also when nothing can be applied, or what waits would grow for ever. A failure is
	 * session_apply's to say. */
	(void)!session_take_events();
	if (ev->from_boot)
		session_know_accepted_names(s);
	code = session_load_in_force(s);
	if (code == EXIT_DONE)
		code = session_apply(s);
	if (code == EXIT_DONE)
		session_accept(s);
	return code;
}

static void report(const struct session *s, const struct event *ev, enum exit_code code,
		   const char *event)
{
	CLEANUP(strbuf_done) struct strbuf result = { 0 };

	if (code)
		strbuf_printf(&result, "failed with status %d", (int)code);
	else
		strbuf_printf(&result, "%zu change%s", s->changes, s->changes == 1 ? "" : "s");
	if (code == EXIT_DONE)
		describe_result(s, ev, &result);
	if (result.failed)
		return;
	keep_event(event, result.text);
	if (code)
		message(LEVEL_ERROR, "%s: %s", event, result.text);
	else if (s->changes || ev->from_boot)
		message(LEVEL_INFO, "%s: %s", event, result.text);
}

/* *ret_told: it stands there for whoever has the lock. What is about no interface does not. */
static int tell(const struct event *ev, bool *ret_told)
{
	struct told told = { 0 };
	int r;

	if (!ev->name[0])
		return 0;

	memcpy(told.name, ev->name, NAME_SIZE);
	for (int f = 0; f < FAMILY_COUNT; f++) {
		told.has_gateway[f] = ev->has_gateway[f];
		told.gateway[f] = ev->gateway[f];
	}
	r = told_write_event(&told, ev->kind != EVENT_DOWN);
	*ret_told = r == 0;
	return r;
}

static void take_event(const struct options *o, const struct event *ev)
{
	CLEANUP(session_done) struct session s = { 0 };
	CLEANUP(strbuf_done) struct strbuf event = { 0 };
	enum exit_code code = session_open(&s, o);
	bool told = false;
	int r = tell(ev, &told);

	describe_event(o, ev, &event);
	if (event.failed) {
		message_errno("the event is not applied", -ENOMEM);
		return;
	}
	if (r)
		message(LEVEL_WARNING, "%s: can't be kept below /run/ifsteer: %s", event.text,
			strerror(-r));
	if (code == EXIT_DONE)
		code = session_lock(&s, LOCK_SECONDS_HOOK);
	if (code) {
		message(LEVEL_ERROR, "%s: not applied; whoever holds the lock may still do it",
			event.text);
		return;
	}
	if (told && !told_pending())
		return; /* another run has taken it up while this one waited */
	code = apply_event(&s, ev);
	report(&s, ev, code, event.text);
}

static enum exit_code run_hook(const struct options *o)
{
	struct event ev = { 0 };
	const char *why = NULL;

	/* Nothing is opened and nothing asked before it is known that the event concerns us at
	 * all. */
	if (event_parse(o->argc, o->argv, o->env, NULL, &ev, &why))
		return usage_error(&command_hook, "%s", why);
	if (ev.kind == EVENT_NONE)
		return EXIT_DONE;
	message_to_syslog();
	take_event(o, &ev);
	/* A manager that is told of a failure calls the interface broken; the journal and
	 * `status` know. */
	return EXIT_DONE;
}

const struct command command_hook = {
	.name = "hook",
	.usage = "networkmanager IF ACTION | ifupdown |\n       systemd",
	.summary = "entry point of the hooks",
	.help = "Called by NetworkManager's dispatcher, by ifupdown and at boot; the rest is as\n"
		"the manager's environment says. Exit status 0 except for wrong usage: what\n"
		"goes wrong stands in the journal (`journalctl -t ifsteer`) and in `ifsteer\n"
		"status`.\n\n"
		"Example, as NetworkManager does it:\n"
		"  IP4_GATEWAY=172.31.64.1 ifsteer hook networkmanager eth2 up\n",
	.max_words = -1,
	.raw = true,
	.run = run_hook,
};
