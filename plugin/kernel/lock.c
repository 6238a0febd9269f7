/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One run at a time, and a wait that ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kernel/kernel.h"

int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void interrupt(int signal)
{
	(void)signal;
}

/* flock() in its place in the queue: the kernel wakes one waiter for each release, where two
 * hundred that try again and again would keep a processor busy. A timer's signal ends the wait; it
 * is repeated, since the first may come just before flock() begins to wait. */
static int wait_for(int fd, int64_t deadline_ms)
{
	const struct itimerspec at = {
		.it_value = { deadline_ms / 1000, deadline_ms % 1000 * 1000000 },
		.it_interval = { 0, 20 * 1000000 },
	};
	const struct sigaction action = { .sa_handler = interrupt };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	struct sigaction old_action;
	sigset_t set, old_set;
	timer_t timer;
	int err;

	if (timer_create(CLOCK_MONOTONIC, &event, &timer))
		return -errno;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigaction(SIGALRM, &action, &old_action);
	sigprocmask(SIG_UNBLOCK, &set, &old_set);
	timer_settime(timer, TIMER_ABSTIME, &at, NULL);
	do
		err = flock(fd, LOCK_EX) ? -errno : 0;
	while (err == -EINTR && monotonic_ms() < deadline_ms);
	timer_delete(timer);
	sigprocmask(SIG_SETMASK, &old_set, NULL);
	sigaction(SIGALRM, &old_action, NULL);
	return err == -EINTR ? -EBUSY : err;
}

int lock_take(int64_t deadline_ms)
{
	int dir = told_directory(), fd, err = 0;
	struct stat st;

	if (dir < 0)
		return dir;
	fd = openat(dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0)
		err = -errno;
	close(dir);
	if (fd < 0)
		return err;
	if (fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode) || st.st_uid != 0)
		err = -EPERM;
	else if (flock(fd, LOCK_EX | LOCK_NB))
		err = errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (err == -EBUSY && monotonic_ms() < deadline_ms)
		err = wait_for(fd, deadline_ms);
	if (err == 0)
		return fd;
	close(fd);
	return err;
}
