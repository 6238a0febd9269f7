/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Parsers of settings, names, actions, and of what a set is.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "policy/reader.h"

#define POLICY_NAME_MAX 63
#define MARK_BITS_MIN 4
#define MARK_BITS_MAX 16
#define BAND_FIRST_MAX 31000
#define WEIGHT_MAX 65535

/* ---- names ---- */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_alnum(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9');
}

int read_policy_name(struct reader *r, const struct value *v, void *object)
{
	struct policy *p = object;

	if (!is_alnum(*v->text))
		return reader_mismatch(r, v);
	for (const char *c = v->text; *c; c++)
		if (!is_alnum(*c) && !strchr("._-", *c))
			return reader_mismatch(r, v);
	if (strlen(v->text) > POLICY_NAME_MAX)
		return reader_bad(r, v, "is too long, expected at most %d bytes", POLICY_NAME_MAX);
	p->name = strdup(v->text);
	return p->name ? 0 : -ENOMEM;
}

int read_set_name(struct reader *r, const struct value *v, void *object)
{
	struct set *s = object;

	if (!is_letter(*v->text) && *v->text != '_')
		return reader_mismatch(r, v);
	for (const char *c = v->text; *c; c++)
		if (!is_alnum(*c) && *c != '_')
			return reader_mismatch(r, v);
	if (strlen(v->text) > SET_NAME_MAX)
		return reader_bad(r, v, "is too long, expected at most %d bytes", SET_NAME_MAX);
	s->name = strdup(v->text);
	return s->name ? 0 : -ENOMEM;
}

int read_interface_name(struct reader *r, const struct value *v, void *object)
{
	struct interface *in = object;
	int err = value_interface(r, v, in->name);

	if (err < 0)
		return err;
	if (strcmp(in->name, "lo") == 0)
		return reader_bad(r, v, "is the loopback interface, which is never managed");
	in->is_glob = strchr(in->name, '*') != NULL;
	return 0;
}

/* ---- settings ---- */

int read_mark_mask(struct reader *r, const struct value *v, void *object)
{
	uint32_t mask, bits;
	int err = value_number(r, v, 0, UINT32_MAX, &mask);

	if (err < 0)
		return err;
	bits = __builtin_popcount(mask);
	if (bits < MARK_BITS_MIN || bits > MARK_BITS_MAX)
		return reader_bad(r, v, "has %u bits, expected %d to %d", bits, MARK_BITS_MIN,
				  MARK_BITS_MAX);
	if ((mask >> __builtin_ctz(mask)) != (1u << bits) - 1)
		return reader_bad(r, v, "has a gap: the bits must be contiguous");
	((struct settings *)object)->mark_mask = mask;
	return 0;
}

int read_rule_priority(struct reader *r, const struct value *v, void *object)
{
	return value_number(r, v, 1, BAND_FIRST_MAX, &((struct settings *)object)->rule_priority);
}

int read_table_base(struct reader *r, const struct value *v, void *object)
{
	/* The last slot that a mask of 16 bits has must have a number too. */
	return value_number(r, v, 256, UINT32_MAX - UINT16_MAX,
			    &((struct settings *)object)->table_base);
}

/* ---- tables, members ---- */

static int value_table(struct reader *r, const struct value *v, uint32_t *ret)
{
	uint32_t table;
	int err = value_number(r, v, 1, UINT32_MAX, &table);

	if (err < 0)
		return err;
	if (table >= 253 && table <= 255)
		return reader_bad(r, v, "is the kernel's table \"%s\"",
				  table == 253	 ? "default"
				  : table == 254 ? "main"
						 : "local");
	*ret = table;
	return 0;
}

int read_interface_table(struct reader *r, const struct value *v, void *object)
{
	return value_table(r, v, &((struct interface *)object)->table);
}

int read_policy_table(struct reader *r, const struct value *v, void *object)
{
	struct policy *p = object;

	p->action = ACTION_TABLE;
	return value_table(r, v, &p->table);
}

static int member_name(struct reader *r, const struct value *v, int key, size_t ref,
		       char ret[static NAME_SIZE])
{
	int err = value_interface(r, v, ret);

	if (err < 0)
		return err;
	if (strchr(ret, '*'))
		return reader_bad(r, v, "is a pattern, expected the name of one interface");
	return reader_use(r, key, v->line, ref, NULL);
}

int read_via(struct reader *r, const struct value *v, void *object)
{
	struct policy *p = object;
	struct member *m = VEC_PUSH(p->members, p->member_count);

	if (!m)
		return -ENOMEM;
	p->action = ACTION_VIA;
	m->weight = 1;
	return member_name(r, v, POLICY_VIA, p->member_count - 1, m->name);
}

int read_member_interface(struct reader *r, const struct value *v, void *object)
{
	const struct policy *p = r->scope->outer->object;

	return member_name(r, v, POLICY_BALANCE, p->member_count - 1,
			   ((struct member *)object)->name);
}

int read_weight(struct reader *r, const struct value *v, void *object)
{
	return value_number(r, v, 1, WEIGHT_MAX, &((struct member *)object)->weight);
}

/* ---- sets ---- */

/* "90s", "15m", "1h", "2d", and these in a row from the large to the small: "1d12h". */
static int parse_duration(const char *text, uint32_t *ret)
{
	static const struct word units[] = {
		{ "d", 86400 }, { "h", 3600 }, { "m", 60 }, { "s", 1 }
	};
	uint64_t total = 0;
	size_t unit = 0;

	while (*text) {
		uint64_t n = 0;

		if (!isdigit((unsigned char)*text))
			return -EINVAL;
		for (; isdigit((unsigned char)*text); text++) {
			n = n * 10 + (*text - '0');
			if (n > UINT32_MAX)
				return -ERANGE;
		}
		while (unit < ARRAY_SIZE(units) && *text != *units[unit].text)
			unit++;
		if (unit == ARRAY_SIZE(units))
			return -EINVAL;
		total += n * units[unit++].value;
		text++;
	}
	if (total == 0 || total > 365 * 86400)
		return -ERANGE;
	*ret = total;
	return 0;
}

int read_timeout(struct reader *r, const struct value *v, void *object)
{
	int err = parse_duration(v->text, &((struct set *)object)->timeout);

	if (err == -ERANGE)
		return reader_bad(r, v, "is out of range, expected 1s to 365d");
	return err ? reader_mismatch(r, v) : 0;
}
