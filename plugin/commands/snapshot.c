/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A policy as it was read, in one text file that a person can read as well: a line for each name,
 * then each file behind a line that says how long it is.
 */
#include "commands/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"

#define FIRST_LINE "ifsteer policy copy 1"

static const struct {
	char kind;
	const char *word;
} name_kinds[] = { { 'u', "user" }, { 'g', "group" }, { 's', "service" } };

void snapshot_done(struct snapshot *s)
{
	sources_done(&s->sources);
	fact_names_done(s->names, s->name_count);
	*s = (struct snapshot){ 0 };
}

int snapshot_print(const struct snapshot *s, struct strbuf *ret)
{
	strbuf_add(ret, FIRST_LINE "\n");
	for (size_t i = 0; i < s->name_count; i++)
		for (size_t k = 0; k < ARRAY_SIZE(name_kinds); k++)
			if (name_kinds[k].kind == s->names[i].kind)
				strbuf_printf(ret, "%s %u %s\n", name_kinds[k].word, s->names[i].id,
					      s->names[i].name);
	for (size_t i = 0; i < s->sources.count; i++) {
		const struct source *f = &s->sources.v[i];

		if (strchr(f->path, '\n'))
			return -EINVAL;
		strbuf_printf(ret, "%s %zu %s\n", i < s->sources.policy_count ? "policy" : "set",
			      f->len, f->path);
		strbuf_add_bytes(ret, f->text, f->len);
		strbuf_add(ret, "\n");
	}
	return ret->failed ? -ENOMEM : 0;
}

/* What is left of the text. */
struct reader {
	const char *at;
	const char *end;
};

/* One line "WORD NUMBER REST"; the strings are the caller's to free. -ENODATA at the end. */
static int read_line(struct reader *r, char **ret_word, uint32_t *ret_number, char **ret_rest)
{
	const char *end = r->at < r->end ? memchr(r->at, '\n', (size_t)(r->end - r->at)) : NULL;
	char *line, *number, *rest;
	int err;

	if (r->at == r->end)
		return -ENODATA;
	if (!end)
		return -EINVAL;
	line = strndup(r->at, (size_t)(end - r->at));
	if (!line)
		return -ENOMEM;
	number = strchr(line, ' ');
	rest = number ? strchr(number + 1, ' ') : NULL;
	err = -EINVAL;
	if (rest) {
		*number++ = '\0';
		*rest++ = '\0';
		err = number_parse(number, UINT32_MAX, ret_number) ? -EINVAL : 0;
	}
	rest = err ? NULL : strdup(rest);
	if (!rest) {
		free(line);
		return err ? err : -ENOMEM;
	}
	*ret_word = line;
	*ret_rest = rest;
	r->at = end + 1;
	return 0;
}

static int add_source(struct snapshot *s, struct reader *r, bool is_set, size_t len, char **path)
{
	struct source *f;
	char *text;

	if ((size_t)(r->end - r->at) <= len || r->at[len] != '\n')
		return -EINVAL;
	if (!is_set && s->sources.policy_count < s->sources.count)
		return -EINVAL;
	text = malloc(len + 1);
	f = text ? VEC_PUSH(s->sources.v, s->sources.count) : NULL;
	if (!f) {
		free(text);
		return -ENOMEM;
	}
	memcpy(text, r->at, len);
	text[len] = '\0';
	*f = (struct source){ .path = TAKE_PTR(*path), .text = text, .len = len };
	if (!is_set)
		s->sources.policy_count++;
	r->at += len + 1;
	return 0;
}

static int add_name(struct snapshot *s, const char *word, uint32_t id, char **name)
{
	struct fact_name *n;

	for (size_t k = 0; k < ARRAY_SIZE(name_kinds); k++) {
		if (strcmp(word, name_kinds[k].word) != 0)
			continue;
		n = VEC_PUSH(s->names, s->name_count);
		if (!n)
			return -ENOMEM;
		*n = (struct fact_name){ .kind = name_kinds[k].kind,
					 .name = TAKE_PTR(*name),
					 .id = id };
		return 0;
	}
	return -EINVAL;
}

int snapshot_parse(const char *text, size_t len, struct snapshot *ret)
{
	struct reader r = { text, text + len };
	CLEANUP(snapshot_done) struct snapshot s = { 0 };
	char *word, *rest;
	uint32_t number;
	int err;

	if (len < sizeof(FIRST_LINE) || memcmp(text, FIRST_LINE "\n", sizeof(FIRST_LINE)) != 0)
		return -EINVAL;
	r.at += sizeof(FIRST_LINE);
	while ((err = read_line(&r, &word, &number, &rest)) == 0) {
		bool is_set = !strcmp(word, "set");

		if (is_set || !strcmp(word, "policy"))
			err = add_source(&s, &r, is_set, number, &rest);
		else
			err = add_name(&s, word, number, &rest);
		free(word);
		free(rest);
		if (err)
			return err;
	}
	if (err != -ENODATA)
		return err;
	*ret = s;
	s = (struct snapshot){ 0 };
	return 0;
}

/* Whether `path` is what a set of the policy file `policy_path` means by `name`. */
static bool is_set_file(const char *path, const char *policy_path, const char *name)
{
	const char *slash = strrchr(policy_path, '/');
	size_t n = slash && name[0] != '/' ? (size_t)(slash - policy_path) + 1 : 0;

	return !strncmp(path, policy_path, n) && !strcmp(path + n, name);
}

static int read_set(void *ctx, const char *policy_path, const char *name, struct where at,
		    const struct source **ret, struct diag *d)
{
	const struct snapshot *s = ctx;

	for (size_t i = s->sources.policy_count; i < s->sources.count; i++) {
		*ret = &s->sources.v[i];
		if (is_set_file((*ret)->path, policy_path, name))
			return 0;
	}
	return diag_error(d, at, "file: the copy of this policy has no \"%s\"", name);
}

int snapshot_config(const struct snapshot *s, struct config *ret, struct diag *d)
{
	struct name_book book = { .known = s->names, .known_count = s->name_count };
	struct names names = name_book_names(&book);
	/* The pure room takes its context as void *; read_set only reads it. */
	struct snapshot *ctx = (struct snapshot *)(uintptr_t)s;
	int r = config_parse(s->sources.v, s->sources.policy_count, &names, read_set, ctx, ret, d);

	fact_names_done(book.used, book.used_count);
	return r;
}

bool snapshot_same_text(const struct snapshot *a, const struct snapshot *b)
{
	if (a->sources.count != b->sources.count ||
	    a->sources.policy_count != b->sources.policy_count)
		return false;
	for (size_t i = 0; i < a->sources.count; i++) {
		const struct source *x = &a->sources.v[i], *y = &b->sources.v[i];

		if (strcmp(x->path, y->path) != 0 || x->len != y->len ||
		    memcmp(x->text, y->text, x->len) != 0)
			return false;
	}
	return true;
}
