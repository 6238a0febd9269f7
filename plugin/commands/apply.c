/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ifsteer apply: make the kernel agree with the policy.
 */
#include "base/number.h"
#include "commands/confirm.h"
#include "commands/message.h"
#include "commands/progress.h"
#include "commands/trial.h"

#define CONFIRM_SECONDS_MAX 86400

static const struct option_spec apply_options[] = { { "--confirm", "N" }, { NULL, NULL } };

/* Without --confirm: in force and accepted, whatever was on trial. */
static enum exit_code apply_for_good(struct session *s)
{
	enum exit_code code = session_apply(s);

	if (code)
		return code;
	trial_replace(s);
	session_accept(s);
	return EXIT_DONE;
}

/* The one that puts back is on its way before anything is changed: the change may cut off the
 * terminal it was typed on. */
static enum exit_code apply_on_trial(struct session *s, uint32_t seconds, struct trial *ret)
{
	enum exit_code code = trial_begin(s, ret);

	if (code)
		return code;
	progress_end();
	code = confirm_fork_waiter(s, ret);
	progress_begin(s->options);
	if (code == EXIT_DONE)
		code = session_apply(s);
	if (code == EXIT_DONE)
		code = trial_wait(s, seconds, ret);
	/* Refused as a whole, nothing was changed; else nobody knows. */
	if ((code == EXIT_POLICY || code == EXIT_REFUSED) && !s->changes)
		trial_abandon();
	else if (code && trial_settle(s->options))
		message(LEVEL_ERROR, "it is tried again");
	return code;
}

static enum exit_code apply(struct session *s, const struct options *o, uint32_t seconds,
			    struct trial *ret)
{
	enum exit_code code = session_open(s, o);

	/* Not before: privileges are dropped for each thread on its own. */
	progress_begin(o);
	if (code == EXIT_DONE)
		code = seconds ? session_lock(s, LOCK_SECONDS_PERSON)
			       : session_lock_to_replace(s, LOCK_SECONDS_PERSON);
	if (code == EXIT_DONE)
		code = session_load_files(s);
	if (code)
		return code;
	return seconds ? apply_on_trial(s, seconds, ret) : apply_for_good(s);
}

static enum exit_code run_apply(const struct options *o)
{
	CLEANUP(session_done) struct session s = { 0 };
	uint32_t seconds = 0;
	struct trial trial;
	enum exit_code code;

	if (o->given[0] && (number_parse(o->given[0], CONFIRM_SECONDS_MAX, &seconds) || !seconds))
		return usage_error(&command_apply, "--confirm %s: seconds from 1 to %d",
				   o->given[0], CONFIRM_SECONDS_MAX);
	code = apply(&s, o, seconds, &trial);
	progress_end();
	if (code)
		return code;
	message(LEVEL_INFO, "%zu change%s made", s.changes, s.changes == 1 ? "" : "s");
	session_done(&s);
	return seconds ? confirm_wait(o, &trial) : EXIT_DONE;
}

const struct command command_apply = {
	.name = "apply",
	.usage = "[--confirm N]",
	.summary = "make the kernel agree with the policy",
	.help = "Reads the policy files, asks the kernel what stands, and changes what differs;\n"
		"nothing is changed when nothing does. When the files are in error the kernel\n"
		"stays as it is. With --confirm N (1 to 86400), for hosts that are far away, what\n"
		"stood before is put back unless `ifsteer confirm` is said on any terminal, or\n"
		"Enter pressed on this one, within N seconds, even if terminal, session or this\n"
		"process are gone by then. Exit status 1: not confirmed.\n\n"
		"Example:\n"
		"  sudo ifsteer check && sudo ifsteer apply --confirm 60\n",
	.options = apply_options,
	.run = run_apply,
};
