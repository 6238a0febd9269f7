/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Where a look-up begins to pay. Up to a dozen rules cost a packet about what a map does; and a
 * table that is short is read as it was written.
 */
#include "plan/runs.h"

const size_t run_length_min = 8;
