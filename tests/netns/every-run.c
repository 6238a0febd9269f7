/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Linked in place of plan/run-length.c: each policy that can stand in a map does so, alone or not.
 */
#include "plan/runs.h"

const size_t run_length_min = 1;
