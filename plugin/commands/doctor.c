/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ifsteer doctor: what on this host collides or interferes, and what to do about it.
 */
#include "base/strbuf.h"
#include "commands/message.h"
#include "commands/session.h"
#include "kernel/doctor.h"

static void put_finding(const struct finding *f, bool color, struct strbuf *out)
{
	const char *word = f->is_note ? "note:" : "warning:";

	if (color && !f->is_note)
		strbuf_printf(out, "\033[33m%s\033[0m", word);
	else
		strbuf_add(out, word);
	strbuf_printf(out, " %s\n", f->what);
	if (f->cure)
		strbuf_printf(out, "  %s\n", f->cure);
}

static enum exit_code examine(struct session *s, struct findings *ret)
{
	CLEANUP(host_done) struct host host = { 0 };
	struct diag d = { 0 };
	int r = host_gather(s->config.settings.mark_mask, &host, &d);

	message_diag(&d);
	if (r == 0)
		r = doctor_examine(&s->plan, &host, ret);
	if (r == 0)
		return EXIT_DONE;
	message_errno("doctor", r);
	return EXIT_UNEXPECTED;
}

static enum exit_code run_doctor(const struct options *o)
{
	CLEANUP(session_done) struct session s = { 0 };
	CLEANUP(findings_done) struct findings found = { 0 };
	CLEANUP(strbuf_done) struct strbuf out = { 0 };
	enum exit_code code = session_open(&s, o), printed;

	s.all_routes = true;
	if (code == EXIT_DONE)
		code = session_lock_to_read(&s, LOCK_SECONDS_PERSON);
	if (code == EXIT_DONE)
		code = session_load_in_force(&s);
	if (code == EXIT_DONE)
		code = session_plan(&s);
	if (code == EXIT_DONE)
		code = examine(&s, &found);
	if (code)
		return code;
	for (size_t i = 0; i < found.count; i++) {
		put_finding(&found.v[i], o->color, &out);
		if (!found.v[i].is_note)
			code = EXIT_FOUND;
	}
	printed = print_out(out.failed ? NULL : out.text ? out.text : "");
	return printed ? printed : code;
}

const struct command command_doctor = {
	.name = "doctor",
	.usage = "",
	.summary = "what on this host stands in the way",
	.help = "Names what collides or interferes with the policy, and below each line what to\n"
		"do about it: routing rules, tables and marks of others, reverse-path filters,\n"
		"forwarding, and the settings of services that are enabled or running. Lines that\n"
		"begin with note: say what no policy can cover. Exit status 0: nothing found, 1:\n"
		"something found; notes don't count. Needs root.\n\n"
		"Example:\n"
		"  $ sudo ifsteer doctor\n"
		"  warning: IPv4 rule 100 \"from all lookup main\" stands ahead of ours and catches\n"
		"  traffic of policy \"on-premises\": main has \"default via 10.200.0.1 dev eth0\"\n"
		"    give it a priority behind 21999\n",
	.sees_processes = true,
	.run = run_doctor,
};
