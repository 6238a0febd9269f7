/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Writing JSON: commas and indentation are kept here, so that a command only says what it knows.
 */
#pragma once

#include "base/strbuf.h"

struct json {
	struct strbuf *out;
	unsigned int depth;
	bool filled;			/* the innermost object or array has something in it */
};

/* In all of these `key` is NULL inside an array and for the outermost value. */
void json_open(struct json *j, const char *key, char bracket);	/* '{' or '[' */
void json_close(struct json *j, char bracket);			/* '}' or ']' */
void json_string(struct json *j, const char *key, const char *text);	/* NULL text: null */
void json_number(struct json *j, const char *key, uint64_t n);
void json_bool(struct json *j, const char *key, bool value);
