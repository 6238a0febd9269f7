/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The nftables transactions among the steps.
 */
#pragma once

#include "plan/steps.h"

/* Those that turn `have` into `want`, behind the steps that there are; both tables outlive the
 * steps, but for what of `have` is not in `want`. 0 or -ENOMEM. */
MUST_CHECK int steps_add_nft(const struct nft_table *have, const struct nft_table *want, struct steps *ret);
