/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Parsers of values that are addresses: `from`, `to`, sets and their files, gateways, routes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "policy/reader.h"

/* The longest line of a set's file that can be a range, with room for white space. */
#define SET_LINE_MAX 200

/* Why `text` is no address, prefix or range: what follows the quoted text in a message. */
static const char *range_problem(int err, const struct addr_range *meant,
				 char buf[static RANGE_TEXT_SIZE + 64])
{
	char text[RANGE_TEXT_SIZE];

	switch (err) {
	case -EDOM:
		snprintf(buf, RANGE_TEXT_SIZE + 64, "has host bits set; did you mean \"%s\"?",
			 addr_range_print(meant, text));
		return buf;
	case -ERANGE: return "is a range that runs downwards";
	case -EAFNOSUPPORT: return "is a range from one family into the other";
	default: return "is not an address, prefix or range";
	}
}

static int value_addresses(struct reader *r, const struct value *v, struct addr_range *ret)
{
	char buf[RANGE_TEXT_SIZE + 64];
	int err = addr_range_parse(v->text, ret);

	if (err == -EINVAL)
		return reader_mismatch(r, v);
	return err ? reader_bad(r, v, "%s", range_problem(err, ret, buf)) : 0;
}

/* ---- from, to ---- */

static int read_match(struct reader *r, const struct value *v, struct addr_match *m, int key)
{
	struct addr_ranges *lists = v->negated ? m->no : m->yes;
	struct addr_range range;
	int err;

	m->given = true;
	if (*v->text == '@') {
		struct set_ref *ref = VEC_PUSH(m->sets, m->set_count);

		if (!ref)
			return -ENOMEM;
		ref->negated = v->negated;
		return reader_use(r, key, v->line, m->set_count - 1, v->text + 1);
	}
	err = value_addresses(r, v, &range);
	return err ? err : addr_ranges_add(&lists[range.from.family], &range);
}

int read_from(struct reader *r, const struct value *v, void *policy)
{
	return read_match(r, v, &((struct policy *)policy)->from, POLICY_FROM);
}

int read_to(struct reader *r, const struct value *v, void *policy)
{
	return read_match(r, v, &((struct policy *)policy)->to, POLICY_TO);
}

/* ---- sets ---- */

int read_element(struct reader *r, const struct value *v, void *object)
{
	struct set *set = object;
	struct addr_range range;
	int err = value_addresses(r, v, &range);

	return err ? err : addr_ranges_add(&set->elements[range.from.family], &range);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* One line without its comment and the white space around it; false when it is too long. */
static bool set_line(const char *start, const char *end, char ret[static SET_LINE_MAX])
{
	const char *comment = memchr(start, '#', end - start);

	if (comment)
		end = comment;
	while (start < end && is_blank(*start))
		start++;
	while (start < end && is_blank(end[-1]))
		end--;
	if (end - start >= SET_LINE_MAX)
		return false;
	memcpy(ret, start, end - start);
	ret[end - start] = '\0';
	return true;
}

/* The file's own lines are what messages name. Lists come from anywhere: a byte order mark ahead of
 * them and carriage returns are read over. */
static int read_set_text(struct reader *r, struct set *set, const struct source *s)
{
	static const char bom[] = "\xef\xbb\xbf";
	const char *start = s->text + (strncmp(s->text, bom, strlen(bom)) ? 0 : strlen(bom));
	const char *end = s->text + s->len, *next;
	char line[SET_LINE_MAX], buf[RANGE_TEXT_SIZE + 64];
	struct where at = { .file = s->path };
	size_t found = 0;

	for (const char *p = start; p < end; p = next) {
		const char *newline = memchr(p, '\n', end - p);
		struct addr_range range;
		int err;

		next = newline ? newline + 1 : end;
		at.line++;
		/* What most lines are, without a copy of the line: a fifth of such an event. */
		if (newline && addr_range_read_ipv4(p, &range) == newline) {
			found++;
			if (addr_ranges_add(&set->elements[FAMILY_IPV4], &range) < 0)
				return -ENOMEM;
			continue;
		}
		if (!set_line(p, newline ? newline : end, line)) {
			diag_error(
				r->diag, at,
				"set \"%s\": this line is too long for an address, prefix or range",
				set->name ? set->name : "");
			continue;
		}
		if (!*line)
			continue;
		found++;
		err = addr_range_parse(line, &range);
		if (err == 0)
			err = addr_ranges_add(&set->elements[range.from.family], &range);
		if (err == -ENOMEM)
			return err;
		if (err < 0)
			diag_error(r->diag, at, "set \"%s\": \"%s\" %s", set->name ? set->name : "",
				   line, range_problem(err, &range, buf));
	}
	if (!found)
		diag_warning(r->diag, (struct where){ s->path, 0 },
			     "set \"%s\": the file names no prefix", set->name ? set->name : "");
	return 0;
}

int read_set_file(struct reader *r, const struct value *v, void *object)
{
	const struct source *s;
	int err;

	if (!r->read_set)
		return reader_bad(r, v, "is a file, and files can't be read here");
	err = r->read_set(r->ctx, r->file, v->text, (struct where){ r->file, v->line }, &s,
			  r->diag);
	return err ? err : read_set_text(r, object, s);
}

/* ---- interfaces ---- */

static bool can_be_gateway(const struct addr *a)
{
	static const struct addr loopback = { FAMILY_IPV6, { [15] = 1 } };

	/* 0.0.0.0/8, 127.0.0.0/8, multicast and all behind it never are, nor ::, ::1, ff00::/8. */
	if (a->family == FAMILY_IPV4)
		return a->bytes[0] != 0 && a->bytes[0] != 127 && a->bytes[0] < 224;
	return a->bytes[0] != 0xff && !addr_is_zero(a) && addr_compare(a, &loopback) != 0;
}

int read_gateway(struct reader *r, const struct value *v, void *object)
{
	struct interface *in = object;
	struct addr a;

	for (const struct word *w = r->scope->key->words; w->text; w++) {
		if (strcmp(v->text, w->text) != 0)
			continue;
		if (!v->alone)
			return reader_bad(r, v, "stands alone, not in a list");
		in->gateway[FAMILY_IPV4].kind = w->value;
		/* The first host of a subnet is an idea of IPv4's. */
		in->gateway[FAMILY_IPV6].kind = w->value == GATEWAY_FIRST ? GATEWAY_AUTO : w->value;
		return 0;
	}
	if (addr_parse(v->text, &a) < 0)
		return reader_mismatch(r, v);
	if (!can_be_gateway(&a))
		return reader_bad(r, v, "can't be a gateway");
	if (in->gateway[a.family].kind == GATEWAY_ADDRESS)
		return reader_bad(r, v, "is a second gateway for %s", family_name(a.family));
	in->gateway[a.family] = (struct gateway){ .kind = GATEWAY_ADDRESS, .addr = a };
	return 0;
}

/* "PREFIX" or "PREFIX via ADDRESS"; splits `text`. -EINVAL, or as prefix_parse says. */
static int parse_route(char *text, struct extra_route *ret)
{
	char *save, *dst = strtok_r(text, " \t", &save), *word = strtok_r(NULL, " \t", &save);
	char *via = strtok_r(NULL, " \t", &save);

	if (!dst || (word && (strcmp(word, "via") != 0 || !via)) || strtok_r(NULL, " \t", &save))
		return -EINVAL;
	if (via && addr_parse(via, &ret->via) < 0)
		return -EINVAL;
	ret->has_via = via != NULL;
	return prefix_parse(dst, &ret->dst);
}

int read_route(struct reader *r, const struct value *v, void *object)
{
	struct interface *in = object;
	struct extra_route route = { 0 }, *slot;
	char *text = strdup(v->text), meant[PREFIX_TEXT_SIZE];
	int err;

	if (!text)
		return -ENOMEM;
	err = parse_route(text, &route);
	free(text);
	if (err == -EDOM)
		return reader_bad(r, v, "has host bits set; did you mean \"%s\"?",
				  prefix_print(&route.dst, meant));
	if (err < 0)
		return reader_mismatch(r, v);
	if (route.has_via && route.via.family != route.dst.addr.family)
		return reader_bad(r, v, "leads from one family into the other");
	if (route.has_via && !can_be_gateway(&route.via))
		return reader_bad(r, v, "names what can't be a gateway");
	slot = VEC_PUSH(in->routes, in->route_count);
	if (!slot)
		return -ENOMEM;
	*slot = route;
	return 0;
}
