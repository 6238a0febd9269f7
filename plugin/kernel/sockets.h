/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Sockets whose source address is gone: they would hang until they time out.
 */
#pragma once

#include "base/prefix.h"

/* Destroys the TCP connections and connected UDP sockets of this network namespace that have this
 * source address; listeners and sockets of unconnected servers stay. -EOPNOTSUPP: the kernel can't
 * (CONFIG_INET_DIAG_DESTROY). */
MUST_CHECK int sockets_close(const struct addr *source);
