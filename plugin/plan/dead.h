/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The last steps of a change: ending what dead paths left behind.
 */
#pragma once

#include "plan/plan.h"

/* Appends the steps that forget connections of paths which the table `have` knew alive and the plan does not, and
 * that close sockets whose source address is gone. Nothing when nothing died. */
MUST_CHECK int plan_dead_paths(const struct plan *p, const struct nft_table *have, struct steps *ret);
