/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Diagnostics: the list of what is wrong, in the words and the form of a compiler.
 * It is the only way errors leave the pure rooms; only commands print it.
 */
#pragma once

#include "base/base.h"

/* A place in a file of the administrator's. `file` is borrowed and outlives the place;
 * NULL means no place at all. Line 0: the file as a whole. */
struct where {
	const char *file;
	unsigned int line;
};

enum severity { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_NOTE };

struct diag_item {
	enum severity severity;
	char *text;		/* "FILE:LINE: error: …" complete, without newline; without a place
				 * "ifsteer: error: …" */
	size_t file;		/* index into diag.files */
	unsigned int line;
	size_t order;		/* of arrival */
};

/* How many problems a file has, those that were only counted included. */
struct diag_file {
	char *name;		/* owned, since messages outlive the policy; "": no place */
	size_t problems;
};

struct diag {
	struct diag_item *items;
	size_t count;
	size_t errors;		/* how many were errors, those not kept included */
	struct diag_file *files;	/* in the order of their first problem */
	size_t file_count;
};

/* Adds one message. Control bytes in it become \xNN. Returns -EINVAL always for an error, so that a
 * caller may write `return diag_error(…)`; when memory fails, it is counted but not kept.
 * After 100 problems in one file the rest of that file is counted; diag_finish says how many. */
int diag_error(struct diag *d, struct where at, const char *fmt, ...) PRINTF_LIKE(3, 4);
void diag_warning(struct diag *d, struct where at, const char *fmt, ...) PRINTF_LIKE(3, 4);
void diag_note(struct diag *d, struct where at, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Appends one line for each file whose problems were only counted, and puts each file's problems
 * into the order of its lines. Call once, before printing. */
void diag_finish(struct diag *d);
void diag_done(struct diag *d);

/* The nearest of `n` candidates by edit distance, if it is near enough to be a slip of the
 * keyboard, else NULL. */
const char *diag_nearest(const char *word, const char *const *candidates, size_t n);
