/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One form for what different versions of nft print differently: a rule, a hook or an element goes in
 * as text, and comes out so that equal meaning is equal text. Seen with 1.0.6 and 1.1.3.
 */
#include "plan/nft/nft.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "plan/nft/token.h"

/* Sets within sets: ours have none, and nobody's text shall exhaust the stack. */
#define MAX_DEPTH 8

struct canon {
	struct token *tokens;		/* the last one is TOKEN_END */
	size_t count;
	size_t at;
	unsigned int depth;
	enum name_space names;		/* of the value that comes next */
	bool saw_nfproto;
	bool saw_l4proto;
	uint32_t protocol;		/* what `th` stands for in this rule; 0: itself */
	struct strbuf out;
};

struct words {
	char **v;
	size_t count;
};

static void words_done(struct words *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->v[i]);
	free(w->v);
}

static bool tokenise(struct canon *c, const char *text)
{
	struct token *t;

	do {
		t = VEC_PUSH(c->tokens, c->count);
		if (!t)
			return false;
		*t = token_read(text);
		text = token_end(t);
	} while (t->kind != TOKEN_END);
	return true;
}

/* The token `n` places on; the end where there is none. */
static const struct token *peek(const struct canon *c, size_t n)
{
	return &c->tokens[c->at + n < c->count ? c->at + n : c->count - 1];
}

static bool peek_is(const struct canon *c, size_t n, const char *text)
{
	return token_is(peek(c, n), text);
}

static bool take(struct canon *c, const char *text)
{
	if (!peek_is(c, 0, text))
		return false;
	c->at++;
	return true;
}

static void put(struct canon *c, const char *text)
{
	if (c->out.len)
		strbuf_add(&c->out, " ");
	strbuf_add(&c->out, text);
}

static void put_number(struct canon *c, uint32_t n)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	put(c, text);
}

/* A word in quotes keeps them only where it would be something else without. In sets, nft lists "e\*" as "e*". */
static void put_quoted(struct canon *c, const struct token *t)
{
	struct token bare = token_read(t->at);
	const char *quote = bare.kind == TOKEN_WORD && bare.at == t->at && bare.len == t->len ? "" : "\"";

	put(c, quote);
	if (c->depth && t->len > 2 && memcmp(t->at + t->len - 2, "\\*", 2) == 0) {
		strbuf_add_bytes(&c->out, t->at, t->len - 2);
		strbuf_add(&c->out, "*");
	} else {
		strbuf_add_bytes(&c->out, t->at, t->len);
	}
	strbuf_add(&c->out, quote);
}

static void put_value(struct canon *c, const struct token *t)
{
	char text[RANGE_TEXT_SIZE];
	struct addr_range range;
	uint32_t number;
	int value;

	if (t->kind == TOKEN_QUOTED) {
		put_quoted(c, t);
	} else if (token_named(t, c->names, &value)) {
		put_number(c, value);
	} else if (token_number(t, &number)) {
		put_number(c, number);
	} else if (token_range(t, &range)) {
		put(c, addr_range_print(&range, text));
	} else {
		put(c, "");
		strbuf_add_bytes(&c->out, t->at, t->len);
	}
}

/* ---- sets in braces ---- */

static void canon_next(struct canon *c);

/* Behind the opening brace. Each element is made canonical on its own. */
static void canon_set(struct canon *c)
{
	CLEANUP(words_done) struct words w = { 0 };
	struct strbuf outer = c->out;
	enum name_space names = c->names;

	c->depth++;
	do {
		char **slot = VEC_PUSH(w.v, w.count);

		c->out = (struct strbuf){ 0 };
		c->names = names;
		while (peek(c, 0)->kind != TOKEN_END && !peek_is(c, 0, ",") && !peek_is(c, 0, "}"))
			canon_next(c);
		if (slot)
			*slot = strbuf_take(&c->out);
		else
			strbuf_done(&c->out);
		outer.failed |= !slot || !*slot;
	} while (take(c, ","));
	take(c, "}");
	c->depth--;
	c->out = outer;
	c->names = NAMES_NONE;
	if (c->out.failed)
		return;
	put(c, "");
	elements_print(w.v, w.count, &c->out);
}

/* ---- flags: `syn / fin,syn` and `& (fin | syn) == syn` ---- */

/* "(a | b)", "a,b", "a | b": sorted, with commas. */
static char *take_flags(struct canon *c)
{
	CLEANUP(words_done) struct words w = { 0 };
	struct strbuf list = { 0 };
	bool parentheses = take(c, "(");

	while (peek(c, 0)->kind == TOKEN_WORD) {
		const struct token *t = peek(c, 0);
		uint32_t number;
		char **slot = VEC_PUSH(w.v, w.count);

		if (!slot)
			return NULL;
		*slot = token_number(t, &number) && !number ? strdup("0") : strndup(t->at, t->len);
		if (!*slot)
			return NULL;
		c->at++;
		if (!take(c, ",") && !take(c, "|"))
			break;
	}
	if (parentheses)
		take(c, ")");
	if (w.count)
		qsort(w.v, w.count, sizeof(*w.v), compare_words);
	for (size_t i = 0; i < w.count; i++)
		strbuf_printf(&list, "%s%s", i ? "," : "", w.v[i]);
	return strbuf_take(&list);
}

static void free_text(char **text)
{
	free(*text);
}

/* Behind `flags`, `state`, `status`. "& MASK VALUE", or VALUE alone for "any of them". */
static void canon_flags(struct canon *c)
{
	CLEANUP(free_text) char *mask = NULL;
	CLEANUP(free_text) char *value = NULL;
	bool unequal;

	if (take(c, "!")) {
		mask = take_flags(c);
		value = strdup("0");
		unequal = false;
	} else if (take(c, "&")) {
		mask = take_flags(c);
		unequal = take(c, "!=");
		take(c, "==");
		value = take_flags(c);
	} else {
		unequal = take(c, "!=");
		take(c, "==");
		value = take_flags(c);
		if (take(c, "/"))
			mask = take_flags(c);
		else
			mask = strdup("");
	}
	if (!mask || !value) {
		c->out.failed = true;
		return;
	}
	if (*mask && unequal && strcmp(value, "0") == 0) {
		put(c, mask);
		return;
	}
	if (*mask)
		put(c, "&");
	if (*mask)
		put(c, mask);
	if (unequal)
		put(c, "!=");
	put(c, value);
}

/* ---- what is redundant ---- */

/* nft leaves out a dependency that a selector further on says anyway. The place of the next token, sets
 * in braces left out; c->count - 1 at the end. */
static size_t skip_sets(const struct canon *c, size_t i)
{
	unsigned int depth = 0;

	for (; i < c->count - 1; i++) {
		if (token_is(&c->tokens[i], "{"))
			depth++;
		else if (depth && token_is(&c->tokens[i], "}"))
			depth--;
		else if (!depth)
			break;
	}
	return i;
}

/* From place `i` on. */
static bool is_selected(const struct canon *c, size_t i, const char *selector)
{
	for (i = skip_sets(c, i); i < c->count - 1; i = skip_sets(c, i + 1))
		if (token_is(&c->tokens[i], selector))
			return true;
	return false;
}

static bool token_protocol(const struct token *t, uint32_t *ret)
{
	int value;

	if (!token_named(t, NAMES_PROTOCOL, &value))
		return token_number(t, ret);
	*ret = value;
	return true;
}

static bool is_family_implied(const struct canon *c, bool ipv4)
{
	uint32_t protocol;

	for (size_t i = skip_sets(c, c->at); i < c->count - 1; i = skip_sets(c, i + 1))
		if (token_is(&c->tokens[i], "l4proto") && token_protocol(&c->tokens[i + 1], &protocol) &&
		    protocol == (ipv4 ? 1 : 58))
			return true;
	/* Nothing but `reject with tcp reset` has that word. That it loses its family in a listing is nft's
	 * mistake: it can't be told from one for both families, so better not plan it. */
	return is_selected(c, c->at, ipv4 ? "ip" : "ip6") || is_selected(c, c->at, ipv4 ? "icmp" : "icmpv6") ||
	       is_selected(c, c->at, "reset");
}

/* Behind `nfproto`: true when it was redundant and is taken. */
static bool drop_nfproto(struct canon *c)
{
	bool first = !c->saw_nfproto;
	bool ipv4 = peek_is(c, 0, "ipv4");

	c->saw_nfproto = true;
	if (!first || (!ipv4 && !peek_is(c, 0, "ipv6")) || !is_family_implied(c, ipv4))
		return false;
	c->at++;
	return true;
}

static const char *protocol_selector(uint32_t protocol)
{
	switch (protocol) {
	case 1:   return "icmp";
	case 6:   return "tcp";
	case 17:  return "udp";
	case 33:  return "dccp";
	case 58:  return "icmpv6";
	case 132: return "sctp";
	case 136: return "udplite";
	default:  return NULL;
	}
}

/* Behind `l4proto`: `l4proto 6 … th dport` is `tcp dport`. True when it was redundant and is taken. */
static bool drop_l4proto(struct canon *c)
{
	bool first = !c->saw_l4proto;
	const char *selector;
	uint32_t protocol;

	c->saw_l4proto = true;
	if (!first || !token_protocol(peek(c, 0), &protocol))
		return false;
	selector = protocol_selector(protocol);
	if (!selector)
		return false;
	if (is_selected(c, c->at + 1, "th"))
		c->protocol = protocol;
	else if (!is_selected(c, c->at + 1, selector))
		return false;
	c->at++;
	return true;
}

/* ---- words and marks ---- */

/* Behind `priority`: "-90", "mangle", "mangle + 60". */
static void canon_priority(struct canon *c)
{
	const struct token *t = peek(c, 0);
	uint32_t number;
	char text[16];
	int value;

	if (!token_named(t, NAMES_PRIORITY, &value))
		return;
	c->at++;
	if ((peek_is(c, 0, "+") || peek_is(c, 0, "-")) && token_number(peek(c, 1), &number) && number < 10000) {
		value += peek_is(c, 0, "+") ? (int)number : -(int)number;
		c->at += 2;
	}
	snprintf(text, sizeof(text), "%d", value);
	put(c, text);
}

/* Behind `reject`: "with icmpx type no-route" had a word more once, and port-unreachable is the default. */
static void canon_reject(struct canon *c)
{
	size_t type = peek_is(c, 2, "type");

	if (!peek_is(c, 0, "with") || peek(c, 1)->kind != TOKEN_WORD)
		return;
	if (peek_is(c, 1, "icmpx") && peek_is(c, 2 + type, "port-unreachable")) {
		c->at += 3 + type;
		return;
	}
	put(c, "with");
	put_value(c, peek(c, 1));
	c->at += 2 + type;
}

static void put_masked(struct canon *c, uint32_t mask, const char *operator, uint32_t value)
{
	put(c, "&");
	put_number(c, mask);
	if (*operator)
		put(c, operator);
	put_number(c, value);
}

static void canon_word(struct canon *c)
{
	const struct token *t = peek(c, 0);
	uint32_t value, mask;

	c->at++;
	if (token_is(t, "meta") || (token_is(t, "nfproto") && drop_nfproto(c)) ||
	    (token_is(t, "l4proto") && drop_l4proto(c)))
		return;
	if (token_is(t, "th") && c->protocol) {
		put(c, protocol_selector(c->protocol));
		return;
	}
	if (token_masked(t, &value, &mask)) {
		put_masked(c, mask, "", value);
		return;
	}
	put_value(c, t);
	c->names = NAMES_NONE;
	if (token_is(t, "l4proto") || token_is(t, "protocol") || token_is(t, "nexthdr"))
		c->names = NAMES_PROTOCOL;
	else if (token_is(t, "dscp"))
		c->names = NAMES_DSCP;
	else if (token_is(t, "priority"))
		canon_priority(c);
	else if (token_is(t, "reject"))
		canon_reject(c);
	else if (token_is(t, "counter") && peek_is(c, 0, "packets") && peek_is(c, 2, "bytes"))
		c->at += 4;
	else if ((token_is(t, "flags") || token_is(t, "state") || token_is(t, "status")) &&
		 !peek_is(c, 0, "vmap") && !peek_is(c, 0, "{") && !peek_is(c, 1, "{"))
		canon_flags(c);
}

static void canon_mark(struct canon *c)
{
	const struct token *t = peek(c, 0);
	uint32_t value, mask;

	c->at++;
	if (token_is(t, "=="))
		return;
	if (token_is(t, "{") && c->depth < MAX_DEPTH) {
		canon_set(c);
		return;
	}
	if (token_is(t, "!=") && token_masked(peek(c, 0), &value, &mask)) {
		c->at++;
		put_masked(c, mask, "!=", value);
		return;
	}
	/* (x & mask) | value is (x & (mask | value)) | value, which is how it is listed. */
	if (token_is(t, "&") && token_number(peek(c, 0), &mask) && peek_is(c, 1, "|") &&
	    token_number(peek(c, 2), &value)) {
		c->at += 3;
		if ((mask | value) != UINT32_MAX) {
			put(c, "&");
			put_number(c, mask | value);
		}
		put(c, "|");
		put_number(c, value);
		return;
	}
	put(c, "");
	strbuf_add_bytes(&c->out, t->at, t->len);
}

static void canon_next(struct canon *c)
{
	switch (peek(c, 0)->kind) {
	case TOKEN_WORD:
		canon_word(c);
		break;
	case TOKEN_MARK:
		canon_mark(c);
		break;
	case TOKEN_QUOTED:
		put_quoted(c, peek(c, 0));
		c->at++;
		c->names = NAMES_NONE;
		break;
	case TOKEN_END:
		break;
	}
}

char *nft_canonical(const char *text)
{
	struct canon c = { 0 };

	if (tokenise(&c, text))
		while (peek(&c, 0)->kind != TOKEN_END)
			canon_next(&c);
	else
		c.out.failed = true;
	free(c.tokens);
	return strbuf_take(&c.out);
}

bool nft_text_equal(const char *a, const char *b)
{
	CLEANUP(free_text) char *left = NULL;
	CLEANUP(free_text) char *right = NULL;

	if (strcmp(a, b) == 0)
		return true;
	left = nft_canonical(a);
	right = nft_canonical(b);
	return left && right && strcmp(left, right) == 0;
}
