/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The policy language as tables: every key, its types, and who reads it.
 */
#include <errno.h>
#include <stddef.h>

#include "base/vec.h"
#include "policy/reader.h"

#define NUMBER_OR_TEXT (KEY_NUMBER | KEY_TEXT)
#define TEXTS (KEY_TEXT | KEY_SEVERAL)
#define NEGATABLE_TEXTS (TEXTS | KEY_NEGATABLE)
#define NEGATABLE_NUMBERS (NEGATABLE_TEXTS | KEY_NUMBER)
#define LIST_OF_GROUPS KEY_GROUPS | KEY_MAY_BE_EMPTY, "a list of groups ( { ... }, ... )"

/* ---- settings ---- */

static const struct word rp_filter_words[] = {
	{ "loose", RP_FILTER_LOOSE },
	{ "keep", RP_FILTER_KEEP },
	{ 0 },
};

static const struct key settings_keys[SETTINGS_KEYS] = {
	{ "mark_mask", NUMBER_OR_TEXT, "a mask such as \"0xff000000\"", .read = read_mark_mask },
	{ "rule_priority", KEY_NUMBER, "a number from 1 to 31000", .read = read_rule_priority },
	{ "table_base", NUMBER_OR_TEXT, "a number from 256", .read = read_table_base },
	{ "rp_filter", KEY_TEXT, NULL, .read = read_word, .words = rp_filter_words,
	  .offset = offsetof(struct settings, rp_filter) },
};

static void *settings_begin(struct reader *r, void *outer)
{
	(void)outer;
	return &r->config->settings;
}

/* Scalars have no order in which they could override each other: one place only. */
static int settings_end(struct reader *r, void *object)
{
	(void)object;
	for (size_t k = 0; k < SETTINGS_KEYS; k++) {
		unsigned int line = r->scope->lines.line[k];

		if (!line)
			continue;
		if (r->settings_at[k].file)
			reader_error(r, line, "%s: is already set at %s:%u", settings_keys[k].name,
				     r->settings_at[k].file, r->settings_at[k].line);
		else
			r->settings_at[k] = (struct where){ r->file, line };
	}
	return 0;
}

static const struct schema settings_schema = {
	"settings", settings_keys, SETTINGS_KEYS, settings_begin, settings_end,
};

/* ---- interfaces ---- */

static const struct word snat_words[] = {
	{ "auto", SNAT_AUTO },
	{ "always", SNAT_ALWAYS },
	{ "never", SNAT_NEVER },
	{ 0 },
};

static const struct word gateway_words[] = {
	{ "auto", GATEWAY_AUTO },
	{ "first", GATEWAY_FIRST },
	{ "none", GATEWAY_NONE },
	{ 0 },
};

static int read_symmetric(struct reader *r, const struct value *v, void *object)
{
	(void)r;
	((struct interface *)object)->symmetric = v->number ? SYMMETRIC_YES : SYMMETRIC_NO;
	return 0;
}

static const struct key interface_keys[INTERFACE_KEYS] = {
	[INTERFACE_NAME] = { "name", KEY_TEXT | KEY_REQUIRED, "an interface's name",
			     .read = read_interface_name },
	[INTERFACE_TABLE] = { "table", NUMBER_OR_TEXT, "the number of a routing table",
			      .read = read_interface_table },
	[INTERFACE_GATEWAY] = { "gateway", TEXTS, "an address, \"auto\", \"first\" or \"none\"",
				.read = read_gateway, .words = gateway_words },
	[INTERFACE_ROUTES] = { "routes", TEXTS | KEY_MAY_BE_EMPTY,
			       "\"PREFIX\" or \"PREFIX via ADDRESS\"", .read = read_route },
	[INTERFACE_SYMMETRIC] = { "symmetric", KEY_BOOL, "true or false", .read = read_symmetric },
	[INTERFACE_SNAT] = { "snat", KEY_TEXT, NULL, .read = read_word, .words = snat_words,
			     .offset = offsetof(struct interface, snat) },
};

static void *interface_begin(struct reader *r, void *outer)
{
	struct config *c = outer;
	struct interface *in = VEC_PUSH(c->interfaces, c->interface_count);

	if (in)
		in->at = (struct where){ r->file, r->scope->line };
	return in;
}

static int interface_end(struct reader *r, void *object)
{
	const struct interface *in = object;
	const unsigned int *line = r->scope->lines.line;
	struct key_lines *slot = VEC_PUSH(r->interface_lines, r->interface_count);

	if (!slot)
		return -ENOMEM;
	*slot = r->scope->lines;
	if (in->is_glob && line[INTERFACE_TABLE])
		reader_error(r, line[INTERFACE_TABLE],
			     "table: one table can't serve all that a pattern matches");
	return 0;
}

const struct schema interface_schema = {
	"interface", interface_keys, INTERFACE_KEYS, interface_begin, interface_end,
};

/* ---- sets ---- */

static const struct key set_keys[SET_KEYS] = {
	[SET_NAME] = { "name", KEY_TEXT | KEY_REQUIRED,
		       "a name of letters, digits and \"_\", no digit first",
		       .read = read_set_name },
	[SET_ELEMENTS] = { "elements", TEXTS, "an address, prefix or range", .read = read_element },
	[SET_FILE] = { "file", TEXTS, "the name of a file", .read = read_set_file },
	[SET_DYNAMIC] = { "dynamic", KEY_BOOL, "true or false", .read = read_bool,
			  .offset = offsetof(struct set, dynamic) },
	[SET_TIMEOUT] = { "timeout", KEY_TEXT, "a time such as \"1h\" or \"1d12h\"",
			  .read = read_timeout },
};

static void *set_begin(struct reader *r, void *outer)
{
	struct config *c = outer;
	struct set *s = VEC_PUSH(c->sets, c->set_count);

	if (s)
		s->at = (struct where){ r->file, r->scope->line };
	return s;
}

static int set_end(struct reader *r, void *object)
{
	const unsigned int *line = r->scope->lines.line;
	struct set *s = object;

	if (s->dynamic && line[SET_ELEMENTS])
		reader_error(r, line[SET_ELEMENTS], "elements: others fill a dynamic set");
	if (s->dynamic && line[SET_FILE])
		reader_error(r, line[SET_FILE], "file: others fill a dynamic set");
	if (!s->dynamic && line[SET_TIMEOUT])
		reader_error(r, line[SET_TIMEOUT], "timeout: only a dynamic set has one");
	if (!s->dynamic && !line[SET_ELEMENTS] && !line[SET_FILE])
		reader_error(r, r->scope->line,
			     "one of \"elements\", \"file\" and \"dynamic = true\" is required");
	for (int f = 0; f < FAMILY_COUNT; f++)
		addr_ranges_normalise(&s->elements[f]);
	return 0;
}

const struct schema set_schema = { "set", set_keys, SET_KEYS, set_begin, set_end };

/* ---- policies ---- */

static const struct key member_keys[] = {
	{ "interface", KEY_TEXT | KEY_REQUIRED, "the name of an interface",
	  .read = read_member_interface },
	{ "weight", KEY_NUMBER, "a number from 1 to 65535", .read = read_weight },
};

static void *member_begin(struct reader *r, void *outer)
{
	struct policy *p = outer;
	struct member *m = VEC_PUSH(p->members, p->member_count);

	(void)r;
	p->action = ACTION_BALANCE;
	if (m)
		m->weight = 1;
	return m;
}

static const struct schema member_schema = {
	NULL, member_keys, ARRAY_SIZE(member_keys), member_begin, NULL,
};

static const struct word origin_words[] = {
	{ "any", ORIGIN_ANY },
	{ "local", ORIGIN_LOCAL },
	{ "forwarded", ORIGIN_FORWARDED },
	{ 0 },
};

static const struct word family_words[] = {
	{ "ipv4", FAMILY_IPV4 },
	{ "ipv6", FAMILY_IPV6 },
	{ 0 },
};

static const struct word day_words[] = {
	{ "mon", 0 }, { "tue", 1 }, { "wed", 2 }, { "thu", 3 },
	{ "fri", 4 }, { "sat", 5 }, { "sun", 6 }, { 0 },
};

static const struct word action_words[] = {
	{ "main", ACTION_MAIN },
	{ "unreachable", ACTION_UNREACHABLE },
	{ "prohibit", ACTION_PROHIBIT },
	{ "blackhole", ACTION_BLACKHOLE },
	{ 0 },
};

static const struct word otherwise_words[] = {
	{ "main", OTHERWISE_MAIN },
	{ "next", OTHERWISE_NEXT },
	{ "unreachable", OTHERWISE_UNREACHABLE },
	{ "prohibit", OTHERWISE_PROHIBIT },
	{ "blackhole", OTHERWISE_BLACKHOLE },
	{ 0 },
};

static const struct word protocol_words[] = {
	{ "tcp", 6 },	{ "udp", 17 }, { "icmp", 1 }, { "icmpv6", 58 }, { "sctp", 132 },
	{ "dccp", 33 }, { "esp", 50 }, { "ah", 51 },  { "gre", 47 },	{ 0 },
};

const char *protocol_word(uint32_t protocol)
{
	for (const struct word *w = protocol_words; w->text; w++)
		if ((uint32_t)w->value == protocol)
			return w->text;
	return NULL;
}

/* RFC 2474, 2597, 3246, 5865, 8622. */
static const struct word dscp_words[] = {
	{ "cs0", 0 },	{ "cs1", 8 },	{ "cs2", 16 },	{ "cs3", 24 },	{ "cs4", 32 },
	{ "cs5", 40 },	{ "cs6", 48 },	{ "cs7", 56 },	{ "af11", 10 }, { "af12", 12 },
	{ "af13", 14 }, { "af21", 18 }, { "af22", 20 }, { "af23", 22 }, { "af31", 26 },
	{ "af32", 28 }, { "af33", 30 }, { "af41", 34 }, { "af42", 36 }, { "af43", 38 },
	{ "ef", 46 },	{ "va", 44 },	{ "be", 0 },	{ "le", 1 },	{ 0 },
};

/* `protocol` stands before the ports: the services that they name depend on it. */
static const struct key policy_keys[POLICY_KEYS] = {
	[POLICY_NAME] = { "name", KEY_TEXT | KEY_REQUIRED,
			  "a name of letters, digits, \".\", \"_\", \"-\", a letter or digit first",
			  .read = read_policy_name },
	[POLICY_ENABLED] = { "enabled", KEY_BOOL, "true or false", .read = read_bool,
			     .offset = offsetof(struct policy, enabled) },
	[POLICY_FROM] = { "from", NEGATABLE_TEXTS, "an address, prefix or range",
			  .read = read_from },
	[POLICY_TO] = { "to", NEGATABLE_TEXTS, "an address, prefix or range", .read = read_to },
	[POLICY_IN] = { "in", NEGATABLE_TEXTS, "the name of an interface", .read = read_in },
	[POLICY_ORIGIN] = { "origin", KEY_TEXT, NULL, .read = read_word, .words = origin_words,
			    .offset = offsetof(struct policy, origin) },
	[POLICY_FAMILY] = { "family", KEY_TEXT, NULL, .read = read_family, .words = family_words },
	[POLICY_PROTOCOL] = { "protocol", NEGATABLE_NUMBERS,
			      "a protocol's name or a number from 0 to 255", .read = read_protocol,
			      .words = protocol_words },
	[POLICY_SPORT] = { "sport", NEGATABLE_NUMBERS, "a port, a range of ports or a service",
			   .read = read_sport },
	[POLICY_DPORT] = { "dport", NEGATABLE_NUMBERS, "a port, a range of ports or a service",
			   .read = read_dport },
	[POLICY_USER] = { "user", NEGATABLE_NUMBERS, "a user, an id or a range of ids",
			  .read = read_user },
	[POLICY_GROUP] = { "group", NEGATABLE_NUMBERS, "a group, an id or a range of ids",
			   .read = read_group },
	[POLICY_CGROUP] = { "cgroup", NEGATABLE_TEXTS,
			    "a path below /sys/fs/cgroup such as \"system.slice/backup.service\"",
			    .read = read_cgroup },
	[POLICY_DSCP] = { "dscp", NEGATABLE_NUMBERS,
			  "a code point such as \"af41\" or a number from 0 to 63",
			  .read = read_dscp, .words = dscp_words },
	[POLICY_MAC] = { "mac", NEGATABLE_TEXTS, "a hardware address such as \"00:16:3e:12:34:56\"",
			 .read = read_mac },
	[POLICY_MARK] = { "mark", NEGATABLE_NUMBERS, "\"VALUE/MASK\" or \"VALUE\"",
			  .read = read_mark },
	[POLICY_HOURS] = { "hours", NEGATABLE_TEXTS, "hours such as \"09:00-17:00\"",
			   .read = read_hours },
	[POLICY_DAYS] = { "days", NEGATABLE_TEXTS, NULL, .read = read_day, .words = day_words },
	[POLICY_VIA] = { "via", TEXTS, "the name of an interface", .read = read_via },
	[POLICY_BALANCE] = { "balance", KEY_GROUPS,
			     "a list ( { interface = \"NAME\"; weight = 1; }, ... )",
			     .schema = &member_schema },
	[POLICY_TABLE] = { "table", NUMBER_OR_TEXT, "the number of a routing table",
			   .read = read_policy_table },
	[POLICY_ACTION] = { "action", KEY_TEXT, NULL, .read = read_word, .words = action_words,
			    .offset = offsetof(struct policy, action) },
	[POLICY_OTHERWISE] = { "otherwise", KEY_TEXT, NULL, .read = read_word,
			       .words = otherwise_words,
			       .offset = offsetof(struct policy, otherwise) },
};

static void *policy_begin(struct reader *r, void *outer)
{
	struct config *c = outer;
	struct policy *p = VEC_PUSH(c->policies, c->policy_count);

	if (p) {
		p->at = (struct where){ r->file, r->scope->line };
		p->enabled = true;
		p->family[FAMILY_IPV4] = p->family[FAMILY_IPV6] = true;
	}
	return p;
}

static int policy_end(struct reader *r, void *object)
{
	struct key_lines *slot = VEC_PUSH(r->policy_lines, r->policy_count);

	(void)object;
	if (!slot)
		return -ENOMEM;
	*slot = r->scope->lines;
	return 0;
}

const struct schema policy_schema = {
	"policy", policy_keys, POLICY_KEYS, policy_begin, policy_end,
};

/* ---- the file ---- */

static const struct key file_keys[] = {
	{ "settings", KEY_GROUP, "a group { ... }", .schema = &settings_schema },
	{ "interfaces", LIST_OF_GROUPS, .schema = &interface_schema },
	{ "sets", LIST_OF_GROUPS, .schema = &set_schema },
	{ "policies", LIST_OF_GROUPS, .schema = &policy_schema },
};

static void *file_begin(struct reader *r, void *outer)
{
	(void)r;
	return outer;
}

const struct schema file_schema = { NULL, file_keys, ARRAY_SIZE(file_keys), file_begin, NULL };
