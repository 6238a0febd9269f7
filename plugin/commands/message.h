/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Messages for people: to the terminal, or to the journal with a level when nobody is looking.
 */
#pragma once

#include "base/diag.h"

/* syslog's numbers. */
enum level { LEVEL_ERROR = 3, LEVEL_WARNING = 4, LEVEL_NOTICE = 5, LEVEL_INFO = 6 };

/* Messages up to this level are shown: LEVEL_NOTICE unless -q or -v say otherwise. */
void message_show(enum level up_to);
/* `journal_stream` is $JOURNAL_STREAM: when standard error is that stream, lines carry their
 * level. */
void message_stream(const char *journal_stream);
/* A hook's messages go to syslog under `ifsteer`, beside standard error where that is a
 * terminal; where there is no syslog, standard error must do. Information is kept: it tells the
 * story of a boot. */
void message_to_syslog(void);

void message(enum level level, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Text of several lines, one message for each. */
void message_lines(enum level level, const char *text);
/* Prints and empties. */
void message_diag(struct diag *d);
/* The errors and warnings so far, a line each, the first few thousand bytes of them; "" when
 * there were none. */
const char *message_troubles(void);
/* "cannot DO WHAT: reason", and what to do about it where that is known. */
void message_errno(const char *what, int err);
