/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The sysctls of interfaces as they were found, kept until they are put back: one note each, "VALUE
 * NAME".
 */
#include "kernel/saved.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/vec.h"
#include "kernel/kernel.h"
#include "kernel/run-dir.h"

#define DIRECTORY "sysctls"

struct note_name {
	char text[40];
};

/* By index: a renamed interface is still the one whose value was found. */
static struct note_name name_of(uint32_t index, bool src_valid_mark)
{
	struct note_name n;

	snprintf(n.text, sizeof(n.text), "%u-%s", index,
		 src_valid_mark ? "src_valid_mark" : "rp_filter");
	return n;
}

int saved_sysctl_keep(const struct saved_sysctl *s)
{
	struct note_name name = name_of(s->index, s->src_valid_mark);
	char text[NOTE_SIZE];
	int dir = run_dir_open(DIRECTORY, true), err;

	if (dir < 0)
		return dir;
	snprintf(text, sizeof(text), "%u %s", s->value, s->name);
	err = note_add(dir, name.text, text);
	close(dir);
	return err == -EEXIST ? 0 : err < 0 ? err : 1;
}

void saved_sysctl_forget(uint32_t index, bool src_valid_mark)
{
	struct note_name name = name_of(index, src_valid_mark);
	int dir = run_dir_open(DIRECTORY, false);

	if (dir < 0)
		return;
	note_remove(dir, name.text);
	close(dir);
}

struct saved {
	struct saved_sysctl *v;
	size_t count;
};

static int parse_name(char *name, struct saved_sysctl *s)
{
	char *which = strchr(name, '-');

	if (!which)
		return -EINVAL;
	*which++ = '\0';
	s->src_valid_mark = !strcmp(which, "src_valid_mark");
	if (!s->src_valid_mark && strcmp(which, "rp_filter") != 0)
		return -EINVAL;
	return number_parse(name, UINT32_MAX, &s->index);
}

static int parse_text(char *text, struct saved_sysctl *s)
{
	char *rest = text;
	const char *value = note_word(&rest);
	uint32_t number;

	if (!value || !rest || strlen(rest) >= NAME_SIZE || number_parse(value, UINT8_MAX, &number))
		return -EINVAL;
	s->value = (uint8_t)number;
	strcpy(s->name, rest);
	return 0;
}

static int each_note(int dir, const char *name, void *ctx)
{
	struct saved *all = ctx;
	struct saved_sysctl s = { 0 }, *room;
	char text[NOTE_SIZE], copy[NOTE_SIZE];

	if (note_read(dir, name, text) ||
	    snprintf(copy, sizeof(copy), "%s", name) >= (int)sizeof(copy) || parse_name(copy, &s) ||
	    parse_text(text, &s))
		return 0;
	room = VEC_PUSH(all->v, all->count);
	if (!room)
		return -ENOMEM;
	*room = s;
	return 0;
}

static int compare_saved(const void *a, const void *b)
{
	const struct saved_sysctl *x = a, *y = b;

	return CMP(x->index, y->index) ?: CMP(x->src_valid_mark, y->src_valid_mark);
}

int saved_sysctls_read(struct saved_sysctl **ret, size_t *ret_count)
{
	struct saved all = { 0 };
	int dir = run_dir_open(DIRECTORY, false), err;

	if (dir < 0) {
		*ret = NULL;
		*ret_count = 0;
		return 0;
	}
	err = run_dir_list(dir, each_note, &all);
	close(dir);
	if (err == -ENOMEM) {
		free(all.v);
		return err;
	}
	if (all.count)
		qsort(all.v, all.count, sizeof(*all.v), compare_saved);
	*ret = all.v;
	*ret_count = all.count;
	return 0;
}
