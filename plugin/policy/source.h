/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Files of a policy: opened once, judged by what was opened, read whole.
 */
#pragma once

#include "policy/load.h"

struct strbuf;

/* Reads the file at `path`, links followed. Unless `trust_owner`, it must be root's, and neither it
 * nor the directory it is in may be writable by anybody else. On -EINVAL, -ENOENT (there is nothing
 * of this name at all) and other -errno, `why` says what is wrong, to stand behind the file's name:
 * "is not a regular file". The caller frees ret->path and ret->text. */
MUST_CHECK int source_read(const char *path, bool trust_owner, struct source *ret,
			   struct strbuf *why);

struct source_names {
	char **v;
	size_t count;
};

/* Names in `path` that end in .conf and are not hidden, in byte order. -ENOENT: there is no such
 * directory; other errors as above. */
MUST_CHECK int source_list(const char *path, bool trust_owner, struct source_names *ret,
			   struct strbuf *why);
void source_names_done(struct source_names *n);

/* DIRECTORY/NAME, or NAME when it is absolute; NULL: out of memory. */
MUST_CHECK char *source_join(const char *directory, const char *name);
