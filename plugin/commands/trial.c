/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A change that has to be confirmed. Its record says until when; the copy of what stood before says
 * what to put back. Both are written before the kernel is touched, so that whoever runs next can
 * finish the job.
 */
#include "commands/trial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "commands/message.h"
#include "kernel/kernel.h"

static void warn(const char *what, int r)
{
	if (r)
		message(LEVEL_WARNING, "%s: %s", what, strerror(-r));
}

/* Until it is confirmed the edit counts as in error, also after a power cut in the middle of the
 * trial. An edit that is no edit, because just that is accepted already, does not. */
static int mark_unconfirmed(const struct session *s)
{
	CLEANUP(snapshot_done) struct snapshot accepted = { 0 };

	if (kept_read_snapshot(KEPT_ACCEPTED, &accepted) == 0 &&
	    snapshot_same_text(&accepted, &s->read))
		return 0;
	return kept_write_snapshot(KEPT_UNCONFIRMED, &s->read);
}

static int copy_in_force(void)
{
	CLEANUP(snapshot_done) struct snapshot in_force = { 0 };
	int r = kept_read_snapshot(KEPT_IN_FORCE, &in_force);

	if (r == -ENOENT)
		return kept_remove(KEPT_BEFORE);
	return r ? r : kept_write_snapshot(KEPT_BEFORE, &in_force);
}

enum exit_code trial_begin(const struct session *s, uint32_t seconds, struct trial *ret)
{
	struct trial t = trial_read();
	int r;

	if (t.state == TRIAL_WAITING) {
		message(LEVEL_ERROR,
			"another change waits to be confirmed, for %lld seconds more: `ifsteer "
			"confirm` keeps it",
			(long long)(t.deadline_ms - monotonic_ms()) / 1000);
		return EXIT_LOCKED;
	}
	t = (struct trial){ .state = TRIAL_WAITING, .is_default = !s->options->path };
	t.deadline_ms = monotonic_ms() + 1000 * (int64_t)seconds;
	if (getrandom(&t.id, sizeof(t.id), 0) != sizeof(t.id))
		t.id = (uint64_t)t.deadline_ms;
	r = copy_in_force();
	if (r == 0)
		r = trial_write(&t);
	if (r) {
		message_errno("cannot keep what stands now, to put it back", r);
		return EXIT_UNEXPECTED;
	}
	if (t.is_default)
		warn("/var/lib/ifsteer: after a reboot this edit would count as accepted",
		     mark_unconfirmed(s));
	*ret = t;
	return EXIT_DONE;
}

static void trial_end(enum trial_state end)
{
	struct trial t = trial_read();

	t.state = end;
	warn("the record of the trial", trial_write(&t));
	warn("the copy of what stood before", kept_remove(KEPT_BEFORE));
}

void trial_abandon(void)
{
	if (trial_read().is_default)
		warn("the mark of an unconfirmed edit", kept_remove(KEPT_UNCONFIRMED));
	trial_end(TRIAL_REVERTED);
}

void trial_supersede(enum trial_state end)
{
	if (trial_read().state == TRIAL_WAITING)
		trial_end(end);
}

enum exit_code trial_confirm(void)
{
	CLEANUP(snapshot_done) struct snapshot in_force = { 0 };
	struct trial t = trial_read();
	int r = 0;

	if (t.state != TRIAL_WAITING) {
		message(LEVEL_ERROR, t.state == TRIAL_REVERTED ? "too late: the change was put back"
							       : "nothing waits to be confirmed");
		return EXIT_FOUND;
	}
	if (t.is_default) {
		r = kept_read_snapshot(KEPT_IN_FORCE, &in_force);
		if (r == 0)
			r = kept_write_snapshot(KEPT_ACCEPTED, &in_force);
		if (r == 0)
			r = kept_remove(KEPT_UNCONFIRMED);
	}
	warn("/var/lib/ifsteer: the change is in force, but can't be kept as accepted", r);
	trial_end(TRIAL_CONFIRMED);
	return EXIT_DONE;
}

static enum exit_code revert(const struct options *o)
{
	CLEANUP(session_done) struct session s = { 0 };
	char *before = NULL;
	size_t len;
	enum exit_code code;
	int r;

	code = session_open(&s, o);
	if (code)
		return code;
	r = kept_read(KEPT_BEFORE, &before, &len);
	free(before);
	if (r == -ENOENT)
		return session_flush(&s);
	code = session_load_copy(&s, KEPT_BEFORE, ORIGIN_COPY);
	if (code == EXIT_DONE)
		code = session_apply(&s);
	if (code == EXIT_DONE)
		session_accept(&s);
	return code;
}

enum exit_code trial_settle(const struct options *o)
{
	struct options plain = { .quiet = o->quiet, .verbose = o->verbose, .env = o->env };
	struct trial t = trial_read();
	enum exit_code code;

	if (t.state != TRIAL_WAITING || t.deadline_ms > monotonic_ms())
		return EXIT_DONE;
	message(LEVEL_WARNING,
		"the change was not confirmed in time: putting back what stood before");
	code = revert(&plain);
	if (code == EXIT_DONE)
		trial_end(TRIAL_REVERTED);
	return code;
}

enum exit_code trial_revert_now(const struct options *o)
{
	struct trial t = trial_read();

	if (t.state != TRIAL_WAITING)
		return EXIT_DONE;
	t.deadline_ms = 0;
	warn("the record of the trial", trial_write(&t));
	return trial_settle(o);
}
