/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Parsers of the selectors of a policy, but for addresses.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "policy/reader.h"

/* (uid_t)-1 and (gid_t)-1 mean "nobody at all" to the kernel. */
#define ID_MAX (UINT32_MAX - 1)

static int match_number(struct number_match *m, const struct value *v, struct number_range range)
{
	return numbers_add(v->negated ? &m->no : &m->yes, range);
}

/* Once each. */
static int match_name(struct name_match *m, const struct value *v, const char *text)
{
	struct name *slot;
	char *copy;

	for (size_t i = 0; i < m->count; i++)
		if (m->v[i].negated == v->negated && !strcmp(m->v[i].text, text))
			return 0;
	copy = strdup(text);
	slot = copy ? VEC_PUSH(m->v, m->count) : NULL;
	if (!slot) {
		free(copy);
		return -ENOMEM;
	}
	*slot = (struct name){ .text = copy, .negated = v->negated };
	return 0;
}

/* A number, or one of the key's words. */
static int match_word_or_number(struct reader *r, const struct value *v, uint32_t max,
				struct number_match *m)
{
	struct number_range range;
	int err;

	m->given = true;
	for (const struct word *w = r->scope->key->words; v->kind == VALUE_TEXT && w->text; w++)
		if (strcmp(w->text, v->text) == 0)
			return match_number(m, v, (struct number_range){ w->value, w->value });
	err = value_number(r, v, 0, max, &range.from);
	range.to = range.from;
	return err ? err : match_number(m, v, range);
}

/* ---- protocols and ports ---- */

bool protocol_has_ports(uint32_t protocol)
{
	return protocol == 6 || protocol == 17 || protocol == 132 || protocol == 33 ||
	       protocol == 136;
}

int read_protocol(struct reader *r, const struct value *v, void *object)
{
	return match_word_or_number(r, v, 255, &((struct policy *)object)->protocol);
}

/* Whether a policy's `protocol`, which was read before, lets this one through. */
static bool protocol_wanted(const struct policy *p, uint32_t protocol)
{
	const struct number_match *m = &p->protocol;

	if (!m->given)
		return protocol == 6 || protocol == 17;
	return (m->yes.count == 0 || numbers_contain(&m->yes, protocol)) &&
	       !numbers_contain(&m->no, protocol);
}

/* No memory is nobody's mistake in the policy. */
static int not_looked_up(struct reader *r, const struct value *v, int err)
{
	if (err == -ENOMEM)
		return err;
	return reader_bad(r, v, "could not be looked up: %s", strerror(-err));
}

/* A service's port for each of the policy's protocols that know it. */
static int match_service(struct reader *r, const struct value *v, const struct policy *p,
			 struct number_match *m)
{
	static const struct word with_services[] = {
		{ "tcp", 6 }, { "udp", 17 }, { "sctp", 132 }, { "dccp", 33 }
	};
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(with_services); i++) {
		uint16_t port;
		int err;

		if (!protocol_wanted(p, with_services[i].value))
			continue;
		err = r->names->service(r->names->ctx, v->text, with_services[i].text, &port);
		if (err == -ENOENT)
			continue;
		if (err < 0)
			return not_looked_up(r, v, err);
		found = true;
		err = match_number(m, v, (struct number_range){ port, port });
		if (err < 0)
			return err;
	}
	if (!found)
		return reader_bad(
			r, v,
			"is not a port, a range of ports or a service known for the protocol");
	return 0;
}

static int read_port(struct reader *r, const struct value *v, const struct policy *p,
		     struct number_match *m)
{
	struct number_range range;
	int err = value_range(r, v, UINT16_MAX, &range);

	m->given = true;
	if (err == -ENOENT)
		return match_service(r, v, p, m);
	return err ? err : match_number(m, v, range);
}

int read_sport(struct reader *r, const struct value *v, void *object)
{
	struct policy *p = object;

	return read_port(r, v, p, &p->sport);
}

int read_dport(struct reader *r, const struct value *v, void *object)
{
	struct policy *p = object;

	return read_port(r, v, p, &p->dport);
}

/* ---- users, groups, cgroups ---- */

static int match_id(struct reader *r, const struct value *v, struct number_match *m,
		    const char *what, int (*look_up)(void *ctx, const char *name, uint32_t *ret_id))
{
	struct number_range range;
	int err = value_range(r, v, ID_MAX, &range);

	m->given = true;
	if (err == -ENOENT) {
		err = look_up(r->names->ctx, v->text, &range.from);
		range.to = range.from;
		if (err == -ENOENT)
			return reader_bad(r, v, "is not a %s of this host, an id or a range of ids",
					  what);
		if (err < 0)
			return not_looked_up(r, v, err);
	}
	return err ? err : match_number(m, v, range);
}

int read_user(struct reader *r, const struct value *v, void *object)
{
	return match_id(r, v, &((struct policy *)object)->user, "user", r->names->user);
}

int read_group(struct reader *r, const struct value *v, void *object)
{
	return match_id(r, v, &((struct policy *)object)->group, "group", r->names->group);
}

/* Relative, each part a name, and nothing in it that nft could not be told. */
static bool is_cgroup(const char *path)
{
	for (const char *part = path;; part = strchr(part, '/') + 1) {
		size_t n = strcspn(part, "/");

		if (n == 0 || (n == 1 && part[0] == '.') ||
		    (n == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		for (size_t i = 0; i < n; i++)
			if (iscntrl((unsigned char)part[i]) || part[i] == '"')
				return false;
		if (!part[n])
			return true;
	}
}

int read_cgroup(struct reader *r, const struct value *v, void *object)
{
	if (!is_cgroup(v->text))
		return reader_mismatch(r, v);
	return match_name(&((struct policy *)object)->cgroup, v, v->text);
}

/* ---- the packet ---- */

int read_in(struct reader *r, const struct value *v, void *object)
{
	char name[NAME_SIZE];
	int err = value_interface(r, v, name);

	if (err < 0)
		return err;
	if (strchr(name, '*'))
		return reader_bad(r, v, "is a pattern, expected %s", r->scope->key->expects);
	return match_name(&((struct policy *)object)->in, v, name);
}

int read_family(struct reader *r, const struct value *v, void *object)
{
	struct policy *p = object;

	for (int f = 0; f < FAMILY_COUNT; f++) {
		if (strcmp(v->text, family_name(f)) == 0) {
			p->family[!f] = false;
			return 0;
		}
	}
	return reader_mismatch(r, v);
}

int read_dscp(struct reader *r, const struct value *v, void *object)
{
	return match_word_or_number(r, v, 63, &((struct policy *)object)->dscp);
}

int read_mac(struct reader *r, const struct value *v, void *object)
{
	char mac[18];

	if (strlen(v->text) != 17)
		return reader_mismatch(r, v);
	for (size_t i = 0; i < 17; i++) {
		mac[i] = tolower((unsigned char)v->text[i]);
		if (i % 3 == 2 ? mac[i] != ':' : !isxdigit((unsigned char)mac[i]))
			return reader_mismatch(r, v);
	}
	mac[17] = '\0';
	return match_name(&((struct policy *)object)->mac, v, mac);
}

int read_mark(struct reader *r, const struct value *v, void *object)
{
	struct mark_value mark = { .mask = UINT32_MAX, .negated = v->negated }, *slot;
	struct policy *p = object;
	int err = 0;

	if (v->kind == VALUE_NUMBER)
		err = value_number(r, v, 0, UINT32_MAX, &mark.value);
	else
		err = mark_parse(v->text, &mark.value, &mark.mask);
	if (v->kind == VALUE_TEXT && err == -EDOM)
		return reader_bad(r, v, "has bits in its value that are not in its mask");
	if (v->kind == VALUE_TEXT && err < 0)
		return reader_mismatch(r, v);
	if (err < 0)
		return err;
	if (mark.mask == 0)
		return reader_bad(r, v, "has an empty mask, which every packet matches");
	slot = VEC_PUSH(p->mark.v, p->mark.count);
	if (!slot)
		return -ENOMEM;
	*slot = mark;
	return reader_use(r, POLICY_MARK, v->line, p->mark.count - 1, NULL);
}

/* ---- the clock ---- */

/* "HH:MM" in exactly five bytes, 24:00 included. */
static int parse_minute(const char *text, uint32_t *ret)
{
	unsigned int hour, minute;

	for (int i = 0; i < 5; i++)
		if (i == 2 ? text[i] != ':' : !isdigit((unsigned char)text[i]))
			return -EINVAL;
	hour = (text[0] - '0') * 10 + text[1] - '0';
	minute = (text[3] - '0') * 10 + text[4] - '0';
	if (minute > 59 || hour * 60 + minute > MINUTES_OF_DAY)
		return -EINVAL;
	*ret = hour * 60 + minute;
	return 0;
}

/* What is negated is so on each of the two days that hours may touch. */
static int add_negated_hours(struct numbers *no, struct number_range r)
{
	struct number_range next = { r.from + MINUTES_OF_DAY, r.to + MINUTES_OF_DAY };
	int err = numbers_add(no, r);

	if (err == 0)
		err = numbers_add(no, next);
	if (err == 0 && r.to >= MINUTES_OF_DAY)
		err = numbers_add(no, (struct number_range){ 0, r.to - MINUTES_OF_DAY });
	return err;
}

int read_hours(struct reader *r, const struct value *v, void *object)
{
	struct number_match *m = &((struct policy *)object)->hours;
	struct number_range hours;

	if (strlen(v->text) != 11 || v->text[5] != '-' || parse_minute(v->text, &hours.from) < 0 ||
	    parse_minute(v->text + 6, &hours.to) < 0 || hours.from == MINUTES_OF_DAY)
		return reader_mismatch(r, v);
	if (hours.from == hours.to)
		return reader_bad(r, v,
				  "ends when it begins: for the whole day leave \"hours\" out");
	m->given = true;
	hours.to += (hours.to < hours.from ? MINUTES_OF_DAY : 0) - 1;
	return v->negated ? add_negated_hours(&m->no, hours) : numbers_add(&m->yes, hours);
}

int read_day(struct reader *r, const struct value *v, void *object)
{
	struct number_match *m = &((struct policy *)object)->days;

	for (const struct word *w = r->scope->key->words; w->text; w++) {
		struct number_range day = { w->value, w->value };

		if (strcmp(w->text, v->text) == 0) {
			m->given = true;
			return numbers_add(v->negated ? &m->no : &m->yes, day);
		}
	}
	return reader_mismatch(r, v);
}
