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
#include <unistd.h>

#include "commands/message.h"
#include "kernel/kernel.h"

/* Putting back is tried so often, a second apart: it may have failed for want of memory. */
#define TRIES_MAX 60

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
	if (fd >= 0 && (dir < 0 || inotify_add_watch(fd, path, IN_MOVED_TO) < 0)) {
		close(fd);
		fd = -1;
	}
	if (dir >= 0)
		close(dir);
	return fd;
}

enum { FD_SIGNAL, FD_RECORD, FD_TERMINAL, FD_COUNT };

/* Takes what arrived, and acts on it. */
static void serve(const struct options *o, struct pollfd *fds)
{
	char block[4096];
	ssize_t n;

	if (fds[FD_RECORD].revents)
		while (read(fds[FD_RECORD].fd, block, sizeof(block)) > 0)
			;
	if (fds[FD_SIGNAL].revents && read(fds[FD_SIGNAL].fd, block, sizeof(block)) > 0 &&
	    with_lock(o, LOCK_SECONDS_HOOK, trial_revert_now))
		message(LEVEL_ERROR, "it is tried again when the time is over");
	if (!fds[FD_TERMINAL].revents)
		return;
	n = read(fds[FD_TERMINAL].fd, block, sizeof(block));
	if (n <= 0)
		fds[FD_TERMINAL].fd = -1;
	else if (memchr(block, '\n', (size_t)n) && with_lock(o, LOCK_SECONDS_PERSON, confirm))
		message(LEVEL_ERROR, "the change is not confirmed");
}

static int poll_timeout(const struct pollfd *fds, int64_t deadline_ms)
{
	int64_t left = deadline_ms - monotonic_ms();

	if (left <= 0)
		return 1000; /* putting back has failed */
	return fds[FD_RECORD].fd < 0 && left > 1000 ? 1000 : (int)left;
}

/* Until the trial is over, one way or the other; puts back when the time is. */
static enum exit_code wait_for_end(const struct options *o, const struct trial *mine,
				   struct pollfd *fds)
{
	enum exit_code code = EXIT_UNEXPECTED;

	for (int tries = 0; tries < TRIES_MAX;) {
		struct trial t = trial_read();

		/* An end is written down: none at all only says that nothing can be read now. */
		if (t.state != TRIAL_NONE && (t.state != TRIAL_WAITING || t.id != mine->id))
			return t.state == TRIAL_REVERTED && t.id == mine->id ? EXIT_FOUND : EXIT_DONE;
		if (mine->deadline_ms <= monotonic_ms()) {
			tries++;
			code = with_lock(o, LOCK_SECONDS_HOOK, trial_settle);
			if (code == EXIT_DONE)
				continue;
		}
		if (poll(fds, FD_COUNT, poll_timeout(fds, mine->deadline_ms)) > 0)
			serve(o, fds);
	}
	return code;
}

static void only_signal(sigset_t *set, int signal_number)
{
	sigemptyset(set);
	sigaddset(set, signal_number);
}

/* The process that outlives the terminal. SIGTERM, say of a host that shuts down, is the end of
 * the time. */
static enum exit_code outlive(const struct session *s, const struct trial *t)
{
	struct pollfd fds[FD_COUNT] = { { .fd = -1, .events = POLLIN },
					{ .fd = -1, .events = POLLIN },
					{ .fd = -1 } };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t term;

	close(s->lock); /* shared with the parent: this closes only our end of it */
	setsid();
	for (int fd = 0; null >= 0 && fd <= 2; fd++)
		dup2(null, fd);
	if (chdir("/"))
		message(LEVEL_WARNING, "/: %s", strerror(errno));
	message_to_syslog();
	only_signal(&term, SIGTERM);
	fds[FD_SIGNAL].fd = signalfd(-1, &term, SFD_CLOEXEC);
	fds[FD_RECORD].fd = watch_record();
	return wait_for_end(s->options, t, fds);
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

/* Ctrl-C is an answer: no. */
enum exit_code confirm_wait(const struct options *o, const struct trial *t)
{
	struct pollfd fds[FD_COUNT] = { { .fd = -1, .events = POLLIN },
					{ .fd = -1, .events = POLLIN },
					{ .fd = -1, .events = POLLIN } };
	int64_t seconds = (t->deadline_ms - monotonic_ms() + 999) / 1000;
	enum exit_code code;
	sigset_t interrupt;

	only_signal(&interrupt, SIGINT);
	sigprocmask(SIG_BLOCK, &interrupt, NULL);
	fds[FD_SIGNAL].fd = signalfd(-1, &interrupt, SFD_CLOEXEC);
	fds[FD_RECORD].fd = watch_record();
	if (isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp())
		fds[FD_TERMINAL].fd = STDIN_FILENO;
	message(LEVEL_NOTICE,
		"applied; it is put back in %lld seconds unless %s`ifsteer confirm` comes",
		(long long)seconds, fds[FD_TERMINAL].fd >= 0 ? "Enter is pressed or " : "");
	code = wait_for_end(o, t, fds);
	if (code == EXIT_DONE)
		message(LEVEL_NOTICE, "confirmed");
	else if (code == EXIT_FOUND)
		message(LEVEL_WARNING, "not confirmed: what stood before stands again");
	return code;
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
