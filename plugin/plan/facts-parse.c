/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A file of facts becomes facts. It may come from anybody: every value is checked, and planning may rely
 * on what it relies on from the kernel.
 */
#include "plan/facts-file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "plan/nft/nft.h"
#include "plan/objects.h"

struct parser {
	const char *at;			/* the rest of the line, then of the text */
	char *word;			/* owned; the token last read, unescaped */
	struct where where;
	struct facts *facts;
	struct strbuf listing;
	struct where listed;		/* where it begins */
	bool has_listing, listing_ends;
	struct diag *d;
};

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = c ? strchr(digits, c) : NULL;

	return p ? (int)(p - digits) : -1;
}

/* Undoes the escapes of a slice. */
static int unescape(struct parser *p, const char *at, const char *end, struct strbuf *ret)
{
	while (at < end) {
		const char *stop = memchr(at, '\\', end - at) ?: end;
		char byte;

		strbuf_add_bytes(ret, at, stop - at);
		if (stop == end)
			break;
		if (end - stop < 4 || stop[1] != 'x' || hex_digit(stop[2]) < 0 || hex_digit(stop[3]) < 0)
			return diag_error(p->d, p->where, "a backslash must begin \\xNN");
		byte = (char)(hex_digit(stop[2]) << 4 | hex_digit(stop[3]));
		if (!byte)
			return diag_error(p->d, p->where, "\\x00 can't stand in a text");
		strbuf_add_bytes(ret, &byte, 1);
		at = stop + 4;
	}
	return ret->failed ? -ENOMEM : 0;
}

/* The next word of this line into p->word: 1, 0 at the end of the line, or an error. */
static int next_word(struct parser *p)
{
	struct strbuf word = { 0 };
	const char *end;
	int err;

	free(TAKE_PTR(p->word));
	p->at += strspn(p->at, " ");
	end = p->at + strcspn(p->at, " \n");
	if (end == p->at)
		return 0;
	err = unescape(p, p->at, end, &word);
	p->at = end;
	if (err) {
		strbuf_done(&word);
		return err;
	}
	p->word = strbuf_take(&word);
	return p->word ? 1 : -ENOMEM;
}

/* ---- values ---- */

static bool parse_signed(const char *text, int64_t limit, int64_t *ret)
{
	bool negative = *text == '-';
	int64_t v = 0;

	text += negative;
	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || v > (limit - (*text - '0')) / 10)
			return false;
		v = v * 10 + (*text - '0');
	}
	*ret = negative ? -v : v;
	return true;
}

static bool parse_choice(const char *const *words, const char *word, unsigned int *ret)
{
	for (unsigned int i = 0; words[i]; i++)
		if (strcmp(words[i], word) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

/* prefix_parse takes "1.2.3.4" as well; here the length is always written. */
static bool parse_prefix(const char *word, struct prefix *ret)
{
	return strchr(word, '/') && prefix_parse(word, ret) == 0;
}

static bool parse_name(const char *word, char *ret)
{
	size_t n = strlen(word);

	if (!n || n >= NAME_SIZE)
		return false;
	memset(ret, 0, NAME_SIZE);
	memcpy(ret, word, n);
	return true;
}

static bool parse_u8(const char *word, uint8_t *ret)
{
	uint32_t n;

	if (number_parse(word, UINT8_MAX, &n) < 0)
		return false;
	*ret = (uint8_t)n;
	return true;
}

static bool parse_i32(const char *word, int32_t *ret)
{
	int64_t n;

	if (!parse_signed(word, INT32_MAX, &n))
		return false;
	*ret = (int32_t)n;
	return true;
}

/* False: the word is no value of this kind. */
static bool parse_value(enum field_kind kind, char *word, void *at)
{
	static const char *const families[] = { "ipv4", "ipv6", NULL };
	unsigned int choice;

	switch (kind) {
	case FIELD_FLAG:   return true;
	case FIELD_U8:	   return parse_u8(word, at);
	case FIELD_U32:
	case FIELD_MARK:   return number_parse(word, UINT32_MAX, at) == 0;
	case FIELD_I32:	   return parse_i32(word, at);
	case FIELD_I64:	   return parse_signed(word, INT64_MAX, at);
	case FIELD_NAME:   return parse_name(word, at);
	case FIELD_TEXT:   return (*(char **)at = strdup(word));
	case FIELD_ADDR:   return addr_parse(word, at) == 0;
	case FIELD_PREFIX: return parse_prefix(word, at);
	case FIELD_RANGE:  return number_range_parse(word, UINT32_MAX, at) == 0;
	case FIELD_FAMILY:
		if (!parse_choice(families, word, &choice))
			return false;
		*(enum family *)at = choice;
		return true;
	case FIELD_ACTION:
		if (!parse_choice(fact_actions, word, &choice))
			return false;
		*(enum rule_action *)at = choice;
		return true;
	case FIELD_KIND:
		if (!parse_choice(fact_kinds, word, &choice))
			return false;
		*(char *)at = fact_kinds[choice][0];
		return true;
	}
	return false;
}

/* ---- lines ---- */

static const struct field *find_field(const struct record *r, const char *key)
{
	for (size_t i = 0; i < r->field_count; i++)
		if (strcmp(r->fields[i].key, key) == 0)
			return &r->fields[i];
	return NULL;
}

/* p->word is the key. */
static int parse_field(struct parser *p, const struct record *r, char *base, uint32_t *seen)
{
	const struct field *f = find_field(r, p->word);
	int more = 1;

	if (!f)
		return diag_error(p->d, p->where, "%s: unknown key \"%s\"", r->word, p->word);
	if (*seen & 1u << (f - r->fields))
		return diag_error(p->d, p->where, "%s: %s is given twice", r->word, f->key);
	*seen |= 1u << (f - r->fields);
	if (f->kind == FIELD_FLAG) {
		*(bool *)(base + f->at) = true;
		return 0;
	}
	more = next_word(p);
	if (more < 0)
		return more;
	if (!more || !parse_value(f->kind, p->word, base + f->at))
		return diag_error(p->d, p->where, "%s: %s: \"%s\" is not a value for it", r->word, f->key,
				  more ? p->word : "");
	if (f->presence != NO_PRESENCE)
		*(bool *)(base + f->presence) = true;
	return 0;
}

/* What only makes sense when it is there. */
static bool is_required(enum field_kind kind)
{
	return kind == FIELD_TEXT || kind == FIELD_FAMILY || kind == FIELD_PREFIX || kind == FIELD_ACTION ||
	       kind == FIELD_KIND;
}

static int parse_record(struct parser *p, const struct record *r, char *base)
{
	uint32_t seen = 0;
	int more, err = 0;

	while (!err && (more = next_word(p)) != 0)
		err = more < 0 ? more : parse_field(p, r, base, &seen);
	for (size_t i = 0; i < r->field_count && !err; i++)
		if (!(seen & 1u << i) && is_required(r->fields[i].kind))
			err = diag_error(p->d, p->where, "%s: %s is missing", r->word, r->fields[i].key);
	return err;
}

/* Room for one more element, which facts_done can free whatever becomes of it. */
static char *push(struct facts *f, const struct record *r)
{
	char *base = (char *)f, *v;
	size_t count;

	memcpy(&count, base + r->count, sizeof(count));
	if (vec_room(base + r->array, count, r->size) < 0)
		return NULL;
	memcpy(&v, base + r->array, sizeof(v));
	v += count * r->size;
	count++;
	memcpy(base + r->count, &count, sizeof(count));
	return v;
}

static int parse_listing_line(struct parser *p, bool is_end)
{
	const char *end = p->at + strcspn(p->at, "\n");
	int err;

	if (p->listing_ends)
		return diag_error(p->d, p->where, "nft: the listing has ended already");
	p->at += *p->at == ' ';
	err = unescape(p, p->at, end, &p->listing);
	p->at = end;
	if (!p->has_listing)
		p->listed = p->where;
	p->has_listing = true;
	p->listing_ends = is_end;
	if (!is_end)
		strbuf_add(&p->listing, "\n");
	return err;
}

static int parse_line(struct parser *p)
{
	int more = next_word(p);
	char *base;

	if (more <= 0 || *p->word == '#') {
		p->at += strcspn(p->at, "\n");
		return more < 0 ? more : 0;
	}
	if (strcmp(p->word, "nft") == 0 || strcmp(p->word, "nft-end") == 0)
		return parse_listing_line(p, strcmp(p->word, "nft-end") == 0);
	for (size_t i = 0; i < RECORD_COUNT; i++) {
		const struct record *r = &fact_records[i];

		if (strcmp(r->word, p->word))
			continue;
		base = r->size ? push(p->facts, r) : (char *)p->facts;
		return base ? parse_record(p, r, base) : -ENOMEM;
	}
	return diag_error(p->d, p->where, "unknown fact \"%s\"", p->word);
}

/* All lines, even behind a wrong one: every problem in one run. */
static int parse_lines(struct parser *p)
{
	size_t errors = p->d->errors;
	int err;

	do {
		err = parse_line(p);
		if (err == -ENOMEM)
			return err;
		p->at += strcspn(p->at, "\n");
		p->at += *p->at == '\n';
		p->where.line++;
	} while (*p->at);
	if (p->has_listing && !p->listing_ends)
		diag_error(p->d, p->where, "nft: the listing breaks off: its nft-end is missing");
	return p->d->errors > errors ? -EINVAL : 0;
}

static int take_listing(struct parser *p)
{
	struct where at = p->listed;
	uint32_t line;
	int err;

	p->facts->nft = strbuf_take(&p->listing);
	if (!p->facts->nft)
		return -ENOMEM;
	err = nft_check(p->facts->nft, &line);
	if (err != -EINVAL)
		return err;
	at.line += line;
	return diag_error(p->d, at, "nft: this is not what `nft list table inet " OUR_TABLE "` says");
}

/* ---- the whole ---- */

static int compare_links(const void *a, const void *b)
{
	return CMP(((const struct link *)a)->index, ((const struct link *)b)->index);
}

static int compare_addresses(const void *a, const void *b)
{
	const struct address *left = a, *right = b;

	return CMP(left->link, right->link) ?: CMP(left->order, right->order) ?: addr_compare(&left->addr, &right->addr);
}

static int check_links(struct links *l, struct where at, struct diag *d)
{
	if (l->count)
		qsort(l->v, l->count, sizeof(*l->v), compare_links);
	for (size_t i = 0; i < l->count; i++) {
		if (!l->v[i].index || !l->v[i].name[0])
			return diag_error(d, at, "link: index and name are required");
		if (i && l->v[i - 1].index == l->v[i].index)
			return diag_error(d, at, "link: index %u is there twice", l->v[i].index);
	}
	return 0;
}

static int check_addresses(struct facts *f, struct where at, struct diag *d)
{
	if (f->address_count)
		qsort(f->addresses, f->address_count, sizeof(*f->addresses), compare_addresses);
	for (size_t i = 0; i < f->address_count; i++) {
		const struct address *a = &f->addresses[i];

		if (!links_by_index(&f->links, a->link))
			return diag_error(d, at, "address: there is no link %u", a->link);
		if (a->len > family_bits(a->addr.family))
			return diag_error(d, at, "address: len %u is too long", a->len);
	}
	return 0;
}

static bool fits(const struct prefix *p, enum family f)
{
	return p->addr.family == f;
}

static int check_families(const struct facts *f, struct where at, struct diag *d)
{
	for (size_t i = 0; i < f->route_count; i++)
		if (!fits(&f->routes[i].dst, f->routes[i].family) ||
		    (f->routes[i].has_src && f->routes[i].src.family != f->routes[i].family))
			return diag_error(d, at, "route: addresses of another family");
	for (size_t i = 0; i < f->rule_count; i++)
		if (!fits(&f->rules[i].src, f->rules[i].family) || !fits(&f->rules[i].dst, f->rules[i].family))
			return diag_error(d, at, "rule: addresses of another family");
	for (size_t i = 0; i < f->links.count; i++)
		for (int k = 0; k < FAMILY_COUNT; k++)
			if (f->links.v[i].has_lease[k] && f->links.v[i].lease[k].family != (enum family)k)
				return diag_error(d, at, "link: lease of another family");
	for (size_t i = 0; i < f->told_count; i++)
		for (int k = 0; k < FAMILY_COUNT; k++)
			if (f->told[i].has_gateway[k] && f->told[i].gateway[k].family != (enum family)k)
				return diag_error(d, at, "told: gateway of another family");
	return 0;
}

static int check(struct facts *f, const char *path, struct diag *d)
{
	struct where at = { path, 0 };

	numbers_normalise(&f->carried);
	return check_links(&f->links, at, d) ?: check_addresses(f, at, d) ?: check_families(f, at, d);
}

int facts_parse(const char *path, const char *text, size_t len, struct facts *ret, struct diag *d)
{
	CLEANUP(facts_done) struct facts facts = { 0 };
	struct parser p = { .at = text, .where = { path, 1 }, .facts = &facts, .d = d };
	size_t first = strlen(FACTS_FIRST_LINE);
	int err = 0;

	if (memchr(text, '\0', len))
		return diag_error(d, p.where, "a NUL byte: this is not a file of facts");
	if (len < first || memcmp(text, FACTS_FIRST_LINE, first) || (len > first && text[first] != '\n'))
		return diag_error(d, p.where, "a file of facts begins with \"" FACTS_FIRST_LINE "\"");
	p.at += first;
	err = parse_lines(&p);
	free(p.word);
	if (!err && p.has_listing)
		err = take_listing(&p);
	strbuf_done(&p.listing);
	err = err ?: check(&facts, path, d);
	if (err)
		return err;
	*ret = facts;
	facts = (struct facts){ 0 };
	return 0;
}
