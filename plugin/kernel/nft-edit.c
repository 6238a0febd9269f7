/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What libnftables can't do: sets changed by messages of our own (one prefix of 100,000 costs one message,
 * where it reads and sorts all of them), and waiting for packets that are under way.
 */
#include <errno.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

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

/* Hooks run under RCU, for whose readers this one command waits: synchronize_rcu, in kernel/sched/membarrier.c. */
void nft_settle(void)
{
	(void)syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}
