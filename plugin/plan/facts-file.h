/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How facts look in a file, as tables: printing and parsing walk the same ones, so that neither knows more
 * than the other.
 *
 *	ifsteer-facts 1
 *	link index 3 name eth2 up carrier mtu 1500 rp-filter 2
 *
 * A line is a record: its word, then keys with their values in any order; what is absent is zero or false.
 * In names, spaces, backslashes and bytes outside of printable ASCII are written \xNN.
 */
#pragma once

#include "plan/facts.h"

#define FACTS_FIRST_LINE "ifsteer-facts 1"

enum field_kind {
	FIELD_FLAG,		/* bool; no value */
	FIELD_U8,
	FIELD_U32,
	FIELD_MARK,		/* U32 in hexadecimal */
	FIELD_I32,
	FIELD_I64,
	FIELD_NAME,		/* char[NAME_SIZE] */
	FIELD_TEXT,		/* char *, owned */
	FIELD_ADDR,
	FIELD_PREFIX,
	FIELD_RANGE,		/* struct number_range */
	FIELD_FAMILY,
	FIELD_ACTION,		/* enum rule_action */
	FIELD_KIND,		/* of a struct fact_name */
};

#define NO_PRESENCE ((size_t)-1)

struct field {
	const char *key;
	enum field_kind kind;
	size_t at;		/* offset in the record's struct */
	size_t presence;	/* offset of the bool that says whether there is one, or NO_PRESENCE */
};

/* A kind of line. Those of one array in struct facts, or of struct facts itself. */
struct record {
	const char *word;
	const struct field *fields;
	size_t field_count;
	size_t size;		/* of an element; 0: the fields are those of struct facts */
	size_t array, count;	/* offsets of pointer and count in struct facts */
};

#define RECORD_COUNT 10
extern const struct record fact_records[RECORD_COUNT];

/* The words of enum rule_action, and of the kinds of names; NULL behind the last. */
extern const char *const fact_actions[RULE_OTHER + 2];
extern const char *const fact_kinds[4];
