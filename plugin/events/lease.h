/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a DHCP client wrote down, whatever its dialect: the text of a lease file in, the router out.
 * A DHCP server wrote parts of it: what is not exactly what it should be is not there.
 */
#pragma once

#include "base/base.h"
#include "base/prefix.h"

/* One moment. */
struct lease_clock {
	int64_t seconds;			/* since 1970 */
	char utc[sizeof("2024/01/02 03:04:05")];	/* the same, as dhclient writes it */
};

/* systemd-networkd's and NetworkManager's own client's: KEY=VALUE lines, a lifetime that counts
 * from `written`, the file's modification. True: *ret is the IPv4 router of a lease that is not over.
 * Cuts the text up. */
MUST_CHECK bool lease_read_variables(char *text, int64_t written, const struct lease_clock *now,
				     struct addr *ret);
/* dhclient's: blocks of statements, one a line, the newest last. The same, of the newest lease of
 * that interface that names a router. */
MUST_CHECK bool lease_read_dhclient(char *text, const char *interface,
				    const struct lease_clock *now, struct addr *ret);
