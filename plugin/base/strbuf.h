/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Text that grows. Memory that fails makes the buffer remember it: one check at the end will do.
 */
#pragma once

#include <stdarg.h>

#include "base/base.h"

struct strbuf {
	char *text;		/* NUL-terminated once anything was added, else NULL */
	size_t len;
	size_t size;
	bool failed;
};

/* Room for `n` more bytes, which are the caller's to fill in at once; NULL: no memory. */
char *strbuf_extend(struct strbuf *b, size_t n);
void strbuf_add(struct strbuf *b, const char *text);
void strbuf_add_bytes(struct strbuf *b, const char *bytes, size_t n);
void strbuf_printf(struct strbuf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void strbuf_vprintf(struct strbuf *b, const char *fmt, va_list args) PRINTF_LIKE(2, 0);
/* Text for a person's terminal: control bytes and what is not UTF-8 as \xNN. */
void strbuf_add_visible(struct strbuf *b, const char *text);
/* A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void strbuf_add_json(struct strbuf *b, const char *text);
/* The text, to be freed by the caller ("" for an empty buffer); NULL when memory failed. Empties the
 * buffer. */
MUST_CHECK char *strbuf_take(struct strbuf *b);
void strbuf_done(struct strbuf *b);
