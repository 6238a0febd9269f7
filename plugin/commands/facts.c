/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ifsteer facts: what planning knows about this host, for `--facts` on another one.
 */
#include <errno.h>

#include "base/strbuf.h"
#include "commands/message.h"
#include "commands/session.h"
#include "kernel/kernel.h"

static enum exit_code run_facts(const struct options *o)
{
	CLEANUP(session_done) struct session s = { 0 };
	CLEANUP(strbuf_done) struct strbuf out = { 0 };
	struct facts_want want = {
		.config = &s.config,
		.carried = true,
		.all_routes = true,
		.nft = true,
		.listing = NFT_IN_FULL,
	};
	struct diag d = { 0 };
	enum exit_code code = session_open(&s, o);
	int r;

	if (code == EXIT_DONE)
		code = session_lock_to_read(&s, LOCK_SECONDS_PERSON);
	if (code)
		return code;
	code = session_load_files(&s);
	if (code)
		message(LEVEL_WARNING,
			"the policy is in error: its names and cgroups are not among the facts");
	r = facts_gather(&want, &s.facts, &d);
	message_diag(&d);
	if (r) {
		message_errno("what stands in the kernel can't be read", r);
		return EXIT_UNEXPECTED;
	}
	/* The names that the policy asked for; facts own them from here on. */
	s.facts.names = TAKE_PTR(s.read.names);
	s.facts.name_count = s.read.name_count;
	s.read.name_count = 0;
	facts_print(&s.facts, &out);
	return print_out(out.failed ? NULL : out.text);
}

const struct command command_facts = {
	.name = "facts",
	.usage = "",
	.summary = "capture this host for --facts",
	.help = "Prints what planning knows about this host: interfaces, addresses, routes,\n"
		"rules, ifsteer's nftables table, what managers announced, and the users,\n"
		"groups and services that the policy names. `check`, `diff` and `explain` answer\n"
		"for such a host with --facts, without root and without a network. Needs root.\n\n"
		"Example:\n"
		"  sudo ifsteer facts > gateway.facts\n"
		"  ifsteer --facts gateway.facts -c ./policy diff\n",
	.run = run_facts,
};
