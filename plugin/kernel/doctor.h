/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What only doctor wants to know: other people's nftables, and the services of this host.
 */
#pragma once

#include "base/diag.h"
#include "plan/doctor/doctor.h"

struct nlmsghdr;

/* Gathers it. `mask` is the bits of marks that are ours. What can't be read is as if it were not
 * there, but for nftables: -errno with a message in `d`. */
MUST_CHECK int host_gather(uint32_t mask, struct host *ret, struct diag *d);

/* ---- nft-others.c: all rules of others, without the elements of their sets ---- */
MUST_CHECK int nft_find_writers(uint32_t mask, struct mark_writer **ret, size_t *ret_count);

/* ---- nft-marks.c: pure ---- */

/* Calls `each` for each mark that a rule (NFT_MSG_NEWRULE) writes; what it returns other than 0
 * ends it and is returned. -EBADMSG: not such a message. */
MUST_CHECK int nft_rule_writes(const struct nlmsghdr *nlh,
			       int (*each)(const struct mark_write *w, void *ctx), void *ctx);

/* ---- services.c: as systemd's files and /proc say, without asking systemd ---- */

/* `process`: how its processes are called; NULL: it has none that stay. */
struct service service_look(const char *unit, const char *process);
