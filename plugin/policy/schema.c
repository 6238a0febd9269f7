/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The walk through a policy file by the tables of keys. The only file that includes libconfig.
 */
#include <errno.h>
#include <libconfig.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "policy/gate.h"
#include "policy/reader.h"

/* What of a line is shown when libconfig gives it up. */
#define SHOWN_MAX 60

static enum value_kind kind_of(const config_setting_t *s)
{
	switch (config_setting_type(s)) {
	case CONFIG_TYPE_STRING: return VALUE_TEXT;
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64: return VALUE_NUMBER;
	case CONFIG_TYPE_BOOL: return VALUE_BOOL;
	case CONFIG_TYPE_FLOAT: return VALUE_FLOAT;
	case CONFIG_TYPE_ARRAY: return VALUE_ARRAY;
	case CONFIG_TYPE_LIST: return VALUE_LIST;
	default: return VALUE_GROUP;
	}
}

/* The true line of a setting: see lines_put. */
static unsigned int line_of(const config_setting_t *s)
{
	const unsigned int *line = config_setting_get_hook(s);

	return line ? *line : config_setting_source_line(s);
}

/* libconfig gives a text in an array the line of the token behind it, often the next line. The gate
 * has counted the texts: hang its lines on the settings, in the order of the file. */
static void lines_put(config_setting_t *s, const struct gate *g, size_t *next)
{
	if (kind_of(s) == VALUE_TEXT && *next < g->text_count)
		config_setting_set_hook(s, &g->text_lines[(*next)++]);
	/* The gate bounds the depth. */
	for (int i = 0; config_setting_is_aggregate(s) && i < config_setting_length(s); i++)
		lines_put(config_setting_get_elem(s, i), g, next);
}

static struct value value_of(const config_setting_t *s)
{
	struct value v = { .kind = kind_of(s), .line = line_of(s) };

	if (v.kind == VALUE_TEXT)
		v.text = config_setting_get_string(s);
	else if (v.kind == VALUE_NUMBER)
		v.number = config_setting_get_int64(s);
	else if (v.kind == VALUE_BOOL)
		v.number = config_setting_get_bool(s);
	return v;
}

static bool key_takes(const struct key *k, enum value_kind kind)
{
	switch (kind) {
	case VALUE_TEXT: return k->flags & KEY_TEXT;
	case VALUE_NUMBER: return k->flags & KEY_NUMBER;
	case VALUE_BOOL: return k->flags & KEY_BOOL;
	case VALUE_ARRAY:
	case VALUE_LIST: return k->flags & KEY_SEVERAL;
	case VALUE_FLOAT:
	case VALUE_GROUP: return false;
	}
	return false;
}

static int read_scalar(struct reader *r, const struct key *k, const config_setting_t *s, bool alone,
		       void *object)
{
	struct value v = value_of(s);

	if (v.kind == VALUE_ARRAY || v.kind == VALUE_LIST || !key_takes(k, v.kind))
		return reader_mismatch(r, &v);
	if (v.kind == VALUE_TEXT && (k->flags & KEY_NEGATABLE) && *v.text == '!') {
		v.negated = true;
		v.text++;
	}
	if (v.kind == VALUE_TEXT && !*v.text)
		return reader_mismatch(r, &v);
	v.alone = alone;
	return k->read(r, &v, object);
}

static int read_scalars(struct reader *r, const struct key *k, const config_setting_t *s,
			void *object)
{
	struct value v = value_of(s);
	int n = config_setting_length(s), err = 0;

	if (!key_takes(k, v.kind))
		return reader_mismatch(r, &v);
	if (n == 0 && !(k->flags & KEY_MAY_BE_EMPTY))
		return reader_empty(r, &v);
	for (int i = 0; i < n && err != -ENOMEM; i++)
		err = read_scalar(r, k, config_setting_get_elem(s, i), n == 1, object);
	return err;
}

static int read_group_of(struct reader *r, const struct schema *schema, config_setting_t *s,
			 void *outer);

static int read_groups(struct reader *r, const struct key *k, const config_setting_t *s,
		       void *object)
{
	struct value v = value_of(s);
	int n = config_setting_length(s), err = 0;

	if (v.kind != VALUE_LIST)
		return reader_mismatch(r, &v);
	if (n == 0 && !(k->flags & KEY_MAY_BE_EMPTY))
		return reader_empty(r, &v);
	for (int i = 0; i < n && err != -ENOMEM; i++) {
		config_setting_t *e = config_setting_get_elem(s, i);

		v = value_of(e);
		err = v.kind == VALUE_GROUP ? read_group_of(r, k->schema, e, object)
					    : reader_expected(r, &v, "a group { ... }");
	}
	return err;
}

static int read_key(struct reader *r, const struct key *k, config_setting_t *s, void *object)
{
	if (k->flags & KEY_GROUPS)
		return read_groups(r, k, s, object);
	if (k->flags & KEY_GROUP) {
		struct value v = value_of(s);

		return v.kind == VALUE_GROUP ? read_group_of(r, k->schema, s, object)
					     : reader_mismatch(r, &v);
	}
	if (kind_of(s) == VALUE_ARRAY || kind_of(s) == VALUE_LIST)
		return read_scalars(r, k, s, object);
	return read_scalar(r, k, s, true, object);
}

/* What was probably meant counts as given, so that one slip is one message. */
static void unknown_key(struct reader *r, const struct schema *schema, const config_setting_t *s)
{
	CLEANUP(strbuf_done) struct strbuf hint = { 0 };
	const char *names[KEYS_MAX], *meant;
	unsigned int line = config_setting_source_line(s);

	for (size_t k = 0; k < schema->key_count; k++)
		names[k] = schema->keys[k].name;
	strbuf_add(&hint, "");
	meant = suggest(&hint, r->diag, config_setting_name(s), names, schema->key_count);
	for (size_t k = 0; k < schema->key_count; k++)
		if (names[k] == meant && !r->scope->lines.line[k])
			r->scope->lines.line[k] = line;
	reader_error(r, line, "unknown key \"%.60s\"%s", config_setting_name(s),
		     hint.failed ? "" : hint.text);
}

/* The settings of a group by their place in the schema. */
static void find_keys(struct reader *r, const struct schema *schema, config_setting_t *s,
		      config_setting_t *ret[static KEYS_MAX])
{
	for (int i = 0; i < config_setting_length(s); i++) {
		config_setting_t *e = config_setting_get_elem(s, i);
		size_t k = 0;

		while (k < schema->key_count &&
		       strcmp(schema->keys[k].name, config_setting_name(e)) != 0)
			k++;
		if (k == schema->key_count) {
			unknown_key(r, schema, e);
			continue;
		}
		ret[k] = e;
		r->scope->lines.line[k] = config_setting_source_line(e);
	}
}

static const char *name_in(const config_setting_t *s)
{
	const config_setting_t *name = config_setting_get_member(s, "name");

	return name && kind_of(name) == VALUE_TEXT ? config_setting_get_string(name) : NULL;
}

static int read_group_of(struct reader *r, const struct schema *schema, config_setting_t *s,
			 void *outer)
{
	config_setting_t *found[KEYS_MAX] = { 0 };
	struct scope scope = {
		.outer = r->scope,
		.schema = schema,
		.name = name_in(s),
		.line = config_setting_source_line(s),
	};
	int err = 0;

	r->scope = &scope;
	scope.object = schema->begin(r, outer);
	if (!scope.object)
		err = -ENOMEM;
	else
		find_keys(r, schema, s, found);
	for (size_t k = 0; k < schema->key_count && err != -ENOMEM; k++) {
		scope.key = &schema->keys[k];
		if (found[k]) {
			err = read_key(r, scope.key, found[k], scope.object);
		} else if ((scope.key->flags & KEY_REQUIRED) && !scope.lines.line[k]) {
			scope.key = NULL;
			reader_error(r, scope.line, "the required key \"%s\" is missing",
				     schema->keys[k].name);
		}
	}
	scope.key = NULL;
	if (err != -ENOMEM && schema->end)
		err = schema->end(r, scope.object);
	r->scope = scope.outer;
	return err == -ENOMEM ? err : 0;
}

/* The text of a line, without what is around it. */
static size_t line_text(const char *text, size_t len, int number, const char **ret)
{
	const char *end = text + len, *stop;

	for (int i = 1; i < number && text < end; i++) {
		const char *newline = memchr(text, '\n', end - text);

		text = newline ? newline + 1 : end;
	}
	stop = memchr(text, '\n', end - text);
	if (!stop)
		stop = end;
	while (text < stop && (*text == ' ' || *text == '\t'))
		text++;
	while (stop > text && (stop[-1] == ' ' || stop[-1] == '\t' || stop[-1] == '\r'))
		stop--;
	*ret = text;
	return stop - text;
}

static int refuse(const struct reader *r, const config_t *c, const char *text, size_t len)
{
	int line = config_error_line(c);
	const char *why = config_error_text(c), *shown;
	struct where at = { r->file, line };
	size_t n = line_text(text, len, line, &shown);

	if (n > SHOWN_MAX)
		n = SHOWN_MAX;
	if (why && strstr(why, "duplicate"))
		return diag_error(r->diag, at, "a key stands twice in one group: %.*s", (int)n,
				  shown);
	if (why && strstr(why, "mismatch"))
		return diag_error(r->diag, at,
				  "texts and numbers can't share an array [ ]: put all in quotes, "
				  "or write a list ( )");
	if (n == 0)
		return diag_error(r->diag, at,
				  "syntax error before this line: expected key = value;");
	return diag_error(r->diag, at, "syntax error at or before: %.*s: expected key = value;",
			  (int)n, shown);
}

/* Without a newline at its end libconfig takes a comment in the last line for garbage. */
static char *with_newline(const char *text, size_t len)
{
	char *copy = malloc(len + 2);

	if (copy) {
		memcpy(copy, text, len);
		memcpy(copy + len, "\n", 2);
	}
	return copy;
}

int schema_read(struct reader *r, const struct schema *top, const char *text, size_t len,
		const struct gate *gate)
{
	char *copy = with_newline(text, len);
	size_t first = 0;
	config_t c;
	int err;

	if (!copy)
		return -ENOMEM;
	config_init(&c);
	if (config_read_string(&c, copy)) {
		lines_put(config_root_setting(&c), gate, &first);
		err = read_group_of(r, top, config_root_setting(&c), r->config);
	} else {
		err = refuse(r, &c, text, len);
	}
	config_destroy(&c);
	free(copy);
	return err;
}
