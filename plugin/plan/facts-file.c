/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The tables of the file of facts, and facts as text.
 */
#include "plan/facts-file.h"

#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"

#define F(kind, key, type, member) { key, FIELD_##kind, offsetof(type, member), NO_PRESENCE }
/* One that is there when another member says so. */
#define O(kind, key, type, member, has) { key, FIELD_##kind, offsetof(type, member), offsetof(type, has) }

static const struct field host_fields[] = {
	F(FLAG, "ipv4", struct facts, has_family[FAMILY_IPV4]),
	F(FLAG, "ipv6", struct facts, has_family[FAMILY_IPV6]),
	F(FLAG, "forwarding-ipv4", struct facts, forwarding[FAMILY_IPV4]),
	F(FLAG, "forwarding-ipv6", struct facts, forwarding[FAMILY_IPV6]),
	F(U8, "rp-filter-all", struct facts, rp_filter_all),
	F(MARK, "hash-seed", struct facts, hash_seed),
	F(I64, "now", struct facts, now),
	F(I32, "utc-offset", struct facts, utc_offset),
	F(FLAG, "knows-carried", struct facts, has_carried),
};

static const struct field link_fields[] = {
	F(U32, "index", struct link, index),
	F(NAME, "name", struct link, name),
	F(FLAG, "up", struct link, up),
	F(FLAG, "carrier", struct link, carrier),
	F(FLAG, "point-to-point", struct link, point_to_point),
	F(FLAG, "loopback", struct link, loopback),
	F(FLAG, "enslaved", struct link, enslaved),
	F(U32, "mtu", struct link, mtu),
	F(U8, "rp-filter", struct link, rp_filter),
	F(U8, "src-valid-mark", struct link, src_valid_mark),
	F(FLAG, "prefers-temporary", struct link, prefers_temporary),
	O(ADDR, "lease-ipv4", struct link, lease[FAMILY_IPV4], has_lease[FAMILY_IPV4]),
	O(ADDR, "lease-ipv6", struct link, lease[FAMILY_IPV6], has_lease[FAMILY_IPV6]),
};

static const struct field address_fields[] = {
	F(U32, "link", struct address, link),
	F(ADDR, "addr", struct address, addr),
	F(U8, "len", struct address, len),
	F(U8, "scope", struct address, scope),
	F(FLAG, "tentative", struct address, tentative),
	F(FLAG, "duplicate", struct address, duplicate),
	F(FLAG, "deprecated", struct address, deprecated),
	F(FLAG, "temporary", struct address, temporary),
	F(FLAG, "secondary", struct address, secondary),
	F(U32, "order", struct address, order),
	F(ADDR, "peer", struct address, peer),
};

static const struct field route_fields[] = {
	F(FAMILY, "family", struct route, family),
	F(PREFIX, "dst", struct route, dst),
	O(ADDR, "via", struct route, gateway, has_gateway),
	F(U32, "oif", struct route, oif),
	F(U32, "table", struct route, table),
	F(U8, "type", struct route, type),
	F(U8, "protocol", struct route, protocol),
	F(U8, "scope", struct route, scope),
	F(U32, "metric", struct route, metric),
	O(ADDR, "src", struct route, src, has_src),
	F(U32, "mtu", struct route, mtu),
	F(FLAG, "onlink", struct route, onlink),
	F(FLAG, "dead", struct route, dead),
};

static const struct field rule_fields[] = {
	F(FAMILY, "family", struct rule, family),
	F(U32, "priority", struct rule, priority),
	F(FLAG, "not", struct rule, invert),
	F(PREFIX, "from", struct rule, src),
	F(PREFIX, "to", struct rule, dst),
	F(MARK, "fwmark", struct rule, fwmark),
	F(MARK, "fwmask", struct rule, fwmask),
	F(NAME, "iif", struct rule, iif),
	F(NAME, "oif", struct rule, oif),
	O(RANGE, "uids", struct rule, uids, has_uids),
	F(U8, "ip-protocol", struct rule, ip_protocol),
	F(RANGE, "sport", struct rule, sport),
	F(RANGE, "dport", struct rule, dport),
	F(FLAG, "other", struct rule, has_other),
	F(ACTION, "action", struct rule, action),
	F(U32, "table", struct rule, table),
	F(U32, "target", struct rule, target),
	O(U32, "suppress", struct rule, suppress, has_suppress),
	F(U8, "protocol", struct rule, protocol),
};

static const struct field told_fields[] = {
	F(NAME, "name", struct told, name),
	F(U32, "index", struct told, index),
	F(FLAG, "down", struct told, down),
	F(FLAG, "offline", struct told, offline),
	F(FLAG, "refused-ipv4", struct told, refused[FAMILY_IPV4]),
	F(FLAG, "refused-ipv6", struct told, refused[FAMILY_IPV6]),
	O(ADDR, "gateway-ipv4", struct told, gateway[FAMILY_IPV4], has_gateway[FAMILY_IPV4]),
	O(ADDR, "gateway-ipv6", struct told, gateway[FAMILY_IPV6], has_gateway[FAMILY_IPV6]),
};

static const struct field saved_fields[] = {
	F(NAME, "name", struct saved_sysctl, name),
	F(U32, "index", struct saved_sysctl, index),
	F(FLAG, "src-valid-mark", struct saved_sysctl, src_valid_mark),
	F(U8, "value", struct saved_sysctl, value),
};

static const struct field name_fields[] = {
	F(KIND, "kind", struct fact_name, kind),
	F(TEXT, "name", struct fact_name, name),
	F(U32, "id", struct fact_name, id),
};

static const struct field carried_fields[] = { { "marks", FIELD_RANGE, 0, NO_PRESENCE } };
static const struct field cgroup_fields[] = { { "path", FIELD_TEXT, 0, NO_PRESENCE } };

#define ARRAY(word, fields, type, array, count) \
	{ word, fields, ARRAY_SIZE(fields), sizeof(type), offsetof(struct facts, array), offsetof(struct facts, count) }

const struct record fact_records[RECORD_COUNT] = {
	{ "host", host_fields, ARRAY_SIZE(host_fields), 0, 0, 0 },
	ARRAY("link", link_fields, struct link, links.v, links.count),
	ARRAY("address", address_fields, struct address, addresses, address_count),
	ARRAY("route", route_fields, struct route, routes, route_count),
	ARRAY("rule", rule_fields, struct rule, rules, rule_count),
	ARRAY("told", told_fields, struct told, told, told_count),
	ARRAY("saved", saved_fields, struct saved_sysctl, saved, saved_count),
	ARRAY("cgroup", cgroup_fields, char *, cgroups, cgroup_count),
	ARRAY("carried", carried_fields, struct number_range, carried.v, carried.count),
	ARRAY("name", name_fields, struct fact_name, names, name_count),
};

const char *const fact_actions[RULE_OTHER + 2] = {
	[RULE_LOOKUP] = "lookup",	    [RULE_GOTO] = "goto",	  [RULE_NOP] = "nop",
	[RULE_UNREACHABLE] = "unreachable", [RULE_PROHIBIT] = "prohibit", [RULE_BLACKHOLE] = "blackhole",
	[RULE_OTHER] = "other",
};

const char *const fact_kinds[4] = { "user", "group", "service" };

/* ---- printing ---- */

static void print_escaped(const char *text, bool spaces, struct strbuf *out)
{
	for (; *text; text++) {
		unsigned char c = *text;

		if (c == '\\' || c >= 0x7f || (c < ' ' && !(spaces && c == '\t')) || (c == ' ' && !spaces))
			strbuf_printf(out, "\\x%02x", c);
		else
			strbuf_add_bytes(out, text, 1);
	}
}

static const char *kind_word(char kind)
{
	for (size_t i = 0; fact_kinds[i]; i++)
		if (fact_kinds[i][0] == kind)
			return fact_kinds[i];
	return "service";
}

static bool is_zero(const void *at, size_t size)
{
	static const char zero[sizeof(struct prefix)];

	return memcmp(at, zero, size) == 0;
}

/* Whether a value is what a line without it would mean. */
static bool is_default(const struct field *f, const char *at)
{
	switch (f->kind) {
	case FIELD_FLAG:   return !*(const bool *)at;
	case FIELD_U8:	   return !*at;
	case FIELD_U32:
	case FIELD_MARK:   return is_zero(at, sizeof(uint32_t));
	case FIELD_I32:	   return is_zero(at, sizeof(int32_t));
	case FIELD_I64:	   return is_zero(at, sizeof(int64_t));
	case FIELD_NAME:   return !*at;
	case FIELD_RANGE:  return is_zero(at, sizeof(struct number_range));
	case FIELD_ADDR:   return is_zero(at, sizeof(struct addr));
	case FIELD_PREFIX:
	case FIELD_TEXT:
	case FIELD_FAMILY:
	case FIELD_ACTION:
	case FIELD_KIND:   return false;
	}
	return false;
}

static void print_prefix(const struct prefix *p, struct strbuf *out)
{
	char text[ADDR_TEXT_SIZE];

	strbuf_printf(out, " %s/%u", addr_print(&p->addr, text), p->len);
}

static void print_value(const struct field *f, const void *at, struct strbuf *out)
{
	const struct number_range *range = at;
	char text[ADDR_TEXT_SIZE];

	switch (f->kind) {
	case FIELD_FLAG:
		break;
	case FIELD_U8:
		strbuf_printf(out, " %u", *(const uint8_t *)at);
		break;
	case FIELD_U32:
		strbuf_printf(out, " %" PRIu32, *(const uint32_t *)at);
		break;
	case FIELD_MARK:
		strbuf_printf(out, " 0x%08" PRIx32, *(const uint32_t *)at);
		break;
	case FIELD_I32:
		strbuf_printf(out, " %" PRId32, *(const int32_t *)at);
		break;
	case FIELD_I64:
		strbuf_printf(out, " %" PRId64, *(const int64_t *)at);
		break;
	case FIELD_NAME:
		strbuf_add(out, " ");
		print_escaped(at, false, out);
		break;
	case FIELD_TEXT:
		strbuf_add(out, " ");
		print_escaped(*(char *const *)at, false, out);
		break;
	case FIELD_ADDR:
		strbuf_printf(out, " %s", addr_print(at, text));
		break;
	case FIELD_PREFIX:
		print_prefix(at, out);
		break;
	case FIELD_RANGE:
		strbuf_printf(out, " %" PRIu32 "-%" PRIu32, range->from, range->to);
		break;
	case FIELD_FAMILY:
		strbuf_printf(out, " %s", family_name(*(const enum family *)at));
		break;
	case FIELD_ACTION:
		strbuf_printf(out, " %s", fact_actions[*(const enum rule_action *)at]);
		break;
	case FIELD_KIND:
		strbuf_printf(out, " %s", kind_word(*(const char *)at));
		break;
	}
}

static void print_record(const struct record *r, const char *base, struct strbuf *out)
{
	strbuf_add(out, r->word);
	for (size_t i = 0; i < r->field_count; i++) {
		const struct field *f = &r->fields[i];

		if (f->presence == NO_PRESENCE ? is_default(f, base + f->at) : !*(const bool *)(base + f->presence))
			continue;
		strbuf_printf(out, " %s", f->key);
		print_value(f, base + f->at, out);
	}
	strbuf_add(out, "\n");
}

/* One fact for each line of the listing; the last one says so when it doesn't end with a newline. */
static void print_listing(const char *text, struct strbuf *out)
{
	const char *end;

	for (; (end = strchr(text, '\n')); text = end + 1) {
		CLEANUP(strbuf_done) struct strbuf line = { 0 };

		strbuf_add_bytes(&line, text, end - text);
		strbuf_add(out, "nft ");
		print_escaped(line.text ?: "", true, out);
		strbuf_add(out, "\n");
		out->failed |= line.failed;
	}
	strbuf_add(out, "nft-end ");
	print_escaped(text, true, out);
	strbuf_add(out, "\n");
}

void facts_print(const struct facts *f, struct strbuf *out)
{
	const char *base = (const char *)f;

	strbuf_add(out, FACTS_FIRST_LINE "\n");
	for (size_t i = 0; i < RECORD_COUNT; i++) {
		const struct record *r = &fact_records[i];
		const char *v;
		size_t count;

		if (!r->size) {
			print_record(r, base, out);
			continue;
		}
		memcpy(&v, base + r->array, sizeof(v));
		memcpy(&count, base + r->count, sizeof(count));
		for (size_t k = 0; k < count; k++)
			print_record(r, v + k * r->size, out);
	}
	if (f->nft)
		print_listing(f->nft, out);
}
