/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The last listing of our table, kept below /run/ifsteer: asking libnftables again when nobody has
 * changed anything is most of what a run with nothing to do costs (1.1 of 2.7 ms for two
 * interfaces, and more with each prefix).
 */
#pragma once

#include "base/base.h"

/* What a listing depends on. */
struct nft_stamp {
	uint32_t generation;		/* every transaction of anybody's makes another */
	uint64_t handle;		/* of our table; one that is made anew has another */
	int32_t utc_offset;		/* hours are printed in local time */
};

/* The listing made under the same stamp, to be freed; NULL: there is none. */
char *nft_cache_read(const struct nft_stamp *s);
/* Where it can't be kept, the next run asks again. */
void nft_cache_write(const struct nft_stamp *s, const char *listing);
void nft_cache_forget(void);
