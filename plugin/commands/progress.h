/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a person at a terminal sees while a command takes longer than a second: one line on standard
 * error, written over itself, and nothing when it is over.
 */
#pragma once

#include <stddef.h>

#include "commands/command.h"

/* From now on, unless -q was given or nobody is looking. Not over a fork(): the child would wait for
 * a thread that it does not have. */
void progress_begin(const struct options *o);
/* The line is gone, for good. */
void progress_end(void);
/* What is being done, and to how many objects (0: not said). `doing` must be a constant. Nothing
 * when nothing has begun. */
void progress_stage(const char *doing, size_t objects);
/* The line makes room for somebody else's: what is written until progress_draw() stands alone. */
void progress_hide(void);
void progress_draw(void);

/* progress-line.c: the line into `ret`, at most `columns` wide. */
void progress_line(const char *doing, size_t objects, unsigned int seconds, size_t columns,
		   char *ret, size_t size);
