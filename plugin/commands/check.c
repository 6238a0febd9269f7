/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ifsteer check: are the files right? Not the host, unless one was captured.
 */
#include "commands/session.h"

static enum exit_code check_path(const struct options *o, const char *path)
{
	CLEANUP(session_done) struct session s = { 0 };
	struct options one = *o;
	enum exit_code code;

	if (path)
		one.path = path;
	code = session_open(&s, &one);
	if (code == EXIT_DONE)
		code = session_load_files(&s);
	if (code == EXIT_DONE && o->facts)
		code = session_plan(&s);
	return code;
}

static enum exit_code run_check(const struct options *o)
{
	enum exit_code worst = EXIT_DONE;

	if (!o->argc)
		return check_path(o, NULL);
	for (int i = 0; i < o->argc; i++) {
		enum exit_code code = check_path(o, o->argv[i]);

		if (code > worst)
			worst = code;
	}
	return worst;
}

const struct command command_check = {
	.name = "check",
	.usage = "[PATH...]",
	.summary = "validate the policy files",
	.help = "Reads the policy files (or each PATH, a file or a directory laid out like\n"
		"/etc/ifsteer, on its own) and names every problem with file and line. Silent\n"
		"when all is well. Warnings don't change the exit status. Interfaces that don't\n"
		"exist yet are no problem.\n\n"
		"Example, before an edit is copied to its place:\n"
		"  ifsteer check ./20-office.conf && sudo cp 20-office.conf /etc/ifsteer/policy.d\n"
		"Against a captured host, without root:\n"
		"  ifsteer --facts host.facts check ./20-office.conf\n",
	.max_words = -1,
	.takes_facts = true,
	.run = run_check,
};
