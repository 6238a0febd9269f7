/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A struct config as text, all of it, so that tests compare what was understood.
 */
#pragma once

#include "base/strbuf.h"
#include "policy/policy.h"

void policy_dump(const struct config *c, struct strbuf *out);
