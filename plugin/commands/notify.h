/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Telling the service manager how far we are, as sd_notify(3) does.
 */
#pragma once

#include "base/base.h"

/* `socket_path` is $NOTIFY_SOCKET, NULL: nobody wants to know. `state` is lines of NAME=VALUE:
 * "READY=1". */
void notify(const char *socket_path, const char *state);
