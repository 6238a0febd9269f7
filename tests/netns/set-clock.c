/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Preloaded into the program under test: somebody sets the clock. $SET_CLOCK is a FIFO: seconds
 * that are written to it are added to what time() says, and the timer that minds the clock is told
 * as the kernel would tell it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static int clock_fd = -1;
static time_t added;

time_t time(time_t *ret)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += added;
	if (ret)
		*ret = now.tv_sec;
	return now.tv_sec;
}

int timerfd_create(clockid_t clock, int flags)
{
	(void)clock;
	(void)flags;
	clock_fd = open(getenv("SET_CLOCK"), O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return clock_fd;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old)
{
	(void)fd;
	(void)flags;
	(void)new;
	(void)old;
	return 0;
}

ssize_t read(int fd, void *buf, size_t size)
{
	char text[32];
	ssize_t len;

	if (fd != clock_fd || fd < 0)
		return syscall(SYS_read, fd, buf, size);
	len = syscall(SYS_read, fd, text, sizeof(text) - 1);
	if (len <= 0)
		return len;
	text[len] = '\0';
	added += strtol(text, NULL, 10);
	errno = ECANCELED;
	return -1;
}
