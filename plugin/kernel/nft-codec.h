/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Edits of sets as the bytes of one nfnetlink transaction. Pure.
 */
#pragma once

#include "base/base.h"

struct nft_edits;
struct strbuf;

/* The whole batch, for netlink_transact; `table` is of family inet. -ENOMEM. */
MUST_CHECK int nft_encode_edits(const char *table, const struct nft_edits *e, struct strbuf *ret);
