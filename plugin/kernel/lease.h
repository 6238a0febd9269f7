/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Where DHCP clients write down what they were told.
 */
#pragma once

#include "base/base.h"

#define LEASE_DIRECTORIES 4
extern const char *const lease_directories[LEASE_DIRECTORIES];

/* Whether a file in one of them is a lease, by its name. */
bool lease_is_file(const char *name);
