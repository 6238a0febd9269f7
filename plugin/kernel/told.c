/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What managers and people told us. An event is a note in inbox/, written before anybody waits for
 * the lock; whoever holds the lock adds what waits there to what is known, a note for each
 * interface in told/. Until the run that took it up has come to its end the event stands in taken/,
 * so that a run that was killed is not the last to know of it.
 */
#include "kernel/told.h"

#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/vec.h"
#include "kernel/kernel.h"
#include "kernel/run-dir.h"

#define INBOX "inbox"
#define TAKEN "taken"
#define TOLD "told"

enum kind { KIND_UP, KIND_DOWN, KIND_OFFLINE, KIND_ONLINE };

static const char *const kind_words[] = {
	[KIND_UP] = "up", [KIND_DOWN] = "down", [KIND_OFFLINE] = "offline", [KIND_ONLINE] = "online"
};

struct event_note {
	char name[NAME_MAX + 1];	/* in inbox/: sorts by time */
	enum kind kind;
	struct told what;		/* without a name: it can't be read, and was not told */
};

struct known {
	struct told *v;
	size_t count;
};

struct inbox {
	struct event_note *v;
	size_t count;
};

/* ---- notes as text: "FLAGS INDEX GATEWAY4 GATEWAY6", events with their kind in front ---- */

static void print_gateway(const struct told *t, enum family f, char buf[static ADDR_TEXT_SIZE])
{
	if (t->has_gateway[f])
		addr_print(&t->gateway[f], buf);
	else
		strcpy(buf, "-");
}

static void print_told(const char *first, const struct told *t, const char *last,
		       char ret[static NOTE_SIZE])
{
	char gateway[FAMILY_COUNT][ADDR_TEXT_SIZE];

	for (int f = 0; f < FAMILY_COUNT; f++)
		print_gateway(t, (enum family)f, gateway[f]);
	snprintf(ret, NOTE_SIZE, "%s %u %s %s%s%s", first, t->index, gateway[FAMILY_IPV4],
		 gateway[FAMILY_IPV6], *last ? " " : "", last);
}

static int parse_gateway(const char *word, enum family f, struct told *t)
{
	if (!word)
		return -EINVAL;
	if (strcmp(word, "-") == 0)
		return 0;
	if (addr_parse(word, &t->gateway[f]) || t->gateway[f].family != f)
		return -EINVAL;
	t->has_gateway[f] = true;
	return 0;
}

/* What stands behind the first word; *rest is what is left. */
static int parse_told(char **rest, struct told *t)
{
	const char *index = note_word(rest);

	if (!index || number_parse(index, UINT32_MAX, &t->index) ||
	    parse_gateway(note_word(rest), FAMILY_IPV4, t))
		return -EINVAL;
	return parse_gateway(note_word(rest), FAMILY_IPV6, t);
}

static bool is_name(const char *name)
{
	return *name && strlen(name) < NAME_SIZE && !strchr(name, '/') && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

/* ---- events ---- */

static int write_event(enum kind kind, const struct told *what)
{
	struct told t = *what;
	char text[NOTE_SIZE], name[48];
	struct timespec now;
	int dir, err;

	if (!is_name(what->name))
		return -EINVAL;
	if (!t.index)
		t.index = if_nametoindex(what->name);
	dir = run_dir_open(INBOX, true);
	if (dir < 0)
		return dir;
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(name, sizeof(name), "%010lld.%09ld-%d", (long long)now.tv_sec, now.tv_nsec,
		 (int)getpid());
	print_told(kind_words[kind], &t, t.name, text);
	err = note_add(dir, name, text);
	close(dir);
	return err;
}

int told_write_event(const struct told *what, bool is_up)
{
	return write_event(is_up ? KIND_UP : KIND_DOWN, what);
}

int told_set_offline(const char *name, bool offline)
{
	struct told t = { 0 };

	if (!is_name(name))
		return -EINVAL;
	strcpy(t.name, name);
	return write_event(offline ? KIND_OFFLINE : KIND_ONLINE, &t);
}

static int parse_event(char *text, struct event_note *e)
{
	char *rest = text;
	const char *word = note_word(&rest);

	for (size_t k = 0; word && k < ARRAY_SIZE(kind_words); k++) {
		if (strcmp(word, kind_words[k]) != 0)
			continue;
		if (parse_told(&rest, &e->what) || !rest || !is_name(rest))
			return -EINVAL;
		strcpy(e->what.name, rest);
		e->kind = (enum kind)k;
		return 0;
	}
	return -EINVAL;
}

static int each_event(int dir, const char *name, void *ctx)
{
	struct inbox *in = ctx;
	struct event_note *e = VEC_PUSH(in->v, in->count);
	char text[NOTE_SIZE];

	if (!e)
		return -ENOMEM;
	snprintf(e->name, sizeof(e->name), "%s", name);
	if (note_read(dir, name, text) || parse_event(text, e))
		*e->what.name = '\0';
	return 0;
}

static int compare_events(const void *a, const void *b)
{
	const struct event_note *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Oldest first. */
static int read_inbox(int dir, struct inbox *ret)
{
	struct inbox in = { 0 };
	int err = run_dir_list(dir, each_event, &in);

	if (err == -ENOMEM) {
		free(in.v);
		return err;
	}
	if (in.count)
		qsort(in.v, in.count, sizeof(*in.v), compare_events);
	*ret = in;
	return 0;
}

/* ---- what is known ---- */

static int parse_known(char *text, struct told *t)
{
	char *rest = text;
	const char *flags = note_word(&rest);

	if (!flags || parse_told(&rest, t))
		return -EINVAL;
	t->down = strchr(flags, 'd');
	t->offline = strchr(flags, 'o');
	t->refused[FAMILY_IPV4] = strchr(flags, '4');
	t->refused[FAMILY_IPV6] = strchr(flags, '6');
	return 0;
}

static int each_known(int dir, const char *name, void *ctx)
{
	struct known *known = ctx;
	struct told t = { 0 }, *room;
	char text[NOTE_SIZE];

	if (!is_name(name) || note_read(dir, name, text) || parse_known(text, &t))
		return 0;
	strcpy(t.name, name);
	room = VEC_PUSH(known->v, known->count);
	if (!room)
		return -ENOMEM;
	*room = t;
	return 0;
}

static int read_known(struct known *ret)
{
	int dir = run_dir_open(TOLD, false), err;

	if (dir < 0)
		return 0;
	err = run_dir_list(dir, each_known, ret);
	close(dir);
	return err == -ENOMEM ? err : 0;
}

static int write_known(const struct told *t)
{
	char flags[8] = "", text[NOTE_SIZE];
	int scratch = told_directory(), dir, err;

	if (scratch < 0)
		return scratch;
	dir = run_dir_open(TOLD, true);
	if (dir < 0) {
		close(scratch);
		return dir;
	}
	strcat(flags, t->down ? "d" : "");
	strcat(flags, t->offline ? "o" : "");
	strcat(flags, t->refused[FAMILY_IPV4] ? "4" : "");
	strcat(flags, t->refused[FAMILY_IPV6] ? "6" : "");
	print_told(*flags ? flags : "-", t, "", text);
	err = note_replace(scratch, dir, t->name, text);
	close(dir);
	close(scratch);
	return err;
}

static int forget_known(const char *name)
{
	int dir = run_dir_open(TOLD, false);

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	note_remove(dir, name);
	close(dir);
	return 0;
}

static struct told *find_known(struct known *known, const char *name)
{
	struct told *room;

	for (size_t i = 0; i < known->count; i++)
		if (strcmp(known->v[i].name, name) == 0)
			return &known->v[i];
	room = VEC_PUSH(known->v, known->count);
	if (room)
		strcpy(room->name, name);
	return room;
}

static void forget_gateways(struct told *t)
{
	memset(t->has_gateway, 0, sizeof(t->has_gateway));
	memset(t->gateway, 0, sizeof(t->gateway));
}

void told_renew(struct told *t, uint32_t index)
{
	if (t->index == index)
		return;
	if (t->index) {
		memset(t->refused, 0, sizeof(t->refused));
		forget_gateways(t);
	}
	t->down = false;
	t->index = index;
}

/* What one event makes of what was known. */
static void note_event(struct told *t, const struct event_note *e)
{
	if (e->what.index)
		told_renew(t, e->what.index);
	switch (e->kind) {
	case KIND_UP:
		memcpy(t->has_gateway, e->what.has_gateway, sizeof(t->has_gateway));
		memcpy(t->gateway, e->what.gateway, sizeof(t->gateway));
		t->down = false;
		memset(t->refused, 0, sizeof(t->refused));
		break;
	case KIND_DOWN:
		t->down = true;
		forget_gateways(t);
		break;
	case KIND_OFFLINE:
		t->offline = true;
		break;
	case KIND_ONLINE:
		t->offline = false;
		t->down = false;
		memset(t->refused, 0, sizeof(t->refused));
		break;
	}
}

static int merge(const struct inbox *in, struct known *known)
{
	for (size_t i = 0; i < in->count; i++) {
		struct told *t;

		if (!*in->v[i].what.name)
			continue;
		t = find_known(known, in->v[i].what.name);
		if (!t)
			return -ENOMEM;
		note_event(t, &in->v[i]);
	}
	return 0;
}

int told_read(struct told **ret, size_t *ret_count)
{
	struct known known = { 0 };
	struct inbox in = { 0 };
	int dir = run_dir_open(INBOX, false), err = read_known(&known);

	/* An event that nobody has taken up yet is true already. */
	if (dir >= 0) {
		if (err == 0)
			err = read_inbox(dir, &in);
		close(dir);
	}
	if (err == 0)
		err = merge(&in, &known);
	free(in.v);
	if (err < 0) {
		free(known.v);
		return err;
	}
	*ret = known.v;
	*ret_count = known.count;
	return 0;
}

int told_set_refused(const char *name, enum family family, bool refused)
{
	struct known known = { 0 };
	int err = is_name(name) ? read_known(&known) : -EINVAL;
	struct told *t = err ? NULL : find_known(&known, name);

	if (t) {
		uint32_t index = if_nametoindex(name);

		if (index)
			told_renew(t, index);
		t->refused[family] = refused;
		err = write_known(t);
	}
	free(known.v);
	return err < 0 ? err : t ? 0 : -ENOMEM;
}

/* ---- taking up ---- */

static int each_counts(int dir, const char *name, void *ctx)
{
	(void)dir, (void)name;
	++*(size_t *)ctx;
	return 0;
}

static size_t count_notes(const char *below)
{
	int dir = run_dir_open(below, false);
	size_t count = 0;

	if (dir < 0)
		return 0;
	run_dir_list(dir, each_counts, &count);
	close(dir);
	return count;
}

bool told_pending(void)
{
	return count_notes(INBOX) || count_notes(TAKEN);
}

void told_settle(int64_t deadline_ms)
{
	static const struct timespec moment = { .tv_nsec = 5 * 1000000 };
	size_t before, count = count_notes(INBOX);

	do {
		before = count;
		nanosleep(&moment, NULL);
		count = count_notes(INBOX);
	} while (count != before && monotonic_ms() < deadline_ms);
}

static bool is_concerned(const struct inbox *in, const char *name)
{
	for (size_t i = 0; i < in->count; i++)
		if (strcmp(in->v[i].what.name, name) == 0)
			return true;
	return false;
}

/* "Down" says nothing any more about an interface that is gone: the next of its name has another
 * index. */
static bool is_past(const struct told *t)
{
	return t->down && !t->offline && !if_nametoindex(t->name);
}

/* Writes down what the events come to. They stay where they are when that fails: another run may
 * have more luck. */
static int take_events(const struct inbox *in, struct known *known, int inbox)
{
	int taken = run_dir_open(TAKEN, true), err = taken < 0 ? taken : merge(in, known);

	for (size_t i = 0; i < known->count && err == 0; i++)
		if (is_concerned(in, known->v[i].name))
			err = is_past(&known->v[i]) ? forget_known(known->v[i].name)
						    : write_known(&known->v[i]);
	for (size_t e = 0; e < in->count && err == 0; e++)
		if (renameat(inbox, in->v[e].name, taken, in->v[e].name))
			err = -errno;
	if (taken >= 0)
		close(taken);
	return err;
}

int told_take(void)
{
	struct known known = { 0 };
	struct inbox in = { 0 };
	int inbox = run_dir_open(INBOX, false), err;

	if (inbox < 0)
		return inbox == -ENOENT ? 0 : inbox;
	err = read_inbox(inbox, &in);
	if (err == 0 && in.count)
		err = read_known(&known);
	if (err == 0 && in.count)
		err = take_events(&in, &known, inbox);
	free(in.v);
	free(known.v);
	close(inbox);
	return err;
}

static int each_remove(int dir, const char *name, void *ctx)
{
	(void)ctx;
	note_remove(dir, name);
	return 0;
}

void told_taken(void)
{
	int dir = run_dir_open(TAKEN, false);

	if (dir < 0)
		return;
	run_dir_list(dir, each_remove, NULL);	/* what is left is taken up once more */
	close(dir);
}

int told_directory(void)
{
	return run_dir_open(NULL, true);
}
