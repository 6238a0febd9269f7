/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How libnftables reaches the kernel.
 */
#pragma once

#include "base/base.h"

#define NFT_SOCKET_ATTEMPTS 64

/* Before each command: failures are counted anew. */
void nft_socket_begin(void);
/* Whether what libnftables has read since is not all of one moment. */
bool nft_socket_interrupted(void);
