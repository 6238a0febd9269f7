/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ifsteer explain: where does this packet go, and why?
 */
#include "commands/explain.h"

#include <stdlib.h>

#include "base/strbuf.h"
#include "commands/message.h"

static void aftermath_done(struct aftermath *a)
{
	explanation_done(&a->explanation);
}

/* Plans for the host as it were without the interface. What can't be planned can't be told: it is
 * left out. */
static int look_ahead(const struct session *s, const struct explanation *e, const struct flow *f,
		      struct strbuf *out)
{
	CLEANUP(aftermath_done) struct aftermath after = { 0 };
	CLEANUP(facts_without_done) struct facts without = { 0 };
	CLEANUP(plan_done) struct plan plan = { 0 };
	struct diag d = { 0 };
	int r = 0;

	if (e->link && !e->link->loopback && !f->has_src) {
		r = facts_without_link(&s->facts, e->link->index, &without);
		if (r == 0 && plan_make(&s->config, &without, &plan, &d) == 0) {
			after.plan = &plan;
			r = explain_flow(&plan, f, &after.explanation);
		}
		diag_done(&d);
	}
	if (r == 0)
		explain_text(s, e, &after, out);
	return r;
}

static int explain(const struct session *s, const struct flow *f, bool as_json, struct strbuf *out)
{
	CLEANUP(explanation_done) struct explanation e = { 0 };
	int r = explain_flow(&s->plan, f, &e);

	if (r < 0)
		return r;
	if (!as_json)
		return look_ahead(s, &e, f, out);
	explain_json(s, &e, out);
	return 0;
}

/* JSON is one object: of the address that a program would try first. */
static int explain_all(const struct session *s, struct explain_request *r, struct strbuf *out)
{
	bool as_json = s->options->given[EXPLAIN_JSON];
	int err = 0;

	for (size_t i = 0; i < (as_json ? 1 : r->destination_count) && err == 0; i++) {
		r->flow.dst = r->destinations[i];
		r->flow.family = r->flow.dst.family;
		if (i)
			strbuf_add(out, "\n");
		err = explain(s, &r->flow, as_json, out);
	}
	return err;
}

static enum exit_code run_explain(const struct options *o)
{
	CLEANUP(session_done) struct session s = { 0 };
	CLEANUP(strbuf_done) struct strbuf out = { 0 };
	struct fact_name *names = NULL;
	struct explain_request request;
	enum exit_code code = session_open(&s, o);
	int r;

	if (code == EXIT_DONE)
		code = request_read(&s, &request);
	if (code == EXIT_DONE)
		code = session_lock_to_read(&s, LOCK_SECONDS_PERSON);
	if (code == EXIT_DONE)
		code = session_load_files(&s);
	if (code)
		return code;
	s.about = request.about;
	s.about_count = request.about_count;
	code = session_plan(&s);
	if (code)
		return code;
	r = request_complete(&s, &request, &names);
	if (r == 0)
		r = explain_all(&s, &request, &out);
	free(names);
	if (r) {
		message_errno("explain", r);
		return EXIT_UNEXPECTED;
	}
	return print_out(out.failed ? NULL : out.text);
}

const struct command command_explain = {
	.name = "explain",
	.usage = "[--json] [--from A] [--protocol P]\n"
		 "       [--sport N] [--dport N] [--user U] [--group G] [--cgroup C]\n"
		 "       [--in IF] [--mac M] [--dscp D] [--mark M] [--time \"mon 09:30\"] DEST",
	.summary = "where does this packet go, and why",
	.help = "Says what the kernel will do with a packet to DEST, an address or a host name:\n"
		"the policy that takes it, with file and line, and why earlier ones don't; mark,\n"
		"rule and route; the source address that the wire shows and the one that the\n"
		"socket sees; whether the reply passes rp_filter; and what happens when the\n"
		"interface goes away. Nothing need be applied for it.\n\n"
		"The options describe the packet in the words of the policy language. With --in\n"
		"or --mac, or with --from an address that is not this host's, it is a forwarded\n"
		"one. What is not said: tcp, the caller's user and group, now. Needs root,\n"
		"except with --facts.\n\n"
		"Examples:\n"
		"  sudo ifsteer explain 10.0.1.9\n"
		"  sudo ifsteer explain --user backup --dport 22 192.0.2.7\n"
		"  sudo ifsteer explain --in docker0 --from 172.17.0.5 10.0.1.9\n",
	.options = explain_options,
	.min_words = 1,
	.max_words = 1,
	.takes_facts = true,
	.run = run_explain,
};
