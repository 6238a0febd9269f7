/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From options to a policy: captured facts, the files, and what stands in for them.
 */
#include "commands/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "commands/message.h"
#include "commands/progress.h"
#include "kernel/kernel.h"

static void session_unload(struct session *s)
{
	steps_done(&s->steps);
	plan_done(&s->plan);
	config_done(&s->config);
	snapshot_done(&s->read);
}

void session_done(struct session *s)
{
	session_unload(s);
	facts_done(&s->facts);
	snapshot_done(&s->known);
	free(s->refused);
	if (s->lock > 0)
		close(s->lock);
	*s = (struct session){ 0 };
}

void session_release(struct session *s)
{
	free(s->refused);
	s->refused = NULL;
	s->refused_count = 0;
	s->changes = 0;
	if (s->lock > 0)
		close(s->lock);
	s->lock = 0;
}

static enum exit_code read_facts(struct session *s)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	struct diag d = { 0 };
	char block[16384];
	ssize_t n = -1;
	int r, fd = open(s->options->facts, O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && (n = read(fd, block, sizeof(block))) > 0)
		strbuf_add_bytes(&text, block, (size_t)n);
	if (n < 0 || text.failed) {
		r = n < 0 ? -errno : -ENOMEM;
		message_errno(s->options->facts, r);
	} else {
		r = facts_parse(s->options->facts, text.text ? text.text : "", text.len, &s->facts,
				&d);
		message_diag(&d);
		/* Where they don't say which marks connections carry, nobody can be asked. */
		s->facts.has_carried = true;
		if (r == -ENOMEM)
			message_errno(s->options->facts, r);
	}
	if (fd >= 0)
		close(fd);
	return r == -ENOMEM ? EXIT_UNEXPECTED : r ? EXIT_USAGE : EXIT_DONE;
}

enum exit_code session_open(struct session *s, const struct options *o)
{
	int r;

	*s = (struct session){ .options = o };
	if (o->facts)
		return read_facts(s);
	r = privilege_drop(o->command && o->command->sees_processes);
	if (r)
		message(LEVEL_WARNING, "can't do without the privileges that aren't needed: %s",
			strerror(-r));
	return EXIT_DONE;
}

/* An error of the policy room's, whose words are printed. */
static enum exit_code policy_code(int r, struct diag *d)
{
	message_diag(d);
	if (r == 0)
		return EXIT_DONE;
	if (r == -EINVAL)
		return EXIT_POLICY;
	message_errno("the policy", r);
	return EXIT_UNEXPECTED;
}

enum exit_code session_load_files(struct session *s)
{
	const struct options *o = s->options;
	struct load_options load = { .path = o->path, .trust_owner = o->facts };
	struct name_book book = { .ask = o->facts ? NULL : &host_names };
	struct names names = name_book_names(&book);
	struct diag d = { 0 };
	int r;

	book.known = o->facts ? s->facts.names : s->known.names;
	book.known_count = o->facts ? s->facts.name_count : s->known.name_count;
	progress_stage("reading the policy", 0);
	session_unload(s);
	r = config_load(&load, &names, &s->config, &s->read.sources, &d);
	s->read.names = book.used;
	s->read.name_count = book.used_count;
	s->origin = ORIGIN_FILES;
	return policy_code(r, &d);
}

enum exit_code session_load_copy(struct session *s, enum kept what, enum policy_origin origin)
{
	struct diag d = { 0 };
	int r;

	session_unload(s);
	s->origin = origin;
	r = kept_read_snapshot(what, &s->read);
	if (r) {
		if (r != -ENOENT)
			message_errno("the copy of the policy", r);
		return kept_may_exist(r) ? EXIT_UNEXPECTED : EXIT_POLICY;
	}
	r = snapshot_config(&s->read, &s->config, &d);
	return policy_code(r, &d);
}

void session_know_accepted_names(struct session *s)
{
	if (kept_read_snapshot(KEPT_ACCEPTED, &s->known))
		s->known = (struct snapshot){ 0 };
}

/* EXIT_POLICY: the files that were read are an edit that nobody confirmed. */
static enum exit_code judge_edit(const struct session *s)
{
	CLEANUP(snapshot_done) struct snapshot edit = { 0 };
	int r = kept_read_snapshot(KEPT_UNCONFIRMED, &edit);

	if (r) {
		if (!kept_may_exist(r))
			return EXIT_DONE;
		message_errno("the copy of an edit that was not confirmed", r);
		return EXIT_UNEXPECTED;
	}
	if (!snapshot_same_text(&edit, &s->read))
		return EXIT_DONE;
	message(LEVEL_ERROR,
		"the policy files are an edit that was tried with --confirm and not confirmed; they "
		"count as in error until they change or `ifsteer apply` is run by hand");
	return EXIT_POLICY;
}

enum exit_code session_load_in_force(struct session *s)
{
	enum exit_code code;

	if (!s->options->path && trial_read().state == TRIAL_WAITING) {
		code = session_load_copy(s, KEPT_IN_FORCE, ORIGIN_TRIAL);
		if (code != EXIT_POLICY)
			return code;
	}
	code = session_load_files(s);
	if (code == EXIT_DONE && !s->options->path)
		code = judge_edit(s);
	if (s->options->path || code != EXIT_POLICY)
		return code;
	code = session_load_copy(s, KEPT_ACCEPTED, ORIGIN_ACCEPTED);
	if (code == EXIT_DONE)
		message(LEVEL_WARNING, "the policy that was accepted last stays in force instead "
				       "(/var/lib/ifsteer/accepted)");
	else
		message(LEVEL_ERROR,
			"no policy was accepted before that could stand in: the kernel stays as "
			"it is");
	return code;
}
