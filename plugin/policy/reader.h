/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Inside the policy room: what reading a policy file works with. The walk (schema.c, which alone
 * knows libconfig) goes by the tables of keys (keys.c) and hands each scalar to a parser
 * (addresses.c, selectors.c, values.c). When all files are read, checks.c looks at the whole.
 */
#pragma once

#include "policy/load.h"

struct gate;
struct reader;
struct key;
struct schema;
struct strbuf;

/* ---- values, keys, schemas ---- */

enum value_kind {
	VALUE_TEXT,
	VALUE_NUMBER,
	VALUE_BOOL,
	VALUE_FLOAT,
	VALUE_ARRAY,
	VALUE_LIST,
	VALUE_GROUP,
};

/* One value as libconfig read it. */
struct value {
	enum value_kind kind;
	unsigned int line;
	const char *text;		/* VALUE_TEXT; behind the "!" when negated */
	int64_t number;			/* VALUE_NUMBER, VALUE_BOOL */
	bool negated;
	bool alone;			/* the key has this value only */
};

/* What a key may be. */
enum {
	KEY_TEXT = 1 << 0,
	KEY_NUMBER = 1 << 1,
	KEY_BOOL = 1 << 2,
	KEY_SEVERAL = 1 << 3,		/* one alone, an array or a list */
	KEY_NEGATABLE = 1 << 4,		/* a text may begin with "!" */
	KEY_MAY_BE_EMPTY = 1 << 5,
	KEY_REQUIRED = 1 << 6,
	KEY_GROUP = 1 << 7,		/* { … }, read by `schema` */
	KEY_GROUPS = 1 << 8,		/* ( { … }, … ) */
};

struct word {
	const char *text;
	int value;
};

struct key {
	const char *name;
	unsigned int flags;
	/* "an address, prefix or range": "X is not …", "expected …". NULL: one of `words`. */
	const char *expects;
	/* Reads one scalar into the object. 0, -EINVAL with a message, -ENOMEM. */
	int (*read)(struct reader *r, const struct value *v, void *object);
	const struct word *words;	/* for `read`, and for suggestions; ends without text */
	size_t offset;			/* of read_word and read_bool: where to */
	const struct schema *schema;	/* of KEY_GROUP and KEY_GROUPS */
};

#define KEYS_MAX 32

/* What groups of one kind look like. Keys are read in the order of the table. */
struct schema {
	const char *what;		/* "policy"; NULL: messages don't mention the group */
	const struct key *keys;
	size_t key_count;
	/* A new object in its default state; NULL: no memory. */
	void *(*begin)(struct reader *r, void *outer);
	/* All keys are read; may be NULL. */
	int (*end)(struct reader *r, void *object);
};

/* keys.c */
extern const struct schema file_schema;
extern const struct schema interface_schema;
extern const struct schema set_schema;
extern const struct schema policy_schema;

#define SETTINGS_KEYS 4

/* Places in the tables, and so in struct key_lines. */
enum interface_key {
	INTERFACE_NAME, INTERFACE_TABLE, INTERFACE_GATEWAY, INTERFACE_ROUTES, INTERFACE_SYMMETRIC,
	INTERFACE_SNAT, INTERFACE_KEYS
};
enum set_key { SET_NAME, SET_ELEMENTS, SET_FILE, SET_DYNAMIC, SET_TIMEOUT, SET_KEYS };
enum policy_key {
	POLICY_NAME, POLICY_ENABLED, POLICY_FROM, POLICY_TO, POLICY_IN, POLICY_ORIGIN,
	POLICY_FAMILY, POLICY_PROTOCOL, POLICY_SPORT, POLICY_DPORT, POLICY_USER, POLICY_GROUP,
	POLICY_CGROUP, POLICY_DSCP, POLICY_MAC, POLICY_MARK, POLICY_HOURS, POLICY_DAYS, POLICY_VIA,
	POLICY_BALANCE, POLICY_TABLE, POLICY_ACTION, POLICY_OTHERWISE, POLICY_KEYS
};

/* ---- the reader ---- */

/* The lines of a group's keys, by their place in the schema; 0: not given. */
struct key_lines {
	unsigned int line[KEYS_MAX];
};

/* A group that is being read. */
struct scope {
	struct scope *outer;
	const struct schema *schema;
	const struct key *key;		/* being read; NULL: the group as a whole */
	const char *name;		/* of the object, for messages; NULL: it has none */
	void *object;
	unsigned int line;
	struct key_lines lines;
};

/* What can be judged only when all files are read: a set that `from` or `to` names, an interface
 * in `via` or `balance`, a foreign `mark` against our mask. */
struct use {
	int key;			/* enum policy_key */
	unsigned int line;		/* its own, not the key's */
	size_t policy;
	size_t ref;			/* index into addr_match.sets, members or mark.v */
	char *name;			/* of a set */
};

struct reader {
	struct config *config;
	struct diag *diag;
	const struct names *names;
	set_reader read_set;
	void *ctx;

	const char *file;		/* being read; borrowed from config->files */
	struct scope *scope;
	bool incomplete;		/* a file is missing: references may go to it */
	struct where settings_at[SETTINGS_KEYS];
	struct key_lines *interface_lines;	/* beside config->interfaces */
	size_t interface_count;
	struct key_lines *policy_lines;	/* beside config->policies */
	size_t policy_count;
	struct use *uses;
	size_t use_count;
};

/* schema.c: reads a text that passed the gate. 0, -EINVAL when libconfig can't parse it, -ENOMEM;
 * values that are wrong are only in r->diag. */
MUST_CHECK int schema_read(struct reader *r, const struct schema *top, const char *text, size_t len,
			   const struct gate *gate);

/* ---- messages and the simplest values: reader.c ---- */

/* `FILE:LINE: error: policy "on-premises": to: …`; -EINVAL, as all of these. */
int reader_error(const struct reader *r, unsigned int line, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/* `… "X" PROBLEM`. */
int reader_bad(const struct reader *r, const struct value *v, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/* `… "10.0.0.0/33" is not an address, prefix or range`, as the key expects, with a suggestion. */
int reader_mismatch(const struct reader *r, const struct value *v);
/* The same with another expectation. */
int reader_expected(const struct reader *r, const struct value *v, const char *want);
/* `… is empty, expected …`, of an array or list. */
int reader_empty(const struct reader *r, const struct value *v);
/* An object's name in a message: `policy "on-premises"`. */
void object_label(struct strbuf *out, const char *what, const char *name);
/* Adds `; did you mean "via"?`, or nothing, and returns the candidate. Gives up on many candidates
 * and after many errors. */
const char *suggest(struct strbuf *out, const struct diag *d, const char *word,
		    const char *const *candidates, size_t n);

/* Remembers a use in the policy that is being read; takes a copy of `name`, which may be NULL. */
MUST_CHECK int reader_use(struct reader *r, int key, unsigned int line, size_t ref,
			  const char *name);

int read_bool(struct reader *r, const struct value *v, void *object);
int read_word(struct reader *r, const struct value *v, void *object);
/* Number or text of one, min to max. */
MUST_CHECK int value_number(struct reader *r, const struct value *v, uint32_t min, uint32_t max,
			    uint32_t *ret);
/* The same, or a text that is a range. -ENOENT without a message: a text that is no number. */
MUST_CHECK int value_range(struct reader *r, const struct value *v, uint32_t max,
			   struct number_range *ret);
/* A name that an interface can have, without any *. */
MUST_CHECK int value_interface(struct reader *r, const struct value *v, char ret[static NAME_SIZE]);

/* ---- parsers of keys ---- */

/* addresses.c */
int read_from(struct reader *r, const struct value *v, void *policy);
int read_to(struct reader *r, const struct value *v, void *policy);
int read_element(struct reader *r, const struct value *v, void *set);
int read_set_file(struct reader *r, const struct value *v, void *set);
int read_gateway(struct reader *r, const struct value *v, void *interface);
int read_route(struct reader *r, const struct value *v, void *interface);

/* selectors.c */
int read_in(struct reader *r, const struct value *v, void *policy);
int read_family(struct reader *r, const struct value *v, void *policy);
int read_protocol(struct reader *r, const struct value *v, void *policy);
int read_sport(struct reader *r, const struct value *v, void *policy);
int read_dport(struct reader *r, const struct value *v, void *policy);
int read_user(struct reader *r, const struct value *v, void *policy);
int read_group(struct reader *r, const struct value *v, void *policy);
int read_cgroup(struct reader *r, const struct value *v, void *policy);
int read_dscp(struct reader *r, const struct value *v, void *policy);
int read_mac(struct reader *r, const struct value *v, void *policy);
int read_mark(struct reader *r, const struct value *v, void *policy);
int read_hours(struct reader *r, const struct value *v, void *policy);
int read_day(struct reader *r, const struct value *v, void *policy);
/* Whether packets of an IP protocol have ports. */
bool protocol_has_ports(uint32_t protocol);

/* values.c */
int read_policy_name(struct reader *r, const struct value *v, void *policy);
int read_set_name(struct reader *r, const struct value *v, void *set);
int read_interface_name(struct reader *r, const struct value *v, void *interface);
int read_mark_mask(struct reader *r, const struct value *v, void *settings);
int read_rule_priority(struct reader *r, const struct value *v, void *settings);
int read_table_base(struct reader *r, const struct value *v, void *settings);
int read_interface_table(struct reader *r, const struct value *v, void *interface);
int read_policy_table(struct reader *r, const struct value *v, void *policy);
int read_via(struct reader *r, const struct value *v, void *policy);
int read_member_interface(struct reader *r, const struct value *v, void *member);
int read_weight(struct reader *r, const struct value *v, void *member);
int read_timeout(struct reader *r, const struct value *v, void *set);

/* ---- when all is read: checks.c, check-policy.c ---- */

/* What no single value shows: duplicates, references, contradictions. Completes what follows from
 * several keys (set references, families, protocols of ports). 0, or -ENOMEM. */
MUST_CHECK int config_check(struct reader *r);
/* The part that looks at one policy, once its sets are known. */
MUST_CHECK int check_policy(struct reader *r, size_t i);

/* ---- object-error.c ---- */

/* `set "office": …`. */
void object_error(struct reader *r, struct where at, const char *what, const char *name,
		  const char *fmt, ...) PRINTF_LIKE(5, 6);
/* `policy "x": via: …` at `line` of the policy's file; line 0: where the key stands. */
void policy_error(struct reader *r, size_t i, int key, unsigned int line, const char *fmt, ...)
	PRINTF_LIKE(5, 6);

/* ---- names in order: index.c ---- */

/* A name and whose it is. Equal names are duplicates only within one group. */
struct entry {
	size_t group;
	const char *name;
	size_t i;
};

/* Sorted by group, name, i. */
struct index {
	struct entry *v;
	size_t count;
};

MUST_CHECK int index_add(struct index *x, size_t group, const char *name, size_t i);
void index_sort(struct index *x);
/* The first entry of that name in group 0, or NULL. */
const struct entry *index_find(const struct index *x, const char *name);
void index_done(struct index *x);
