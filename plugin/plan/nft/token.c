/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * nft's text as tokens, and the values that one token can be.
 */
#include "plan/nft/token.h"

#include <string.h>

#include "base/number.h"

static const struct {
	enum name_space space;
	const char *name;
	int value;
} value_names[] = {
	{ NAMES_PROTOCOL, "icmp", 1 },	{ NAMES_PROTOCOL, "tcp", 6 },	     { NAMES_PROTOCOL, "udp", 17 },
	{ NAMES_PROTOCOL, "dccp", 33 }, { NAMES_PROTOCOL, "gre", 47 },	     { NAMES_PROTOCOL, "esp", 50 },
	{ NAMES_PROTOCOL, "ah", 51 },	{ NAMES_PROTOCOL, "ipv6-icmp", 58 }, { NAMES_PROTOCOL, "icmpv6", 58 },
	{ NAMES_PROTOCOL, "comp", 108 }, { NAMES_PROTOCOL, "sctp", 132 },    { NAMES_PROTOCOL, "udplite", 136 },
	{ NAMES_DSCP, "cs0", 0 },	{ NAMES_DSCP, "df", 0 },	     { NAMES_DSCP, "be", 0 },
	{ NAMES_DSCP, "lephb", 1 },	{ NAMES_DSCP, "cs1", 8 },	     { NAMES_DSCP, "af11", 10 },
	{ NAMES_DSCP, "af12", 12 },	{ NAMES_DSCP, "af13", 14 },	     { NAMES_DSCP, "cs2", 16 },
	{ NAMES_DSCP, "af21", 18 },	{ NAMES_DSCP, "af22", 20 },	     { NAMES_DSCP, "af23", 22 },
	{ NAMES_DSCP, "cs3", 24 },	{ NAMES_DSCP, "af31", 26 },	     { NAMES_DSCP, "af32", 28 },
	{ NAMES_DSCP, "af33", 30 },	{ NAMES_DSCP, "cs4", 32 },	     { NAMES_DSCP, "af41", 34 },
	{ NAMES_DSCP, "af42", 36 },	{ NAMES_DSCP, "af43", 38 },	     { NAMES_DSCP, "cs5", 40 },
	{ NAMES_DSCP, "va", 44 },	{ NAMES_DSCP, "ef", 46 },	     { NAMES_DSCP, "cs6", 48 },
	{ NAMES_DSCP, "cs7", 56 },	{ NAMES_PRIORITY, "raw", -300 },     { NAMES_PRIORITY, "mangle", -150 },
	{ NAMES_PRIORITY, "dstnat", -100 }, { NAMES_PRIORITY, "filter", 0 }, { NAMES_PRIORITY, "security", 50 },
	{ NAMES_PRIORITY, "srcnat", 100 },
};

#define BLANKS " \t\n"
#define MARKS "{}(),;&|^!=<>"

static bool is_mark_char(char c)
{
	return c && strchr(MARKS, c);
}

struct token token_read(const char *p)
{
	struct token t = { TOKEN_END, p, 0 };

	t.at = p += strspn(p, BLANKS);
	if (*p == '"') {
		t = (struct token){ TOKEN_QUOTED, p + 1, strcspn(p + 1, "\"") };
	} else if (is_mark_char(*p)) {
		t.kind = TOKEN_MARK;
		t.len = strchr("!=<>", *p) && p[1] == '=' ? 2 : 1;
	} else if (*p) {
		t.kind = TOKEN_WORD;
		t.len = strcspn(p, BLANKS MARKS "\"");
	}
	return t;
}

const char *token_end(const struct token *t)
{
	const char *end = t->at + t->len;

	return end + (t->kind == TOKEN_QUOTED && *end == '"');
}

bool token_is(const struct token *t, const char *text)
{
	return (t->kind == TOKEN_WORD || t->kind == TOKEN_MARK) && strlen(text) == t->len &&
	       memcmp(t->at, text, t->len) == 0;
}

static bool token_copy(const struct token *t, char *buf, size_t size)
{
	if (t->kind == TOKEN_END || t->len >= size)
		return false;
	memcpy(buf, t->at, t->len);
	buf[t->len] = '\0';
	return true;
}

bool token_number(const struct token *t, uint32_t *ret)
{
	char text[16];

	return t->kind == TOKEN_WORD && token_copy(t, text, sizeof(text)) && !number_parse(text, UINT32_MAX, ret);
}

bool token_named(const struct token *t, enum name_space space, int *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(value_names); i++)
		if (value_names[i].space == space && token_is(t, value_names[i].name)) {
			*ret = value_names[i].value;
			return true;
		}
	return false;
}

bool token_masked(const struct token *t, uint32_t *ret_value, uint32_t *ret_mask)
{
	const char *slash = t->kind == TOKEN_WORD ? memchr(t->at, '/', t->len) : NULL;
	struct token number, bits;
	uint32_t len;

	if (!slash)
		return false;
	number = (struct token){ TOKEN_WORD, t->at, slash - t->at };
	bits = (struct token){ TOKEN_WORD, slash + 1, t->len - number.len - 1 };
	if (!token_number(&number, ret_value) || !token_number(&bits, &len) || len < 1 || len > 32)
		return false;
	*ret_mask = UINT32_MAX << (32 - len);
	return true;
}

bool token_range(const struct token *t, struct addr_range *ret)
{
	char text[RANGE_TEXT_SIZE];

	if (t->kind != TOKEN_WORD || !(memchr(t->at, '.', t->len) || memchr(t->at, ':', t->len)))
		return false;
	return t->len > 1 && token_copy(t, text, sizeof(text)) && addr_range_parse(text, ret) == 0;
}
