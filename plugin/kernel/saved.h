/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Keeping a sysctl as it was found; reading all of them back is kernel.h's.
 */
#pragma once

#include "plan/facts.h"

/* 1: it is kept; 0: what was kept first for this interface stays. */
MUST_CHECK int saved_sysctl_keep(const struct saved_sysctl *s);
void saved_sysctl_forget(uint32_t index, bool src_valid_mark);
