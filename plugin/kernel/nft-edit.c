/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Sets changed by messages of our own: one prefix of 100,000 costs one message, where libnftables
 * reads and sorts all of them.
 */
#include <errno.h>
#include <string.h>

#include "base/strbuf.h"
#include "kernel/kernel.h"
#include "kernel/nft-codec.h"
#include "kernel/nft-own.h"

int nft_edit(const struct nft_edits *e, struct diag *d)
{
	CLEANUP(strbuf_done) struct strbuf bytes = { 0 };
	struct netlink_result result = { 0 };
	uint32_t began = 0;
	int err = nft_encode_edits(OUR_TABLE, e, &bytes);

	if (err == 0)
		err = nft_begin(&began, d);
	if (err < 0)
		return err;
	err = netlink_transact(&nft_own, bytes.text, bytes.len, &result);
	if (err < 0)
		diag_error(d, (struct where){ 0 },
			   "nftables: the kernel refuses the elements of sets: %s",
			   *result.words ? result.words : strerror(-result.err));
	return nft_end(began, err);
}
