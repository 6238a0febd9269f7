/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A netlink socket of any protocol: questions with one answer, dumps that are whole or fail, and
 * writes in batches. What the bytes mean is the business of the files that ask.
 */
#pragma once

#include <linux/netlink.h>

#include "base/base.h"

struct netlink {
	int fd;
	int protocol;
	uint32_t seq;
	char *buffer;			/* of what is received */
};

/* Starts unopened, so that cleaning up is always allowed. */
#define NETLINK_CLOSED { .fd = -1 }

MUST_CHECK int netlink_open(struct netlink *n, int protocol);
void netlink_close(struct netlink *n);

/* Is given each message of an answer. 0: go on; NETLINK_ENOUGH: the rest is not wanted; -errno:
 * give up. */
typedef int (*netlink_each)(const struct nlmsghdr *nlh, void *ctx);
#define NETLINK_ENOUGH 1

struct netlink_reader {
	netlink_each each;		/* NULL: the answer is of no interest, its error is */
	void (*restart)(void *ctx);	/* the dump begins anew; NULL for questions */
	void *ctx;
};

/* One request, one answer. 0 or -errno, the kernel's own refusal included. */
MUST_CHECK int netlink_ask(struct netlink *n, struct nlmsghdr *request,
			   const struct netlink_reader *r);

/* A dump. One that the kernel says was interrupted, or of which something was lost, is repeated a
 * bounded number of times (then: -EAGAIN); 0 means that the reader saw all of it, or said
 * NETLINK_ENOUGH. */
MUST_CHECK int netlink_dump(struct netlink *n, struct nlmsghdr *request,
			    const struct netlink_reader *r);

/* What became of one message: 0, or the negative errno with which it was refused and the kernel's
 * own words, if any. */
struct netlink_result {
	int err;
	char words[100];
};

/* Messages that are carried out all or not at all, as a batch of nfnetlink's: sent as one, numbered
 * here, the last that is answered at all with NLM_F_ACK. 0; -EPROTO: refused, as *ret says; other
 * -errno, also in ret->err: nobody knows. */
MUST_CHECK int netlink_transact(struct netlink *n, char *bytes, size_t len,
				struct netlink_result *ret);

/* Largest message that may be put into a batch. */
#define NETLINK_MESSAGE_SIZE 256
#define NETLINK_BATCH_COUNT 128

/* Writes that wait to be sent together; the kernel carries them out in order. */
struct netlink_batch {
	char *bytes;
	size_t len;
	unsigned int count;
	struct netlink_result *results;
};

/* Room for NETLINK_MESSAGE_SIZE bytes, NULL when memory failed. Send first when the batch is
 * full. */
void *netlink_batch_room(struct netlink_batch *b);
/* What was written to the room is a message of the batch now. */
void netlink_batch_add(struct netlink_batch *b);
static inline bool netlink_batch_full(const struct netlink_batch *b)
{
	return b->count == NETLINK_BATCH_COUNT;
}
void netlink_batch_empty(struct netlink_batch *b);
void netlink_batch_done(struct netlink_batch *b);

/* One system call to send and, when nothing is refused, one to receive. When acknowledgements were
 * lost, all of it is sent again: "exists already" and "is gone" then mean that it had been done. 0:
 * every message was carried out or refused, as results[] say, until the batch is emptied. -errno:
 * nobody knows. */
MUST_CHECK int netlink_batch_send(struct netlink *n, struct netlink_batch *b);
