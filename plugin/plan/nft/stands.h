/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What stands in a listing word for word as it is wanted, which need not be taken apart.
 */
#pragma once

#include "plan/nft/nft.h"

/* `at` is behind the opening brace of a chain or set of that name and kind. Where it ends, if it reads as
 * nft_print writes the one that is wanted; NULL: it doesn't, or the set is written packed. */
const char *nft_chain_stands(const char *at, const struct nft_chain *c);
const char *nft_set_stands(const char *at, const struct nft_set *s);
