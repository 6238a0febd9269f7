/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What `nft list table inet ifsteer` says, as the model: statement by statement, where a statement ends with
 * its line unless braces or quotes are open.
 */
#include "plan/nft/nft.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "plan/nft/stands.h"
#include "plan/nft/token.h"
#include "plan/objects.h"

/* A place in the listing, whose end is a NUL. */
struct reader {
	const char *at;
	struct nft_table *table;
	const struct nft_table *like;	/* NULL: none */
	size_t next_like;		/* its chain that is likely to be next */
};

struct slice {
	const char *at;
	size_t len;
};

static const char *skip_quoted(const char *p)
{
	p += strcspn(p + 1, "\"") + 1;
	return *p ? p + 1 : p;
}

/* Up to the end of the line or, when `open` is set, up to the brace that opens a block. */
static struct slice read_statement(struct reader *r, bool *open)
{
	struct slice s;
	unsigned int depth = 0;

	r->at += strspn(r->at, " \t\n");
	s.at = r->at;
	while (*r->at && (*r->at != '\n' || depth)) {
		if (*r->at == '"') {
			r->at = skip_quoted(r->at);
			continue;
		}
		if (*r->at == '{' && open)
			break;
		if (*r->at == '}' && !depth) {
			r->at += r->at == s.at;
			break;
		}
		depth += (*r->at == '{') - (*r->at == '}');
		r->at++;
		r->at += strcspn(r->at, "\n\"{}");
	}
	s.len = r->at - s.at;
	if (open) {
		*open = *r->at == '{';
		/* A comment may follow: "{ # handle 5". */
		r->at += *open ? strcspn(r->at, "\n") : 0;
	}
	while (s.len && strchr(" \t", s.at[s.len - 1]))
		s.len--;
	return s;
}

static bool slice_is(const struct slice *s, const char *text)
{
	return s->len == strlen(text) && memcmp(s->at, text, s->len) == 0;
}

/* The text behind the word `key`, or NULL. */
static const char *slice_behind(const struct slice *s, const char *key)
{
	size_t n = strlen(key);

	return s->len > n && memcmp(s->at, key, n) == 0 && s->at[n] == ' ' ? s->at + n + 1 : NULL;
}

static char *slice_text(const struct slice *s, const char *from)
{
	return strndup(from, s->len - (from - s->at));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* Line breaks within a rule are white space. */
static char *one_line(const char *at, size_t len)
{
	char *line = malloc(len + 1), *end = line;
	bool quoted = false;

	for (size_t i = 0; line && i < len; i++) {
		quoted ^= at[i] == '"';
		if (quoted || !is_blank(at[i]))
			*end++ = at[i];
		else if (!i || !is_blank(at[i - 1]))
			*end++ = ' ';
	}
	if (line)
		*end = '\0';
	return line;
}

/* The end of a rule's own text and its comment, when its last two tokens are `comment "…"`. */
static size_t split_comment(const struct slice *s, struct token *ret)
{
	struct token before = { TOKEN_END, s->at, 0 }, last = before;

	*ret = (struct token){ TOKEN_END, NULL, 0 };
	if (!s->len || s->at[s->len - 1] != '"')
		return s->len;
	for (struct token t = token_read(s->at); t.kind != TOKEN_END && t.at < s->at + s->len;
	     t = token_read(token_end(&t))) {
		before = last;
		last = t;
	}
	if (last.kind != TOKEN_QUOTED || !token_is(&before, "comment"))
		return s->len;
	*ret = last;
	return before.at - s->at;
}

/* The number behind "# handle " at the rule's end, which is cut off; 0: nothing is there. */
static uint32_t split_handle(struct slice *s)
{
	static const char word[] = " # handle ";
	size_t len = s->len, n = sizeof(word) - 1;
	uint64_t handle = 0;

	while (len && s->at[len - 1] >= '0' && s->at[len - 1] <= '9')
		len--;
	if (len == s->len || len < n || memcmp(s->at + len - n, word, n) != 0)
		return 0;
	for (size_t i = len; i < s->len && handle <= UINT32_MAX; i++)
		handle = handle * 10 + (uint64_t)(s->at[i] - '0');
	s->len = len - n;
	return handle <= UINT32_MAX ? (uint32_t)handle : 0;
}

static int add_rule(struct nft_chain *c, struct slice *s)
{
	uint32_t handle = split_handle(s);
	struct token comment;
	size_t len = split_comment(s, &comment);
	struct nft_rule *r = VEC_PUSH(c->rules, c->rule_count);

	if (!r)
		return -ENOMEM;
	r->handle = handle;
	while (len && strchr(" \t\n", s->at[len - 1]))
		len--;
	r->text = one_line(s->at, len);
	if (comment.len)
		r->comment = strndup(comment.at, comment.len);
	return r->text && (r->comment || !comment.len) ? 0 : -ENOMEM;
}

/* 1 when the block is at its end, 0 when there is a statement, -EINVAL when the listing breaks off. */
static int next_in_block(struct reader *r, struct slice *ret)
{
	*ret = read_statement(r, NULL);
	if (slice_is(ret, "}"))
		return 1;
	return ret->len ? 0 : -EINVAL;
}

/* ---- what is known ---- */

/* The chain of this name in r->like: mostly the one behind the last. */
static const struct nft_chain *find_like(struct reader *r, const char *name)
{
	size_t count = r->like ? r->like->chain_count : 0;

	for (size_t i = 0; i < count; i++) {
		size_t at = (r->next_like + i) % count;

		if (strcmp(r->like->chains[at].name, name) != 0)
			continue;
		r->next_like = at + 1;
		return &r->like->chains[at];
	}
	return NULL;
}

/* 1: the chain is one of r->like's. */
static int borrow_chain(struct reader *r, const char *name)
{
	const struct nft_chain *like = find_like(r, name);
	const char *end = like ? nft_chain_stands(r->at, like) : NULL;
	struct nft_chain *c;

	if (!end)
		return 0;
	c = VEC_PUSH(r->table->chains, r->table->chain_count);
	if (!c)
		return -ENOMEM;
	*c = *like;
	c->is_borrowed = true;
	r->at = end;
	return 1;
}

/* 1: the set is `like`, which may be NULL. */
static int borrow_set(struct reader *r, const struct nft_set *like)
{
	const char *end = like ? nft_set_stands(r->at, like) : NULL;
	struct nft_set *s;

	if (!end)
		return 0;
	s = VEC_PUSH(r->table->sets, r->table->set_count);
	if (!s)
		return -ENOMEM;
	*s = *like;
	s->is_borrowed = true;
	r->at = end;
	return 1;
}

/* ---- chains ---- */

static int parse_chain(struct reader *r, const char *name)
{
	int err = borrow_chain(r, name);
	struct nft_chain *c;
	struct slice s;

	if (err)
		return err < 0 ? err : 0;
	c = nft_add_chain(r->table, name, NULL);
	err = c ? 0 : -ENOMEM;

	while (!err && (err = next_in_block(r, &s)) == 0) {
		if (!c->hook && slice_behind(&s, "type") && memmem(s.at, s.len, " hook ", 6))
			err = (c->hook = one_line(s.at, s.len)) ? 0 : -ENOMEM;
		else if (!slice_behind(&s, "comment"))
			err = add_rule(c, &s);
	}
	return err < 0 ? err : 0;
}

/* "10.0.0.0/8", with "timeout 30m" or a comment behind it perhaps. False: not an address at all. */
static bool element_range(const char *at, struct addr_range *ret)
{
	struct token key = token_read(at);

	return token_range(&key, ret);
}

/* nft lists an element "e\*" as "e*", which it would read as a wildcard. Our sets have none. False: no memory. */
static bool escape_star(char **text)
{
	char *star = strstr(*text, "*\""), *escaped;

	if (!star || (star > *text && star[-1] == '\\'))
		return true;
	if (asprintf(&escaped, "%.*s\\%s", (int)(star - *text), *text, star) < 0)
		return false;
	free(*text);
	*text = escaped;
	return true;
}

static int add_element(struct nft_set *s, const char *at, size_t len)
{
	char **slot;
	struct addr_range range;

	if (s->has_ranges && element_range(at, &range))
		return addr_ranges_add(&s->ranges, &range);
	slot = VEC_PUSH(s->elements, s->element_count);
	if (!slot)
		return -ENOMEM;
	while (len && strchr(" \t\n", at[len - 1]))
		len--;
	*slot = one_line(at, len);
	return *slot && escape_star(slot) ? 0 : -ENOMEM;
}

/* "{ a, b }" */
static int parse_elements(struct nft_set *s, const char *at, const char *end)
{
	int err = 0;

	at += strspn(at, "{ \t\n");
	while (!err && at < end && *at != '}') {
		const char *stop = at;

		while (stop < end && *stop != ',' && *stop != '}')
			stop = *stop == '"' ? skip_quoted(stop) : stop + 1;
		err = add_element(s, at, stop - at);
		at = stop + (stop < end && *stop == ',');
		at += strspn(at, " \t\n");
	}
	return err;
}

/* Interval sets of addresses hold ranges. Type and flags stand ahead of the elements. */
static void find_ranges(struct nft_set *s)
{
	bool ipv6 = s->type && strcmp(s->type, "ipv6_addr") == 0;

	s->has_ranges = !s->is_map && s->flags && strstr(s->flags, "interval") &&
			(ipv6 || (s->type && strcmp(s->type, "ipv4_addr") == 0));
	s->family = ipv6 ? FAMILY_IPV6 : FAMILY_IPV4;
}

static int parse_set_statement(struct nft_set *set, const struct nft_set *like,
			       const struct slice *s)
{
	const char *value;
	char **field = (value = slice_behind(s, "type")) || (value = slice_behind(s, "typeof")) ? &set->type :
		       (value = slice_behind(s, "flags")) ? &set->flags :
		       (value = slice_behind(s, "timeout")) ? &set->timeout : NULL;

	if (field && !*field) {
		*field = slice_text(s, value);
		return *field ? 0 : -ENOMEM;
	}
	value = slice_behind(s, "packed");
	if (value) {
		/* All that it holds, as nft_print writes it. */
		find_ranges(set);
		if (set->is_packed || set->ranges.count || set->element_count)
			return -EINVAL;
		set->is_packed = true;
		return nft_unpack(value, s->len - (value - s->at), like, set);
	}
	value = slice_behind(s, "elements");
	if (value && set->is_packed)
		return -EINVAL;
	if (value)
		find_ranges(set);
	/* Anything else (auto-merge, size, policy, comment) doesn't change what the set holds. */
	return value ? parse_elements(set, memchr(value, '{', s->len - (value - s->at)) ?: s->at + s->len,
				      s->at + s->len) : 0;
}

static int parse_set(struct reader *r, const char *name, bool is_map)
{
	const struct nft_set *like = r->like ? nft_find_set(r->like, name) : NULL;
	int err = borrow_set(r, like && like->is_map == is_map ? like : NULL);
	struct nft_set *set;
	struct slice s;

	if (err)
		return err < 0 ? err : 0;
	set = nft_add_set(r->table, name, is_map, "", NULL);
	err = set ? 0 : -ENOMEM;
	if (set) {
		free(set->type);
		set->type = NULL;
	}
	while (!err && (err = next_in_block(r, &s)) == 0)
		err = parse_set_statement(set, like, &s);
	if (err >= 0 && !set->type)
		err = (set->type = strdup("")) ? 0 : -ENOMEM;
	return err < 0 ? err : 0;
}

static int skip_block(struct reader *r)
{
	struct slice s;
	int err;

	while ((err = next_in_block(r, &s)) == 0)
		;
	return err < 0 ? err : 0;
}

static int parse_object(struct reader *r, const struct slice *header)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	const char *name;
	char **slot;

	strbuf_add_bytes(&text, header->at, header->len);
	if (text.failed)
		return -ENOMEM;
	if ((name = slice_behind(header, "chain")))
		return parse_chain(r, text.text + (name - header->at));
	if ((name = slice_behind(header, "set")))
		return parse_set(r, text.text + (name - header->at), false);
	if ((name = slice_behind(header, "map")))
		return parse_set(r, text.text + (name - header->at), true);
	if ((name = slice_behind(header, "counter")))
		return nft_add_counter(r->table, text.text + (name - header->at)) ?: skip_block(r);
	if (!strchr(text.text, ' '))
		return -EINVAL;
	slot = VEC_PUSH(r->table->others, r->table->other_count);
	if (!slot || !(*slot = strbuf_take(&text)))
		return -ENOMEM;
	return skip_block(r);
}

static int parse_table(struct reader *r)
{
	bool open;
	struct slice s = read_statement(r, &open);
	int err = 0;

	if (!open || !slice_is(&s, "table inet " OUR_TABLE))
		return -EINVAL;
	while (!err) {
		s = read_statement(r, &open);
		if (slice_is(&s, "}"))
			break;
		if (!s.len)
			return -EINVAL;
		if (open)
			err = parse_object(r, &s);
		else if (slice_behind(&s, "flags") && memmem(s.at, s.len, "dormant", 7))
			r->table->dormant = true;
	}
	return err;
}

int nft_check(const char *listing, uint32_t *ret_line)
{
	CLEANUP(nft_table_done) struct nft_table table = { 0 };
	struct reader r = { .at = listing, .table = &table };
	int err = parse_table(&r);

	*ret_line = 0;
	for (const char *at = listing; at < r.at; at++)
		*ret_line += *at == '\n';
	return err;
}

int nft_parse(const char *listing, const struct nft_table *like, struct nft_table *ret)
{
	struct nft_table table = { 0 };
	struct reader r = { .at = listing, .table = &table, .like = like };
	int err = listing ? parse_table(&r) : 0;

	if (err) {
		nft_table_done(&table);
		return err;
	}
	table.exists = listing != NULL;
	nft_sort_listed(&table);
	*ret = table;
	return 0;
}
