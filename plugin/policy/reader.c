/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What all parsers of values share: messages that say where, whose, which key, what was found and
 * what was expected; numbers, words and interface names.
 */
#include "policy/reader.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"

/* What of a text is shown in a message. */
#define SHOWN_MAX 80
/* Suggestions are for people. A file of a million errors or names gets none. */
#define SUGGEST_ERRORS_MAX 200
#define SUGGEST_CANDIDATES_MAX 1000

static void add_quoted(struct strbuf *out, const char *before, const char *text)
{
	size_t n = strnlen(text, SHOWN_MAX + 1);

	if (n > SHOWN_MAX)
		strbuf_printf(out, "\"%s%.*s...\"", before, SHOWN_MAX, text);
	else
		strbuf_printf(out, "\"%s%s\"", before, text);
}

void object_label(struct strbuf *out, const char *what, const char *name)
{
	if (!name) {
		strbuf_printf(out, "%s without a name", what);
		return;
	}
	strbuf_printf(out, "%s ", what);
	add_quoted(out, "", name);
}

/* The groups and keys from the outside in: `policy "both": balance: weight: `. */
static void add_scopes(struct strbuf *out, const struct scope *s, bool is_innermost)
{
	if (!s)
		return;
	add_scopes(out, s->outer, false);
	if (s->schema->what) {
		bool named = strcmp(s->schema->keys[0].name, "name") == 0;

		if (named)
			object_label(out, s->schema->what, s->name);
		else
			strbuf_add(out, s->schema->what);
		strbuf_add(out, ": ");
	}
	/* A key whose groups say what they are needs no mention ahead of them. */
	if (s->key && (is_innermost || !s->key->schema->what))
		strbuf_printf(out, "%s: ", s->key->name);
}

PRINTF_LIKE(4, 0)
static int vreport(const struct reader *r, unsigned int line, const struct value *v,
		   const char *fmt, va_list args)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	struct where at = { r->file, line };

	add_scopes(&text, r->scope, true);
	if (v && v->kind == VALUE_TEXT) {
		add_quoted(&text, v->negated ? "!" : "", v->text);
		strbuf_add(&text, " ");
	} else if (v && v->kind == VALUE_NUMBER) {
		strbuf_printf(&text, "%" PRId64 " ", v->number);
	} else if (v && v->kind == VALUE_BOOL) {
		strbuf_add(&text, v->number ? "true " : "false ");
	}
	strbuf_vprintf(&text, fmt, args);
	return diag_error(r->diag, at, "%s", text.failed ? "out of memory" : text.text);
}

int reader_error(const struct reader *r, unsigned int line, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vreport(r, line, NULL, fmt, args);
	va_end(args);
	return -EINVAL;
}

int reader_bad(const struct reader *r, const struct value *v, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vreport(r, v->line, v, fmt, args);
	va_end(args);
	return -EINVAL;
}

static void expected(struct strbuf *out, const struct key *k)
{
	if (k->expects) {
		strbuf_add(out, k->expects);
		return;
	}
	for (const struct word *w = k->words; w->text; w++)
		strbuf_printf(out, "%s\"%s\"",
			      w == k->words ? ""
			      : w[1].text   ? ", "
					    : " or ",
			      w->text);
}

int reader_expected(const struct reader *r, const struct value *v, const char *want)
{
	static const char *const words[] = {
		[VALUE_FLOAT] = "a number with a fraction",
		[VALUE_ARRAY] = "an array",
		[VALUE_LIST] = "a list",
		[VALUE_GROUP] = "a group",
	};

	if (v->kind != VALUE_TEXT && v->kind != VALUE_NUMBER && v->kind != VALUE_BOOL)
		return reader_error(r, v->line, "found %s, expected %s", words[v->kind], want);
	if (v->kind == VALUE_TEXT && !*v->text)
		return reader_error(r, v->line, "found the text \"%s\", expected %s",
				    v->negated ? "!" : "", want);
	return reader_bad(r, v, "is not %s", want);
}

int reader_mismatch(const struct reader *r, const struct value *v)
{
	CLEANUP(strbuf_done) struct strbuf want = { 0 };
	const char *candidates[KEYS_MAX];
	size_t n = 0;

	expected(&want, r->scope->key);
	for (const struct word *w = r->scope->key->words;
	     w && w->text && n < ARRAY_SIZE(candidates); w++)
		candidates[n++] = w->text;
	if (v->kind == VALUE_TEXT && *v->text)
		suggest(&want, r->diag, v->text, candidates, n);
	return want.failed ? -ENOMEM : reader_expected(r, v, want.text);
}

int reader_empty(const struct reader *r, const struct value *v)
{
	CLEANUP(strbuf_done) struct strbuf want = { 0 };

	expected(&want, r->scope->key);
	return want.failed ? -ENOMEM : reader_error(r, v->line, "is empty, expected %s", want.text);
}

const char *suggest(struct strbuf *out, const struct diag *d, const char *word,
		    const char *const *candidates, size_t n)
{
	const char *nearest = NULL;

	if (n <= SUGGEST_CANDIDATES_MAX && d->errors <= SUGGEST_ERRORS_MAX)
		nearest = diag_nearest(word, candidates, n);
	if (nearest)
		strbuf_printf(out, "; did you mean \"%s\"?", nearest);
	return nearest;
}

int reader_use(struct reader *r, int key, unsigned int line, size_t ref, const char *name)
{
	char *copy = name ? strdup(name) : NULL;
	struct use *u = name && !copy ? NULL : VEC_PUSH(r->uses, r->use_count);

	if (!u) {
		free(copy);
		return -ENOMEM;
	}
	*u = (struct use){
		.key = key,
		.line = line,
		.policy = r->config->policy_count - 1,
		.ref = ref,
		.name = copy,
	};
	return 0;
}

int read_bool(struct reader *r, const struct value *v, void *object)
{
	*(bool *)((char *)object + r->scope->key->offset) = v->number;
	return 0;
}

int read_word(struct reader *r, const struct value *v, void *object)
{
	for (const struct word *w = r->scope->key->words; w->text; w++) {
		if (strcmp(w->text, v->text) == 0) {
			/* Every enum of ours has the size of int. */
			memcpy((char *)object + r->scope->key->offset, &w->value, sizeof(w->value));
			return 0;
		}
	}
	return reader_mismatch(r, v);
}

static int out_of_range(const struct reader *r, const struct value *v, uint32_t min, uint32_t max)
{
	return reader_bad(r, v, "is out of range, expected %" PRIu32 " to %" PRIu32, min, max);
}

int value_number(struct reader *r, const struct value *v, uint32_t min, uint32_t max, uint32_t *ret)
{
	uint32_t n;
	int err = 0;

	if (v->kind == VALUE_TEXT)
		err = number_parse(v->text, max, &n);
	else if (v->number < 0 || v->number > max)
		err = -ERANGE;
	else
		n = v->number;
	if (err == -EINVAL)
		return reader_mismatch(r, v);
	if (err < 0 || n < min)
		return out_of_range(r, v, min, max);
	*ret = n;
	return 0;
}

int value_range(struct reader *r, const struct value *v, uint32_t max, struct number_range *ret)
{
	int err;

	if (v->kind == VALUE_NUMBER) {
		err = value_number(r, v, 0, max, &ret->from);
		if (err == 0)
			ret->to = ret->from;
		return err;
	}
	err = number_range_parse(v->text, max, ret);
	switch (err) {
	case -ERANGE: return out_of_range(r, v, 0, max);
	case -EDOM: return reader_bad(r, v, "is a range that runs downwards");
	case -EINVAL: return -ENOENT;
	default: return err;
	}
}

int value_interface(struct reader *r, const struct value *v, char ret[static NAME_SIZE])
{
	size_t n = strnlen(v->text, NAME_SIZE);

	/* What the kernel refuses in dev_valid_name(). */
	if (n == NAME_SIZE)
		return reader_bad(
			r, v, "is too long for an interface's name, which has at most 15 bytes");
	if (strcmp(v->text, ".") == 0 || strcmp(v->text, "..") == 0)
		return reader_bad(r, v, "can't be an interface's name");
	for (const char *p = v->text; *p; p++)
		if (*p == '/' || *p == ':' || isspace((unsigned char)*p))
			return reader_bad(r, v,
					  "can't be an interface's name: no \"/\", \":\" or white "
					  "space stands in one");
	memset(ret, 0, NAME_SIZE);
	memcpy(ret, v->text, n);
	return 0;
}
