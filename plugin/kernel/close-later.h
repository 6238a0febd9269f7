/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Closing a descriptor without waiting for what closing it takes.
 */
#pragma once

#include "base/base.h"

/* Gives the kernel a share of up to CLOSE_LATER_MAX descriptors, which a worker of its own lets go
 * after a while: closing them here no longer is the end of what they stand for. Where that fails
 * nothing has changed. */
#define CLOSE_LATER_MAX 4
void close_later(const int *fds, size_t count);
