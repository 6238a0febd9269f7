/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Two functions of libmnl's, for libnftables, which finds them here first.
 *
 * libnftables 1.0.6 takes what it got for all there is when it can't ask for the rest, and ends the
 * process (or dies) when an answer is lost: under memory pressure a table would be read as half of
 * what it is. But it begins anew when a call was interrupted. So that is what it is told, as often
 * as our own sockets try.
 */
#include "kernel/nft-socket.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <sys/socket.h>

static unsigned int failures;
static bool is_interrupted;

void nft_socket_begin(void)
{
	failures = 0;
	is_interrupted = false;
}

bool nft_socket_interrupted(void)
{
	return is_interrupted;
}

static ssize_t failed(void)
{
	if (failures++ < NFT_SOCKET_ATTEMPTS)
		errno = EINTR;
	return -1;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *nl, const void *buf, size_t len)
{
	static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t sent = sendto(mnl_socket_get_fd(nl), buf, len, 0, (const struct sockaddr *)&kernel,
			      sizeof(kernel));

	return sent < 0 ? failed() : sent;
}

/* What is left of an answer must not be taken for the next one. */
static ssize_t failed_receive(int fd, void *buf, size_t size)
{
	int err = errno;

	while (recv(fd, buf, size, MSG_DONTWAIT) > 0)
		;
	errno = err;
	return failed();
}

/* libnftables loses its way, and elements of maps, when a dump was interrupted by somebody's
 * transaction. So it isn't told: a listing is repeated by who asked for it, and its own transactions
 * are refused by the kernel, and repeated, when somebody else's came in between. */
static void note_interruption(void *buf, int len)
{
	for (struct nlmsghdr *nlh = buf; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		is_interrupted |= (nlh->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
		nlh->nlmsg_flags &= (uint16_t)~NLM_F_DUMP_INTR;
	}
}

ssize_t mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t size)
{
	struct sockaddr_nl from = { 0 };
	struct iovec room = { buf, size };
	int fd = mnl_socket_get_fd(nl);

	for (;;) {
		struct msghdr msg = { .msg_name = &from,
				      .msg_namelen = sizeof(from),
				      .msg_iov = &room,
				      .msg_iovlen = 1 };
		ssize_t len = recvmsg(fd, &msg, 0);

		if (len < 0 && errno == EINTR && failures++ < NFT_SOCKET_ATTEMPTS)
			continue;
		/* The socket does not block: that there is no more is how libnftables finds the end
		 * of some answers. */
		if (len < 0)
			return errno == EAGAIN ? -1 : failed_receive(fd, buf, size);
		if (msg.msg_flags & MSG_TRUNC) {
			errno = ENOSPC;
			return failed_receive(fd, buf, size);
		}
		note_interruption(buf, (int)len);
		return len;
	}
}
