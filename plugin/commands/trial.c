/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A change that has to be confirmed. Its record says until when; the copy of what stood before says
 * what to put back. Both are written before the kernel is touched, so that whoever runs next can
 * finish the job, and the copy goes only when the record says that there is no job.
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

/* No copy of what is in force: nothing is, or somebody has emptied /run. Then the best guess is what
 * was accepted; to put back nothing would open kill switches. */
static int copy_accepted(void)
{
	CLEANUP(snapshot_done) struct snapshot accepted = { 0 };
	struct diag d = { 0 };
	char *table = NULL;
	int r = nft_list(NFT_IN_FULL, &table, &d);

	message_diag(&d);
	/* The process that waits must not share its sockets. */
	nft_close();
	if (r == 0 && !table)
		return kept_remove(KEPT_BEFORE);
	free(table);
	if (r == 0)
		r = kept_read_snapshot(KEPT_ACCEPTED, &accepted);
	return r ? r : kept_write_snapshot(KEPT_BEFORE, &accepted);
}

static int copy_in_force(void)
{
	CLEANUP(snapshot_done) struct snapshot in_force = { 0 };
	int r = kept_read_snapshot(KEPT_IN_FORCE, &in_force);

	if (r == -ENOENT)
		return copy_accepted();
	return r ? r : kept_write_snapshot(KEPT_BEFORE, &in_force);
}

enum exit_code trial_begin(const struct session *s, struct trial *ret)
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
	t = (struct trial){ .state = TRIAL_BEGUN, .is_default = !s->options->path };
	if (getrandom(&t.id, sizeof(t.id), 0) != sizeof(t.id))
		t.id = (uint64_t)monotonic_ms();
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

enum exit_code trial_wait(const struct session *s, uint32_t seconds, struct trial *t)
{
	int r = session_keep_in_force(s);

	t->state = TRIAL_WAITING;
	t->deadline_ms = monotonic_ms() + 1000 * (int64_t)seconds;
	if (r == 0)
		r = trial_write(t);
	if (r == 0)
		return EXIT_DONE;
	message_errno("the record of the change on trial", r);
	return EXIT_UNEXPECTED;
}

static int trial_end(enum trial_state end)
{
	struct trial t = trial_read();
	int r;

	t.state = end;
	r = trial_write(&t);
	warn("the record of the trial", r);
	if (r == 0)
		warn("the copy of what stood before", kept_remove(KEPT_BEFORE));
	return r;
}

void trial_abandon(void)
{
	(void)!trial_end(TRIAL_REVERTED);
}

void trial_replace(const struct session *s)
{
	CLEANUP(snapshot_done) struct snapshot in_force = { 0 };
	struct trial t = trial_read();
	bool is_same;

	if (t.state != TRIAL_WAITING && t.state != TRIAL_BEGUN)
		return;
	is_same = s && t.state == TRIAL_WAITING &&
		  kept_read_snapshot(KEPT_IN_FORCE, &in_force) == 0 &&
		  snapshot_same_text(&in_force, &s->read);
	(void)!trial_end(is_same ? TRIAL_CONFIRMED : TRIAL_REPLACED);
}

/* Where /var can't be written, what is confirmed is in force all the same; an edit that is marked as
 * in error would not be for long. */
static int accept_in_force(void)
{
	CLEANUP(snapshot_done) struct snapshot in_force = { 0 };
	int r = kept_read_snapshot(KEPT_IN_FORCE, &in_force);

	if (r == 0)
		r = kept_write_snapshot(KEPT_ACCEPTED, &in_force);
	warn("/var/lib/ifsteer: the change is in force, but can't be kept as accepted", r);
	return kept_remove(KEPT_UNCONFIRMED);
}

enum exit_code trial_confirm(void)
{
	struct trial t = trial_read();
	int r;

	if (t.state != TRIAL_WAITING) {
		message(LEVEL_ERROR, t.state == TRIAL_REVERTED ? "too late: the change was put back"
							       : "nothing waits to be confirmed");
		return EXIT_FOUND;
	}
	r = t.is_default ? accept_in_force() : 0;
	if (r == 0)
		r = trial_end(TRIAL_CONFIRMED);
	if (r == 0)
		return EXIT_DONE;
	message_errno("can't keep that the change is confirmed: it will be put back", r);
	return EXIT_UNEXPECTED;
}

/* Done when it is known to be: who watches goes by what is kept as in force. */
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
	return code == EXIT_DONE && session_keep_in_force(&s) ? EXIT_UNEXPECTED : code;
}

static enum exit_code put_back(const struct options *o, const char *why)
{
	struct options plain = { .quiet = o->quiet, .verbose = o->verbose, .env = o->env };
	enum exit_code code;

	message(LEVEL_WARNING, "%s: putting back what stood before", why);
	code = revert(&plain);
	return code == EXIT_DONE && trial_end(TRIAL_REVERTED) ? EXIT_UNEXPECTED : code;
}

enum exit_code trial_settle(const struct options *o)
{
	struct trial t = trial_read();

	if (t.state == TRIAL_BEGUN)
		return put_back(o, "the change was not carried out to its end");
	if (t.state == TRIAL_WAITING && t.deadline_ms <= monotonic_ms())
		return put_back(o, "the change was not confirmed");
	return EXIT_DONE;
}

/* Whoever comes next goes on with it if that fails. */
enum exit_code trial_revert_now(const struct options *o)
{
	struct trial t = trial_read();

	if (t.state != TRIAL_WAITING)
		return EXIT_DONE;
	t.deadline_ms = 0;
	warn("the record of the trial", trial_write(&t));
	return put_back(o, "the change was not confirmed");
}
