/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ifsteer status: what is in force, which ways are open, and what went through them.
 */
#include "commands/status.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/message.h"

static const struct option_spec status_options[] = { { "--json", NULL },
						     { "--metrics", NULL },
						     { NULL, NULL } };

/* status must answer when something is stuck, too. */
#define LOCK_SECONDS_STATUS 2

static int compare_counters(const void *a, const void *b)
{
	return strcmp(((const struct counter *)a)->name, ((const struct counter *)b)->name);
}

static void status_done(struct status *st)
{
	counters_done(st->counters, st->counter_count);
	free(st->event);
}

static enum exit_code look(struct session *s, struct status *ret)
{
	enum exit_code code = session_load_in_force(s);
	size_t len;
	int r;

	if (code == EXIT_DONE)
		code = session_plan(s);
	if (code)
		return code;
	r = nft_counters(&ret->counters, &ret->counter_count);
	if (r) {
		message_errno("the counters can't be read", r);
		return EXIT_UNEXPECTED;
	}
	if (ret->counter_count)
		qsort(ret->counters, ret->counter_count, sizeof(*ret->counters), compare_counters);
	ret->session = s;
	ret->trial = trial_read();
	if (kept_read(KEPT_EVENT, &ret->event, &len))
		ret->event = NULL;
	return EXIT_DONE;
}

static enum exit_code run_status(const struct options *o)
{
	CLEANUP(session_done) struct session s = { 0 };
	CLEANUP(status_done) struct status st = { 0 };
	CLEANUP(strbuf_done) struct strbuf out = { 0 };
	enum exit_code code = session_open(&s, o);

	if (o->given[0] && o->given[1])
		return usage_error(&command_status, "--json or --metrics, not both");
	if (code == EXIT_DONE)
		code = session_lock_to_read(&s, LOCK_SECONDS_STATUS);
	if (code == EXIT_LOCKED)
		message(LEVEL_NOTICE, "what follows may be in the middle of a change");
	else if (code)
		return code;
	code = look(&s, &st);
	if (code)
		return code;
	if (o->given[0])
		status_json(&st, &out);
	else if (o->given[1])
		status_metrics(&st, &out);
	else
		status_text(&st, o->color, &out);
	return print_out(out.failed ? NULL : out.text);
}

const struct command command_status = {
	.name = "status",
	.usage = "[--json|--metrics]",
	.summary = "interfaces, paths, policies with their active path and counters",
	.help = "Says whether the kernel agrees with the policy, which interfaces are usable or\n"
		"why not, where each policy's traffic goes now, and how much went there. --json\n"
		"is for scripts (its schema is installed as status.schema.json), --metrics for\n"
		"Prometheus. Needs root.\n\n"
		"Example:\n"
		"  sudo ifsteer status --json | jq -r '.policies[] | \"\\(.name): \\(.active | join(\" \"))\"'\n",
	.options = status_options,
	.run = run_status,
};
