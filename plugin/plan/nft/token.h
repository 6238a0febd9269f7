/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * nft's text as tokens, and the values that one token can be. Slices of the text: nothing is copied.
 */
#pragma once

#include "base/prefix.h"

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_QUOTED, TOKEN_MARK };

struct token {
	enum token_kind kind;
	const char *at;			/* of a quoted one: behind the quote */
	size_t len;			/* without quotes */
};

/* Values that have names. nft prints the name where it knows one, and new versions know more. */
enum name_space { NAMES_NONE, NAMES_PROTOCOL, NAMES_DSCP, NAMES_PRIORITY };

/* The token that begins behind white space at `p`; TOKEN_END at the end. */
struct token token_read(const char *p);
/* Where to go on reading behind it. */
const char *token_end(const struct token *t);
/* Whether it is this word or mark, and not in quotes. */
bool token_is(const struct token *t, const char *text);
bool token_number(const struct token *t, uint32_t *ret);
bool token_named(const struct token *t, enum name_space space, int *ret);
/* "0xfe000000/8": how 1.0.6 prints `& 0xff000000 == 0xfe000000`. */
bool token_masked(const struct token *t, uint32_t *ret_value, uint32_t *ret_mask);
/* An address, prefix or range. */
bool token_range(const struct token *t, struct addr_range *ret);

/* The elements of a set in braces, each in canonical form and at least one; puts them into order. */
struct strbuf;
void elements_print(char **v, size_t count, struct strbuf *out);
/* Of texts, for qsort. */
int compare_words(const void *a, const void *b);
