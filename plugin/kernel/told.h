/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What told.c says to its own room; the rest is kernel.h's.
 */
#pragma once

#include "plan/facts.h"

/* The interface of that name has this index now. Of the one that had the name before, only what a
 * person said is still true; what was said while there was none holds, apart from "down". */
void told_renew(struct told *t, uint32_t index);
