/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ifsteer confirm, and waiting for it: on the terminal, and in a process of its own session that is
 * still there when the terminal's connection has been cut by the very change.
 */
#include "commands/confirm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "commands/message.h"
#include "kernel/kernel.h"

/* Putting back may fail, say for want of memory. The one on the terminal says so in the end; the
 * other is all that a host has that is far away, and goes on, a minute apart. */
#define TRIES_MAX 60
#define PAUSE_MS 1000
#define LONG_PAUSE_MS 60000
/* The one on the terminal comes second: its messages may have to wait for the terminal (Ctrl-S), and
 * the lock with them. */
#define TERMINAL_GRACE_MS 1000

static enum exit_code with_lock(const struct options *o, int seconds,
				enum exit_code (*what)(const struct options *o))
{
	CLEANUP(session_done) struct session s = { 0 };
	enum exit_code code = session_open(&s, o);

	if (code == EXIT_DONE)
		code = session_lock(&s, seconds);
	return code ? code : what(o);
}

static enum exit_code confirm(const struct options *o)
{
	(void)o;
	return trial_confirm();
}

/* Becomes readable when the record of the trial changes; -1 where the kernel can't tell. */
static int watch_record(void)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int dir = told_directory();
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
	if (fd >= 0 && (dir < 0 || inotify_add_watch(fd, path, IN_MOVED_TO | IN_DELETE) < 0)) {
		close(fd);
		fd = -1;
	}
	if (dir >= 0)
		close(dir);
	return fd;
}

enum { FD_SIGNAL, FD_RECORD, FD_TERMINAL, FD_COUNT };

/* Two wait for the end of a trial: the one on the terminal, and the one that outlives it. */
struct waiter {
	const struct options *options;
	uint64_t id;
	bool outlives;
	bool is_told; /* by a signal: put back now */
	int tries;
	struct pollfd fds[FD_COUNT];
};

/* A line with a word in it is no Enter: it may be "no". */
static void read_terminal(struct waiter *w)
{
	char line[4096];
	ssize_t n = read(w->fds[FD_TERMINAL].fd, line, sizeof(line));

	if (n <= 0)
		w->fds[FD_TERMINAL].fd = -1;
	else if (line[0] != '\n')
		message(LEVEL_NOTICE, "Enter alone keeps the change, Ctrl-C puts it back");
	else if (with_lock(w->options, LOCK_SECONDS_PERSON, confirm))
		message(LEVEL_ERROR, "the change is not confirmed");
}

/* Takes what arrived, and acts on it. */
static void serve(struct waiter *w)
{
	char block[4096];

	if (w->fds[FD_RECORD].revents)
		while (read(w->fds[FD_RECORD].fd, block, sizeof(block)) > 0)
			;
	if (w->fds[FD_SIGNAL].revents && read(w->fds[FD_SIGNAL].fd, block, sizeof(block)) > 0)
		w->is_told = true;
	if (w->fds[FD_TERMINAL].revents)
		read_terminal(w);
}

static const char stays[] =
	"not confirmed: somebody has applied another policy, or flushed, and that stays in force";
static const char lost[] =
	"somebody has removed the record of the change below /run/ifsteer: it is "
	"not put back";

/* True: the trial is over, in which way is said. */
static bool is_over(const struct waiter *w, const struct trial *t, enum exit_code *ret)
{
	/* Another trial begins where one has ended. */
	enum trial_state state = t->id && t->id != w->id ? TRIAL_REPLACED : t->state;

	switch (state) {
	case TRIAL_BEGUN:
	case TRIAL_WAITING:
	case TRIAL_UNKNOWN: return false;
	case TRIAL_CONFIRMED:
		message(LEVEL_NOTICE, "confirmed");
		*ret = EXIT_DONE;
		return true;
	case TRIAL_REVERTED:
		message(LEVEL_WARNING, "not confirmed: what stood before stands again");
		*ret = EXIT_FOUND;
		return true;
	case TRIAL_REPLACED:
		message(LEVEL_WARNING, "%s", stays);
		*ret = EXIT_FOUND;
		return true;
	case TRIAL_NONE:
		message(LEVEL_ERROR, "%s", lost);
		*ret = EXIT_UNEXPECTED;
		return true;
	}
	return false;
}

/* When to put back. A change that has begun is waited for by waiting for the lock: whoever gets it
 * knows whether the change was carried out. */
static int64_t when_due(const struct waiter *w, const struct trial *t)
{
	if (t->state == TRIAL_UNKNOWN)
		return monotonic_ms() + PAUSE_MS;
	if (w->is_told || t->state == TRIAL_BEGUN)
		return 0;
	return t->deadline_ms + (w->outlives ? 0 : TERMINAL_GRACE_MS);
}

static void sleep_until(struct waiter *w, int64_t when)
{
	int64_t left = when - monotonic_ms();

	if (left <= 0)
		left = w->tries > TRIES_MAX ? LONG_PAUSE_MS : PAUSE_MS; /* it has failed */
	else if (w->fds[FD_RECORD].fd < 0 && left > PAUSE_MS)
		left = PAUSE_MS;
	if (poll(w->fds, FD_COUNT, (int)left) > 0)
		serve(w);
}

/* Until the trial is over, one way or the other; puts back when the time is. */
static enum exit_code wait_for_end(struct waiter *w)
{
	enum exit_code code = EXIT_UNEXPECTED;

	while (w->outlives || w->tries <= TRIES_MAX) {
		struct trial t = trial_read();
		int64_t when = when_due(w, &t);

		if (is_over(w, &t, &code))
			return code;
		if (when <= monotonic_ms()) {
			code = with_lock(w->options, LOCK_SECONDS_HOOK,
					 w->is_told ? trial_revert_now : trial_settle);
			if (code == EXIT_DONE)
				continue;
			w->tries++;
		}
		sleep_until(w, when);
	}
	return code;
}

static void open_ears(struct waiter *w, int signal_number)
{
	sigset_t set;

	for (int i = 0; i < FD_COUNT; i++)
		w->fds[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	sigemptyset(&set);
	sigaddset(&set, signal_number);
	sigprocmask(SIG_BLOCK, &set, NULL);
	w->fds[FD_SIGNAL].fd = signalfd(-1, &set, SFD_CLOEXEC);
	w->fds[FD_RECORD].fd = watch_record();
}

/* The process that outlives the terminal. SIGTERM, say of a host that shuts down or of a unit that
 * is stopped, is the end of the time. */
static enum exit_code outlive(const struct session *s, const struct trial *t)
{
	struct waiter w = { .options = s->options, .id = t->id, .outlives = true };
	int null;

	/* The lock among them, which is the parent's, and whatever else the shell has left open:
	 * nobody shall wait for us. */
	close_range(STDERR_FILENO + 1, ~0U, 0);
	setsid();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	if (chdir("/"))
		message(LEVEL_WARNING, "/: %s", strerror(errno));
	message_to_syslog();
	open_ears(&w, SIGTERM);
	return wait_for_end(&w);
}

enum exit_code confirm_fork_waiter(const struct session *s, const struct trial *t)
{
	sigset_t blocked, before;
	pid_t pid;

	/* Blocked in the child for good; here, while it can't tell yet that they are not meant
	 * for it. */
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGHUP);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGQUIT);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	pid = fork();
	if (pid == 0)
		_exit(outlive(s, t));
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0) {
		message_errno("a process that waits", -errno);
		return EXIT_UNEXPECTED;
	}
	return EXIT_DONE;
}

/* Ctrl-C is an answer: no. What was typed before there was a question is none. */
enum exit_code confirm_wait(const struct options *o, const struct trial *t)
{
	struct waiter w = { .options = o, .id = t->id };
	int64_t seconds = (t->deadline_ms - monotonic_ms() + 999) / 1000;

	open_ears(&w, SIGINT);
	if (isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp()) {
		tcflush(STDIN_FILENO, TCIFLUSH);
		w.fds[FD_TERMINAL].fd = STDIN_FILENO;
	}
	message(LEVEL_NOTICE,
		"applied; it is put back in %lld second%s unless %s`ifsteer confirm` comes",
		(long long)seconds, seconds == 1 ? "" : "s",
		w.fds[FD_TERMINAL].fd >= 0 ? "Enter is pressed or " : "");
	return wait_for_end(&w);
}

static enum exit_code run_confirm(const struct options *o)
{
	return with_lock(o, LOCK_SECONDS_PERSON, confirm);
}

const struct command command_confirm = {
	.name = "confirm",
	.usage = "",
	.summary = "keep what `apply --confirm` changed",
	.help = "Keeps what `ifsteer apply --confirm N` changed, from any terminal. Exit status\n"
		"1: nothing waits, or it was put back already.\n\n"
		"Example, over a new connection, which shows that there still is a way in:\n"
		"  ssh gateway sudo ifsteer confirm\n",
	.run = run_confirm,
};
