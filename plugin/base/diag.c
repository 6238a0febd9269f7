/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The list of what is wrong: bounded for each file, in the order of its lines, ready to be printed.
 */
#include "base/diag.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"

/* More than anybody reads; a file of 64 MiB can hold millions. */
#define KEPT_PER_FILE 100
#define WORD_MAX 64

static const char *severity_word(enum severity s)
{
	switch (s) {
	case SEVERITY_ERROR: return "error";
	case SEVERITY_WARNING: return "warning";
	case SEVERITY_NOTE: return "note";
	}
	return NULL;
}

/* The entry that counts the problems of `file`, made when there is none; NULL: out of memory. */
static struct diag_file *file_entry(struct diag *d, const char *file)
{
	struct diag_file *f;

	if (!file)
		file = "";
	/* Problems come file by file: the last one is nearly always meant. */
	for (size_t i = d->file_count; i > 0; i--)
		if (strcmp(d->files[i - 1].name, file) == 0)
			return &d->files[i - 1];
	f = VEC_PUSH(d->files, d->file_count);
	if (!f)
		return NULL;
	f->name = strdup(file);
	if (!f->name) {
		d->file_count--;
		return NULL;
	}
	return f;
}

static struct diag_item *keep(struct diag *d, enum severity severity, const struct diag_file *f,
			      unsigned int line, const char *message)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	struct diag_item *item;

	strbuf_add_visible(&text, *f->name ? f->name : "ifsteer");
	if (line)
		strbuf_printf(&text, ":%u", line);
	strbuf_printf(&text, ": %s: ", severity_word(severity));
	strbuf_add_visible(&text, message);
	if (text.failed)
		return NULL;
	item = VEC_PUSH(d->items, d->count);
	if (!item)
		return NULL;
	*item = (struct diag_item){
		.severity = severity,
		.text = strbuf_take(&text),
		.file = f - d->files,
		.line = line,
		.order = d->count,
	};
	return item;
}

PRINTF_LIKE(4, 0)
static void diag_add(struct diag *d, enum severity severity, struct where at, const char *fmt,
		     va_list args)
{
	CLEANUP(strbuf_done) struct strbuf message = { 0 };
	struct diag_file *f = file_entry(d, at.file);

	if (severity == SEVERITY_ERROR)
		d->errors++;
	if (!f)
		return;
	if (f->problems++ >= KEPT_PER_FILE)
		return;
	strbuf_vprintf(&message, fmt, args);
	if (!message.failed)
		keep(d, severity, f, at.file ? at.line : 0, message.text);
}

int diag_error(struct diag *d, struct where at, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	diag_add(d, SEVERITY_ERROR, at, fmt, args);
	va_end(args);
	return -EINVAL;
}

void diag_warning(struct diag *d, struct where at, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	diag_add(d, SEVERITY_WARNING, at, fmt, args);
	va_end(args);
}

void diag_note(struct diag *d, struct where at, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	diag_add(d, SEVERITY_NOTE, at, fmt, args);
	va_end(args);
}

static int item_order(const void *a, const void *b)
{
	const struct diag_item *x = a, *y = b;
	int c = CMP(x->file, y->file);

	if (c == 0)
		c = CMP(x->line, y->line);
	return c ? c : CMP(x->order, y->order);
}

void diag_finish(struct diag *d)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	for (size_t i = 0; i < d->file_count; i++) {
		struct diag_file *f = &d->files[i];
		size_t more = f->problems > KEPT_PER_FILE ? f->problems - KEPT_PER_FILE : 0;
		struct diag_item *last;

		if (!more)
			continue;
		strbuf_printf(&text, "%zu more %s not shown", more,
			      more == 1 ? "problem is" : "problems are");
		if (text.failed)
			return;
		/* The last line there can be puts it behind all others of its file. */
		last = keep(d, SEVERITY_NOTE, f, 0, text.text);
		if (last)
			last->line = UINT32_MAX;
		f->problems = KEPT_PER_FILE;
		strbuf_done(&text);
	}
	if (d->count)
		qsort(d->items, d->count, sizeof(*d->items), item_order);
}

void diag_done(struct diag *d)
{
	for (size_t i = 0; i < d->count; i++)
		free(d->items[i].text);
	for (size_t i = 0; i < d->file_count; i++)
		free(d->files[i].name);
	free(d->items);
	free(d->files);
	*d = (struct diag){ 0 };
}

/* Edit distance in which two neighbours that changed places are one slip, and case is none. */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
	size_t rows[3][WORD_MAX + 1], *before = rows[0], *last = rows[1], *now = rows[2];

	for (size_t j = 0; j <= m; j++)
		last[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *oldest = before;

		now[0] = i;
		for (size_t j = 1; j <= m; j++) {
			int x = tolower((unsigned char)a[i - 1]),
			    y = tolower((unsigned char)b[j - 1]);
			size_t best = last[j - 1] + (x != y);

			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
			    y == tolower((unsigned char)a[i - 2]) && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
		before = last;
		last = now;
		now = oldest;
	}
	return last[m];
}

const char *diag_nearest(const char *word, const char *const *candidates, size_t n)
{
	size_t len = strnlen(word, WORD_MAX + 1), best_distance = SIZE_MAX;
	const char *best = NULL;

	if (len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t other = strnlen(candidates[i], WORD_MAX + 1), d;
		size_t longer = other > len ? other : len;

		if (other > WORD_MAX)
			continue;
		d = distance(word, len, candidates[i], other);
		/* One slip in three letters or so; one or two letters resemble everything. */
		if (longer >= 3 && d <= (longer + 1) / 3 && d < best_distance) {
			best = candidates[i];
			best_distance = d;
		}
	}
	return best;
}
