/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Text that grows, and the two ways to print bytes that somebody else chose: for a terminal and as
 * JSON.
 */
#include "base/strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for n more bytes and a NUL. */
static bool strbuf_room(struct strbuf *b, size_t n)
{
	size_t size = b->size ? b->size : 64;
	char *text;

	if (b->failed)
		return false;
	if (b->text && n < b->size - b->len)
		return true;
	while (size - b->len <= n) {
		if (size > SIZE_MAX / 2) {
			b->failed = true;
			return false;
		}
		size *= 2;
	}
	text = realloc(b->text, size);
	if (!text) {
		b->failed = true;
		return false;
	}
	b->text = text;
	b->size = size;
	return true;
}

char *strbuf_extend(struct strbuf *b, size_t n)
{
	char *room;

	if (!strbuf_room(b, n))
		return NULL;
	room = b->text + b->len;
	b->len += n;
	b->text[b->len] = '\0';
	return room;
}

void strbuf_add_bytes(struct strbuf *b, const char *bytes, size_t n)
{
	char *room = strbuf_extend(b, n);

	if (room && n)
		memcpy(room, bytes, n);
}

void strbuf_add(struct strbuf *b, const char *text)
{
	strbuf_add_bytes(b, text, strlen(text));
}

void strbuf_vprintf(struct strbuf *b, const char *fmt, va_list args)
{
	size_t room = b->text && !b->failed ? b->size - b->len : 0;
	va_list again;
	int n;

	va_copy(again, args);
	/* Mostly there is room, and it need not be printed twice. */
	n = vsnprintf(room ? b->text + b->len : NULL, room, fmt, args);
	if (n < 0)
		b->failed = true;
	else if ((size_t)n < room)
		b->len += (size_t)n;
	else if (strbuf_room(b, (size_t)n))
		b->len += (size_t)vsnprintf(b->text + b->len, (size_t)n + 1, fmt, again);
	va_end(again);
}

void strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	strbuf_vprintf(b, fmt, args);
	va_end(args);
}

/* How many bytes the well-formed UTF-8 character at `s` has: 1 to 4; 0 when it isn't one. Neither
 * overlong forms nor surrogates are. */
static size_t utf8_length(const unsigned char *s, uint32_t *ret_code)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t code;
	size_t n;

	if (s[0] < 0x80) {
		*ret_code = s[0];
		return 1;
	}
	n = (s[0] & 0xe0) == 0xc0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : (s[0] & 0xf8) == 0xf0 ? 4 : 0;
	if (n == 0)
		return 0;
	code = s[0] & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < smallest[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return n;
}

void strbuf_add_visible(struct strbuf *b, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	while (*s) {
		uint32_t code = 0;
		size_t n = utf8_length(s, &code);

		if (n == 0 || code < 0x20 || (code >= 0x7f && code <= 0x9f)) {
			/* A C1 control in UTF-8 has two bytes; both are shown. */
			for (size_t i = 0; i < (n ? n : 1); i++)
				strbuf_printf(b, "\\x%02x", s[i]);
		} else {
			strbuf_add_bytes(b, (const char *)s, n);
		}
		s += n ? n : 1;
	}
}

void strbuf_add_json(struct strbuf *b, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	strbuf_add(b, "\"");
	while (*s) {
		uint32_t code = 0;
		size_t n = utf8_length(s, &code);

		if (n == 0)
			strbuf_add(b, "\xef\xbf\xbd");
		else if (code == '"' || code == '\\')
			strbuf_printf(b, "\\%c", (int)code);
		else if (code < 0x20 || code == 0x7f)
			strbuf_printf(b, "\\u%04x", (unsigned int)code);
		else
			strbuf_add_bytes(b, (const char *)s, n);
		s += n ? n : 1;
	}
	strbuf_add(b, "\"");
}

char *strbuf_take(struct strbuf *b)
{
	char *text = NULL;

	strbuf_add(b, "");
	if (!b->failed)
		text = TAKE_PTR(b->text);
	strbuf_done(b);
	return text;
}

void strbuf_done(struct strbuf *b)
{
	free(b->text);
	*b = (struct strbuf){ 0 };
}
