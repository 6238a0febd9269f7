/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One policy takes the place of another and back, while packets are sent of which both say the same: of new connections, and
 * of some that are older. Each leaves as both say, or not at all where both refuse it.
 */
#include "tests/netns/random/random.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_STREAMS 12
#define DRAWS 60
#define PORTS 4096 /* of a stream: it gets back to the first one after a second or so, when the connection has ended, or not */
#define QUIET_MS 20 /* for what has left, but isn't seen yet */

/* Packets of one kind, told from the others by where they go. */
struct stream {
	struct trial trial;
	uint32_t sport; /* the first */
	uint32_t link; /* index; 0: refused */
	struct addr source;
	unsigned int sent, seen, astray, refused;
	char example[128]; /* of what went wrong */
};

struct streams {
	struct stream v[MAX_STREAMS];
	size_t count;
};

/* ---- which packets ---- */

static bool is_alike(const struct explanation *a, const struct explanation *b)
{
	return a->link == b->link ||
	       (a->link && b->link && a->link->index == b->link->index &&
		addr_compare(&a->source, &b->source) == 0 && a->has_gateway == b->has_gateway &&
		(!a->has_gateway || addr_compare(&a->gateway, &b->gateway) == 0));
}

/* A balance may choose anew. Where a table has no way for it, a socket may get an address by a later policy. What is
 * rewritten although it has its address is so by what two hooks say, between which rules may change. */
static bool is_sure(const struct explanation *e, const struct flow *f)
{
	return !e->is_unforeseen && !e->note && (!e->link || !e->link->loopback) &&
	       (!e->policy || (e->policy->action != ACTION_BALANCE && e->policy->action != ACTION_TABLE)) &&
	       !(f->has_src && e->is_rewritten);
}

static bool is_told_apart(const struct streams *s, const struct flow *f)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct flow *other = &s->v[i].trial.flow;

		if (addr_compare(&f->dst, &other->dst) == 0 && f->dport == other->dport)
			return false;
	}
	return true;
}

/* Whether both plans say the same of a flow; where to. */
static bool agree(const struct plan *const plans[2], const struct flow *f, struct stream *ret)
{
	struct explanation e[2];
	bool alike;

	for (size_t i = 0; i < 2; i++)
		if (explain_flow(plans[i], f, &e[i]))
			abort();
	alike = is_sure(&e[0], f) && is_sure(&e[1], f) && is_alike(&e[0], &e[1]);
	ret->link = e[0].link ? e[0].link->index : 0;
	ret->source = e[0].source;
	explanation_done(&e[0]);
	explanation_done(&e[1]);
	return alike;
}

/* No range of ports that a policy names is as short as those of a stream. */
static void consider(struct streams *s, const struct trial *t, const struct plan *const plans[2])
{
	struct stream one = { .trial = *t, .sport = t->flow.sport }, last;
	struct flow f = t->flow;

	f.sport += PORTS - 1;
	if (s->count < MAX_STREAMS && f.protocol == IPPROTO_UDP && f.sport < 65536 && is_told_apart(s, &f) &&
	    agree(plans, &t->flow, &one) && agree(plans, &f, &last) && one.link == last.link)
		s->v[s->count++] = one;
}

/* ---- sending and seeing ---- */

static struct stream *stream_of(struct streams *s, const struct packet *p)
{
	for (size_t i = 0; i < s->count && p->protocol == IPPROTO_UDP; i++)
		if (addr_compare(&p->dst, &s->v[i].trial.flow.dst) == 0 && p->dport == s->v[i].trial.flow.dport)
			return &s->v[i];
	return NULL;
}

static void look(struct streams *s, int patience_ms)
{
	char text[ADDR_TEXT_SIZE];
	struct frame f;
	struct packet p;

	while (frame_next(&f, patience_ms)) {
		struct stream *one = frame_read(&f, &p) ? stream_of(s, &p) : NULL;

		if (!one)
			continue;
		one->seen++;
		if (one->link == f.link && addr_compare(&p.src, &one->source) == 0)
			continue;
		one->astray++;
		snprintf(one->example, sizeof(one->example), "by %u from %s, not by %u", f.link,
			 addr_print(&p.src, text), one->link);
	}
}

static void send_all(struct streams *s)
{
	struct addr local;

	for (size_t i = 0; i < s->count; i++) {
		struct stream *one = &s->v[i];
		int fd = -1;

		one->trial.flow.sport = one->sport + one->sent++ % PORTS;
		if (one->trial.flow.forwarded) {
			trial_inject(&one->trial);
		} else if ((fd = trial_send(&one->trial, &local)) < 0) {
			one->refused++;
			snprintf(one->example, sizeof(one->example), "%s", strerror(errno));
		}
		if (fd >= 0)
			close(fd);
		look(s, 0);
	}
}

static void judge(const struct streams *s, struct strbuf *wrong)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct stream *one = &s->v[i];

		if (one->astray || (one->link && (one->refused || one->seen != one->sent)))
			strbuf_printf(wrong, "\n%s: %u sent, %u left, %u astray, %u refused, as: %s",
				      one->trial.text, one->sent, one->seen, one->astray, one->refused,
				      one->example);
	}
}

/* ---- edits ---- */

static pid_t start_edits(const char *const policies[2], int times)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	for (int i = 1; i <= 2 * times; i++) {
		policy_write(policies[i % 2]);
		if (run(NULL, "\"$IFSTEER\" -q -c /run/policy.conf apply"))
			_exit(1);
	}
	_exit(0);
}

/* False: an apply failed. */
static bool flood(struct streams *s, const char *const policies[2], int times)
{
	pid_t pid = start_edits(policies, times);
	int status;

	do
		send_all(s);
	while (waitpid(pid, &status, WNOHANG) == 0);
	look(s, QUIET_MS);
	return status == 0;
}

/* Neighbours are asked for. */
static void warm_up(struct streams *s)
{
	send_all(s);
	look(s, QUIET_MS);
	for (size_t i = 0; i < s->count; i++) {
		struct stream *one = &s->v[i];

		one->sent = one->seen = one->astray = one->refused = 0;
		one->sport++;
	}
}

static void set_timeout(int seconds)
{
	if (run(NULL, "sysctl -qw net.netfilter.nf_conntrack_udp_timeout=%d", seconds))
		abort();
}

unsigned int edited_run(const struct plan *const plans[2], const char *const policies[2], uint32_t minute, int times,
			char **ret)
{
	CLEANUP(strbuf_done) struct strbuf wrong = { 0 };
	struct streams s = { 0 };
	unsigned int sent = 0;
	struct trial t;

	for (int i = 0; i < DRAWS; i++) {
		trial_draw(&t, plans[0], minute);
		consider(&s, &t, plans);
	}
	set_timeout(1);
	warm_up(&s);
	if (s.count && !flood(&s, policies, times))
		strbuf_add(&wrong, "\nan apply failed");
	set_timeout(30);
	judge(&s, &wrong);
	for (size_t i = 0; i < s.count; i++)
		sent += s.v[i].sent;
	*ret = wrong.len ? strbuf_take(&wrong) : NULL;
	return sent;
}
