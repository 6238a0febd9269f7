/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ifsteer diff: what apply would do.
 */
#include "base/strbuf.h"
#include "commands/message.h"
#include "commands/session.h"

/* Whose doing it was goes to standard error: what is on standard output can be pasted. */
static void say_why(const struct session *s)
{
	CLEANUP(snapshot_done) struct snapshot in_force = { 0 };
	struct diag d = { 0 };

	plan_drift(&s->plan, &s->steps, &d);
	if (!s->options->facts && kept_read_snapshot(KEPT_IN_FORCE, &in_force) == 0)
		diag_note(&d, (struct where){ 0 }, "%s",
			  snapshot_same_text(&in_force, &s->read) ?
				  "the policy is the one that was applied last: what differs has drifted, "
				  "or an interface has changed" :
				  "the policy has changed since it was applied");
	message_diag(&d);
}

static enum exit_code run_diff(const struct options *o)
{
	CLEANUP(session_done) struct session s = { 0 };
	CLEANUP(strbuf_done) struct strbuf out = { 0 };
	enum exit_code code = session_open(&s, o);
	int r;

	s.handles = true;
	if (code == EXIT_DONE)
		code = session_lock_to_read(&s, LOCK_SECONDS_PERSON);
	if (code == EXIT_DONE)
		code = session_load_files(&s);
	if (code == EXIT_DONE)
		code = session_plan(&s);
	if (code || !s.steps.count)
		return code;
	r = plan_diff(&s.plan, &s.steps, &out);
	if (r) {
		message_errno("diff", r);
		return EXIT_UNEXPECTED;
	}
	say_why(&s);
	code = print_out(out.text ? out.text : "");
	return code ? code : EXIT_FOUND;
}

const struct command command_diff = {
	.name = "diff",
	.usage = "",
	.summary = "what apply would do",
	.help = "Prints what `ifsteer apply` would do, as lines of ip and nft syntax: + is\n"
		"added, - is removed. Notes on standard error say whose doing it was, where that\n"
		"can be known. Exit status 0: in sync, 1: out of sync. Needs root, except with\n"
		"--facts.\n\n"
		"Example:\n"
		"  $ sudo ifsteer diff\n"
		"  + ip route add 10.0.0.0/16 via 172.31.64.1 dev eth2 table 21002 proto 77\n",
	.takes_facts = true,
	.run = run_diff,
};
