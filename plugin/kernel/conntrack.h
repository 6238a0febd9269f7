/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The connection table: which marks connections carry, and making the kernel forget some of them.
 */
#pragma once

#include "plan/steps.h"

/* The values of the connections' marks under the mask, shifted down, zero apart; none where
 * connection tracking isn't loaded. -EPROTONOSUPPORT, here and below: there is no ctnetlink. */
MUST_CHECK int conntrack_carried(uint32_t mask, struct numbers *ret);

/* STEP_FORGET_CONNECTIONS. */
MUST_CHECK int conntrack_forget(const struct step *s);
