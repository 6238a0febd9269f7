/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ifsteer diff: what apply would do.
 */
#include "base/strbuf.h"
#include "commands/message.h"
#include "commands/session.h"

static enum exit_code run_diff(const struct options *o)
{
	CLEANUP(session_done) struct session s = { 0 };
	CLEANUP(strbuf_done) struct strbuf out = { 0 };
	enum exit_code code = session_open(&s, o);
	int r;

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
	code = print_out(out.text ? out.text : "");
	return code ? code : EXIT_FOUND;
}

const struct command command_diff = {
	.name = "diff",
	.usage = "",
	.summary = "what apply would do",
	.help = "Prints what `ifsteer apply` would do, as lines of ip and nft syntax: + is\n"
		"added, - is removed. Exit status 0: in sync, 1: out of sync. Needs root,\n"
		"except with --facts.\n\n"
		"Example:\n"
		"  $ sudo ifsteer diff\n"
		"  + ip route add 10.0.0.0/16 via 172.31.64.1 dev eth2 table 21002 proto 77\n",
	.takes_facts = true,
	.run = run_diff,
};
