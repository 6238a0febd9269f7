/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A run's turn: the lock, and what whoever holds it does first: to put back a change whose time is
 * over.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "commands/message.h"
#include "commands/progress.h"
#include "commands/trial.h"
#include "kernel/kernel.h"

static enum exit_code say_locked(int seconds)
{
	message(LEVEL_ERROR, "another run of ifsteer has held the lock for %d seconds", seconds);
	return EXIT_LOCKED;
}

static enum exit_code take_lock(struct session *s, int seconds)
{
	int fd;

	progress_stage("waiting for another run to end", 0);
	fd = lock_take(monotonic_ms() + 1000 * (int64_t)seconds);
	if (fd == -EBUSY)
		return say_locked(seconds);
	if (fd < 0) {
		message_errno("the lock below /run/ifsteer", fd);
		return EXIT_UNEXPECTED;
	}
	s->lock = fd;
	return EXIT_DONE;
}

enum exit_code session_lock(struct session *s, int seconds)
{
	enum exit_code code = take_lock(s, seconds);

	return code ? code : trial_settle(s->options);
}

enum exit_code session_lock_to_replace(struct session *s, int seconds)
{
	enum exit_code code = take_lock(s, seconds);

	if (code == EXIT_DONE)
		(void)!trial_settle(s->options); /* which says why */
	return code;
}

enum exit_code session_lock_to_read(struct session *s, int seconds)
{
	int fd;

	if (s->options->facts || geteuid() != 0)
		return EXIT_DONE;
	fd = lock_take(monotonic_ms() + 1000 * (int64_t)seconds);
	if (fd > 0)
		s->lock = fd;
	return fd == -EBUSY ? say_locked(seconds) : EXIT_DONE;
}
