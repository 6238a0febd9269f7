/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The lexical gate: what libconfig would misread, swallow or choke on never reaches it.
 */
#pragma once

#include "base/diag.h"

struct gate {
	/* The line in which each text begins, in the order of the file; texts side by side, which
	 * libconfig joins, count as one. libconfig itself says the line of whatever stands behind a
	 * text. */
	unsigned int *text_lines;
	size_t text_count;
};

/* Checks strings, comments, brackets and literals of `text`, which need not end in NUL. 0, -EINVAL
 * with messages in `d`, or -ENOMEM; the caller owns *ret in any case. */
MUST_CHECK int gate_check(const char *file, const char *text, size_t len, struct gate *ret,
			  struct diag *d);
void gate_done(struct gate *g);
