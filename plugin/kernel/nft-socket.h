/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How libnftables reaches the kernel.
 */
#pragma once

#define NFT_SOCKET_ATTEMPTS 64

/* Before each command: failures are counted anew. */
void nft_socket_begin(void);
