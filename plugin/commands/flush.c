/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ifsteer flush: as if it had never been here.
 */
#include "commands/message.h"
#include "commands/trial.h"

static enum exit_code run_flush(const struct options *o)
{
	CLEANUP(session_done) struct session s = { 0 };
	enum exit_code code = session_open(&s, o);

	if (code == EXIT_DONE)
		code = session_lock_to_replace(&s, LOCK_SECONDS_PERSON);
	if (code == EXIT_DONE)
		code = session_flush(&s);
	if (code == EXIT_DONE)
		trial_replace(NULL);
	if (code == EXIT_DONE)
		message(LEVEL_INFO, "%zu changes; nothing of ifsteer is left in the kernel",
			s.changes);
	return code;
}

const struct command command_flush = {
	.name = "flush",
	.usage = "",
	.summary = "remove everything ifsteer owns, restore what it changed",
	.help = "Removes ifsteer's nftables table, rules and routes and puts sysctls back as\n"
		"they were found. Kill switches open. What managers announced and `ifsteer\n"
		"offline` said stays known. This is for the moment: the next hook, boot or\n"
		"`ifsteer apply` makes the policy be in force again. To switch ifsteer off for\n"
		"good, remove the policy files or the package.\n\n"
		"Example, to see whether it is ifsteer that stands in the way:\n"
		"  sudo ifsteer flush; ping 10.0.1.9; sudo ifsteer apply\n",
	.run = run_flush,
};
