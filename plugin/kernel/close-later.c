/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The kernel's garbage collector for sockets as the one who waits.
 *
 * When something was deleted from nftables, whoever closes the next netfilter socket waits until
 * the kernel has freed it, the end of the process included: 6 to 15 ms, measured, more than all the
 * rest of such a run. A descriptor that is under way to a socket which itself is under way to
 * nobody but itself can't be received any more; since Linux 6.10 a worker of the kernel finds such
 * sockets and closes what they hold, 0.03 ms for us. Older kernels do it at once, and we wait as
 * before.
 */
#include "kernel/close-later.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Sends the descriptors, and the socket that they are sent to, to that socket. */
static void send_to_itself(int from, int to, const int *fds, size_t count)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE((CLOSE_LATER_MAX + 1) * sizeof(int))];
	} control = { .bytes = "" };
	char byte = 0;
	struct iovec payload = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &payload, .msg_iovlen = 1, .msg_control = &control };

	msg.msg_controllen = CMSG_SPACE((count + 1) * sizeof(int));
	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN((count + 1) * sizeof(int));
	memcpy(CMSG_DATA(&control.head), fds, count * sizeof(int));
	memcpy(CMSG_DATA(&control.head) + count * sizeof(int), &to, sizeof(to));
	(void)sendmsg(from, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void close_later(const int *fds, size_t count)
{
	int pair[2];

	if (!count || count > CLOSE_LATER_MAX ||
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair))
		return;
	send_to_itself(pair[0], pair[1], fds, count);
	close(pair[0]);
	close(pair[1]);
}
