/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a program hears of a packet that is refused: the error that the policy's words promise, at
 * once or within about a second, or nothing.
 */
#include "tests/netns/random/random.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECOND_MS 1500
#define KEPT_MAX 16

static struct kept {
	int fd;
	enum action outcome;
	char text[256];
} kept[KEPT_MAX];
static size_t kept_count;

/* Of connect(), in the end. */
static bool is_promised(enum action outcome, int err)
{
	switch (outcome) {
	case ACTION_UNREACHABLE: return err == EHOSTUNREACH;
	case ACTION_PROHIBIT: return err == EHOSTUNREACH || err == EACCES;
	case ACTION_BLACKHOLE: return err == 0;
	case ACTION_VIA:
	case ACTION_BALANCE:
	case ACTION_TABLE:
	case ACTION_MAIN: break;
	}
	return false;
}

/* What no policy refuses is main's to answer for, or lost on its way. */
static bool is_refused(const struct plan *p, const struct explanation *e)
{
	for (size_t i = 0; i < p->policy_count; i++)
		if (p->policies[i].policy == e->policy)
			return !e->note &&
			       p->policies[i].verdict[e->flow.family].outcome >= ACTION_UNREACHABLE;
	return false;
}

int refused_run(const struct trial *t, const struct plan *p, const struct explanation *e, int fd,
		int err, struct strbuf *wrong)
{
	if (!is_refused(p, e))
		return fd;
	if (t->flow.protocol != IPPROTO_TCP) {
		if (err && err != EPERM && !is_promised(e->outcome, err))
			strbuf_printf(wrong, "outcome %d, and send() says %s; ", (int)e->outcome,
				      strerror(err));
		return fd;
	}
	if (err) {
		strbuf_printf(wrong, "outcome %d, and connect() says %s at once; ", (int)e->outcome,
			      strerror(err));
		return fd;
	}
	if (kept_count == KEPT_MAX)
		return fd;
	kept[kept_count] = (struct kept){ .fd = fd, .outcome = e->outcome };
	snprintf(kept[kept_count++].text, sizeof(kept->text), "%s", t->text);
	return -1;
}

/* 0: nothing was heard. */
static int heard(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) ? errno : err;
}

char *refused_settle(void)
{
	struct strbuf wrong = { 0 };
	bool waits = kept_count > 0;

	/* The error comes with the second SYN, to a socket that nobody is using just then. */
	if (waits)
		usleep(SECOND_MS * 1000);
	for (size_t i = 0; i < kept_count; i++) {
		int err = heard(kept[i].fd);

		if (!is_promised(kept[i].outcome, err))
			strbuf_printf(&wrong, "explain %s: outcome %d, and connect() says %s; ",
				      kept[i].text, (int)kept[i].outcome,
				      err ? strerror(err) : "nothing");
		close(kept[i].fd);
	}
	kept_count = 0;
	return wrong.len ? strbuf_take(&wrong) : NULL;
}
