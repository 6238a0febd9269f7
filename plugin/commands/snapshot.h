/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A policy as it was read: the text of its files and the users, groups and services that it names,
 * so that it can be had again without its files and without anybody to ask. One text file holds
 * one.
 */
#pragma once

#include "plan/facts.h"
#include "policy/load.h"

struct snapshot {
	struct sources sources;
	struct fact_name *names;
	size_t name_count;
};

void snapshot_done(struct snapshot *s);
/* The file. -EINVAL: a path has a newline in it. */
MUST_CHECK int snapshot_print(const struct snapshot *s, struct strbuf *ret);
/* -EINVAL for anything but what snapshot_print wrote. */
MUST_CHECK int snapshot_parse(const char *text, size_t len, struct snapshot *ret);
/* The policy; as config_load, but from the snapshot alone. */
MUST_CHECK int snapshot_config(const struct snapshot *s, struct config *ret, struct diag *d);
/* Whether both were read from the same files with the same text; names don't count. */
bool snapshot_same_text(const struct snapshot *a, const struct snapshot *b);

/* Names answered from a list first, then by whoever else knows, with a record of all that was
 * asked. */
struct name_book {
	const struct fact_name *known;
	size_t known_count;
	const struct names *ask;	/* NULL: nobody else */
	struct fact_name *used;		/* owned */
	size_t used_count;
};

/* `book` must outlive the answer. */
struct names name_book_names(struct name_book *book);
void fact_names_done(struct fact_name *v, size_t count);
