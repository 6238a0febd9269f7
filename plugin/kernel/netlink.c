/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Sending and receiving on netlink sockets. An answer counts only when it is whole: anything that
 * was lost, cut or interrupted is asked for again, and never taken for less than there is.
 */
#include "kernel/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel cuts dumps into pieces of at most 32 KiB, and into as large ones only for who offers
 * the room. */
#define BUFFER_SIZE 65536
/* Enough for a list of interfaces that is read while two hundred of them come and go. */
#define ATTEMPTS 64

int netlink_open(struct netlink *n, int protocol)
{
	static const int yes = 1;
	int r;

	*n = (struct netlink){ .protocol = protocol };
	n->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (n->fd < 0)
		return -errno;
	n->buffer = malloc(BUFFER_SIZE);
	if (!n->buffer) {
		r = -ENOMEM;
		goto fail;
	}
	/* Without strict checking a filter in a dump is ignored: everything would be handed out. */
	if (protocol == NETLINK_ROUTE &&
	    setsockopt(n->fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &yes, sizeof(yes))) {
		r = -errno;
		goto fail;
	}
	/* Words for people, and refusals that don't repeat the request: one can do without. */
	(void)setsockopt(n->fd, SOL_NETLINK, NETLINK_EXT_ACK, &yes, sizeof(yes));
	(void)setsockopt(n->fd, SOL_NETLINK, NETLINK_CAP_ACK, &yes, sizeof(yes));
	return 0;
fail:
	netlink_close(n);
	return r;
}

void netlink_close(struct netlink *n)
{
	if (n->fd >= 0)
		close(n->fd);
	free(n->buffer);
	*n = (struct netlink)NETLINK_CLOSED;
}

/* The only way to be rid of what is still under way on a socket. */
static int reopen(struct netlink *n)
{
	struct netlink fresh;
	int r = netlink_open(&fresh, n->protocol);

	if (r < 0)
		return r;
	fresh.seq = n->seq;
	netlink_close(n);
	*n = fresh;
	return 0;
}

static bool is_passing(int err)
{
	return err == -EINTR || err == -ENOBUFS || err == -EAGAIN || err == -EBUSY;
}

static int send_bytes(struct netlink *n, const void *bytes, size_t len)
{
	static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t sent;
	int tries = 0;

	do
		sent = sendto(n->fd, bytes, len, 0, (const struct sockaddr *)&kernel,
			      sizeof(kernel));
	while (sent < 0 && errno == EINTR && ++tries < ATTEMPTS);
	if (sent < 0)
		return -errno;
	return (size_t)sent == len ? 0 : -EIO;
}

/* The next datagram of the kernel's; its length. With MSG_DONTWAIT -EAGAIN where there is none. */
static int receive(struct netlink *n, int flags)
{
	struct sockaddr_nl from = { 0 };
	struct iovec room = { n->buffer, BUFFER_SIZE };
	int tries = 0;

	for (;;) {
		struct msghdr msg = { .msg_name = &from,
				      .msg_namelen = sizeof(from),
				      .msg_iov = &room,
				      .msg_iovlen = 1 };
		ssize_t len = recvmsg(n->fd, &msg, flags);

		if (len < 0 && errno == EINTR && ++tries < ATTEMPTS)
			continue;
		if (len < 0)
			return -errno;
		if (msg.msg_flags & MSG_TRUNC)
			return -EMSGSIZE;
		if (len == 0)
			return -EIO;
		if (from.nl_pid == 0)	/* another process may write to our socket as well */
			return (int)len;
	}
}

/* The errno of an NLMSG_ERROR or NLMSG_DONE, which begin with one; 0 is an acknowledgement. */
static int answer_of(const struct nlmsghdr *nlh)
{
	const int *err = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err))
		return nlh->nlmsg_type == NLMSG_DONE ? 0 : -EBADMSG;
	return *err > 0 ? -EBADMSG : *err;
}

/* 0: more to come; NETLINK_ENOUGH: that was all. */
static int read_message(const struct nlmsghdr *nlh, const struct netlink_reader *r)
{
	int err;

	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		return -EAGAIN;
	switch (nlh->nlmsg_type) {
	case NLMSG_NOOP:
		return 0;
	case NLMSG_OVERRUN:
		return -ENOBUFS;
	case NLMSG_ERROR:
	case NLMSG_DONE:
		err = answer_of(nlh);
		return err < 0 ? err : NETLINK_ENOUGH;
	default:
		return r->each ? r->each(nlh, r->ctx) : 0;
	}
}

/* Reads until the answer is complete. *ret_ended: by its own end, so that nothing of it is left on
 * the socket. */
static int read_answer(struct netlink *n, const struct netlink_reader *r, bool is_dump,
		       bool *ret_ended)
{
	for (;;) {
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)n->buffer;
		int len = receive(n, 0), err;

		if (len < 0)
			return len;
		for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
			if (nlh->nlmsg_seq != n->seq)
				continue;
			err = read_message(nlh, r);
			if (err == 0 && is_dump)
				continue;
			*ret_ended = !is_dump || nlh->nlmsg_type == NLMSG_DONE ||
				     nlh->nlmsg_type == NLMSG_ERROR;
			return err < 0 ? err : 0;
		}
	}
}

static int ask_once(struct netlink *n, struct nlmsghdr *request, const struct netlink_reader *r,
		    bool is_dump)
{
	bool ended = false;
	int err, again;

	request->nlmsg_seq = ++n->seq;
	request->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | (is_dump ? NLM_F_DUMP : 0));
	err = send_bytes(n, request, request->nlmsg_len);
	if (err == 0)
		err = read_answer(n, r, is_dump, &ended);
	if (ended)
		return err;
	again = reopen(n);
	return err ? err : again;
}

static int ask(struct netlink *n, struct nlmsghdr *request, const struct netlink_reader *r,
	       bool is_dump)
{
	int err = -EAGAIN;

	for (int tries = 0; tries < ATTEMPTS && is_passing(err); tries++) {
		if (r->restart)
			r->restart(r->ctx);
		err = ask_once(n, request, r, is_dump);
	}
	return is_passing(err) ? -EAGAIN : err;
}

int netlink_ask(struct netlink *n, struct nlmsghdr *request, const struct netlink_reader *r)
{
	return ask(n, request, r, false);
}

int netlink_dump(struct netlink *n, struct nlmsghdr *request, const struct netlink_reader *r)
{
	return ask(n, request, r, true);
}

void *netlink_batch_room(struct netlink_batch *b)
{
	if (!b->bytes)
		b->bytes = malloc((size_t)NETLINK_BATCH_COUNT * NETLINK_MESSAGE_SIZE);
	if (!b->results)
		b->results = calloc(NETLINK_BATCH_COUNT, sizeof(*b->results));
	if (!b->bytes || !b->results)
		return NULL;
	/* libmnl 1.0.4 leaves what stands behind an attribute of one byte as it is, and the kernel is
	 * told it. */
	return memset(b->bytes + b->len, 0, NETLINK_MESSAGE_SIZE);
}

void netlink_batch_add(struct netlink_batch *b)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)(b->bytes + b->len);

	b->len += NLMSG_ALIGN(nlh->nlmsg_len);
	b->count++;
}

void netlink_batch_empty(struct netlink_batch *b)
{
	b->len = 0;
	b->count = 0;
}

void netlink_batch_done(struct netlink_batch *b)
{
	free(b->bytes);
	free(b->results);
	*b = (struct netlink_batch){ 0 };
}

/* Numbers the messages from `first`. The kernel always answers a message that it refuses; that it
 * got to the end is said by the answer to the last one, so that nothing else need be
 * acknowledged. */
static void number_batch(struct netlink_batch *b, uint32_t first)
{
	char *at = b->bytes;

	for (unsigned int i = 0; i < b->count; i++) {
		struct nlmsghdr *nlh = (struct nlmsghdr *)at;

		nlh->nlmsg_seq = first + i;
		nlh->nlmsg_flags |= NLM_F_REQUEST;
		if (i + 1 == b->count)
			nlh->nlmsg_flags |= NLM_F_ACK;
		at += NLMSG_ALIGN(nlh->nlmsg_len);
		b->results[i] = (struct netlink_result){ 0 };
	}
}

/* What the kernel says beside the number, if anything. */
static const char *refusal_words(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	struct nlattr *attr;
	size_t offset = sizeof(*e);

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) || mnl_nlmsg_get_payload_len(nlh) < sizeof(*e))
		return "";
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		offset += NLMSG_ALIGN(e->msg.nlmsg_len) - sizeof(e->msg);
	if (offset > mnl_nlmsg_get_payload_len(nlh))
		return "";
	mnl_attr_for_each(attr, nlh, offset) {
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
			return mnl_attr_get_str(attr);
	}
	return "";
}

static int read_results(struct netlink *n, uint32_t first, struct netlink_batch *b)
{
	for (;;) {
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)n->buffer;
		int len = receive(n, 0);

		if (len < 0)
			return len;
		for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
			uint32_t place = nlh->nlmsg_seq - first;

			if (nlh->nlmsg_type != NLMSG_ERROR || place >= b->count)
				continue;
			b->results[place].err = answer_of(nlh);
			snprintf(b->results[place].words, sizeof(b->results[place].words), "%s",
				 refusal_words(nlh));
			if (place + 1 == b->count)
				return 0;
		}
	}
}

int netlink_batch_send(struct netlink *n, struct netlink_batch *b)
{
	int err = b->count ? -EAGAIN : 0;

	for (int tries = 0; tries < ATTEMPTS && is_passing(err); tries++) {
		uint32_t first = n->seq + 1;
		int again;

		number_batch(b, first);
		n->seq += b->count;
		err = send_bytes(n, b->bytes, b->len);
		if (err == 0)
			err = read_results(n, first, b);
		if (err == 0)
			break;
		again = reopen(n);
		if (again < 0)
			err = again;
	}
	return err;
}

static void number_messages(struct netlink *n, char *bytes, size_t len)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)bytes;

	for (int left = (int)len; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		nlh->nlmsg_seq = ++n->seq;
}

/* What the kernel has answered by the time that sending returns: one refusal is the end of all. */
static int read_verdict(struct netlink *n, uint32_t first, struct netlink_result *ret)
{
	bool acknowledged = false;
	int len;

	while ((len = receive(n, MSG_DONTWAIT)) >= 0) {
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)n->buffer;

		for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
			if (nlh->nlmsg_type != NLMSG_ERROR ||
			    nlh->nlmsg_seq - first > n->seq - first)
				continue;
			acknowledged = true;
			if (ret->err == 0)
				ret->err = answer_of(nlh);
			if (ret->err && !*ret->words)
				snprintf(ret->words, sizeof(ret->words), "%s", refusal_words(nlh));
		}
	}
	if (ret->err)
		return -EPROTO;
	if (len == -EAGAIN && acknowledged)
		return 0;
	ret->err = len == -EAGAIN ? -EIO : len;
	return ret->err;
}

int netlink_transact(struct netlink *n, char *bytes, size_t len, struct netlink_result *ret)
{
	uint32_t first = n->seq + 1;
	int room = (int)len;

	/* It must fit into the socket's buffer as a whole. Without the privilege to have a larger
	 * one, sending says so. */
	(void)setsockopt(n->fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	number_messages(n, bytes, len);
	ret->err = send_bytes(n, bytes, len);
	return ret->err ? ret->err : read_verdict(n, first, ret);
}
