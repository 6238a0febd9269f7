/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the files about our nftables table share: the socket that is ours and not libnftables', and how a
 * transaction begins and ends.
 */
#pragma once

#include "base/diag.h"
#include "kernel/netlink.h"

extern struct netlink nft_own;		/* opened when it is first needed, closed by nft_close */

bool nft_is_missing(int err);		/* no such table, or no nf_tables at all */
/* Our table's handle; 0: there is no table. */
MUST_CHECK int nft_table_handle(uint64_t *ret);

/* Commands for libnftables; what it says of them, until the next ones. "": all is well. */
const char *nft_try(const char *commands);

/* Around each transaction. nft_end takes what came of it, and says whether a refusal was one (err
 * as it is) or nobody knows what stands now (-EIO). */
MUST_CHECK int nft_begin(uint32_t *ret_generation, struct diag *d);
MUST_CHECK int nft_end(uint32_t began, int err);
