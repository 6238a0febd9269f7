/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Text for a person's terminal: labels, and behind them what may be long.
 */
#pragma once

#include "base/strbuf.h"

/* `text` behind `label`, broken at spaces within 80 columns, the further lines below the first
 * one's text. Control bytes in it become visible. */
void put_wrapped(struct strbuf *out, int indent, const char *label, const char *text);
