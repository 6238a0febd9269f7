/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ifsteer offline IF, ifsteer online IF: by hand, or for any health checker.
 */
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "commands/message.h"
#include "commands/session.h"
#include "kernel/kernel.h"

static enum exit_code not_declared(const struct options *o, const struct config *c)
{
	const char **names = calloc(c->interface_count + 1, sizeof(*names));
	const char *near = NULL;

	for (size_t i = 0; names && i < c->interface_count; i++)
		names[i] = c->interfaces[i].name;
	if (names)
		near = diag_nearest(o->argv[0], names, c->interface_count);
	message(LEVEL_ERROR, "the policy declares no interface \"%s\"%s%s%s", o->argv[0],
		near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	free(names);
	return EXIT_USAGE;
}

static enum exit_code set_offline(const struct options *o, bool offline)
{
	CLEANUP(session_done) struct session s = { 0 };
	enum exit_code code = session_open(&s, o);
	int r;

	if (code == EXIT_DONE)
		code = session_lock(&s, LOCK_SECONDS_PERSON);
	if (code == EXIT_DONE)
		code = session_load_in_force(&s);
	if (code)
		return code;
	if (!config_interface(&s.config, o->argv[0]))
		return not_declared(o, &s.config);
	r = told_set_offline(o->argv[0], offline);
	if (r) {
		message_errno("can't be kept below /run/ifsteer", r);
		return EXIT_UNEXPECTED;
	}
	code = session_apply(&s);
	if (code == EXIT_DONE)
		session_accept(&s);
	return code;
}

static enum exit_code run_offline(const struct options *o)
{
	return set_offline(o, true);
}

static enum exit_code run_online(const struct options *o)
{
	return set_offline(o, false);
}

const struct command command_offline = {
	.name = "offline",
	.usage = "IF",
	.summary = "take an interface out of use",
	.help = "Takes an interface out of use, by hand or from a health check, until `ifsteer\n"
		"online IF` or a reboot. New connections go where the policy says for an\n"
		"interface that is not usable; replies to what came in by it still leave by it,\n"
		"and so do sockets bound to it (`ping -I`).\n\n"
		"Example, a health check for cron:\n"
		"  ping -I wan1 -c 3 -W 2 192.0.2.1 && ifsteer online wan1 || ifsteer offline wan1\n",
	.min_words = 1,
	.max_words = 1,
	.run = run_offline,
};

const struct command command_online = {
	.name = "online",
	.usage = "IF",
	.summary = "take it into use again",
	.help = "Ends `ifsteer offline IF`, and forgets that a manager announced the interface\n"
		"down or that the kernel refused its routes.\n\n"
		"Example:\n"
		"  sudo ifsteer online wan1\n",
	.min_words = 1,
	.max_words = 1,
	.run = run_online,
};
