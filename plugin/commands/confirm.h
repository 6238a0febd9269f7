/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Waiting for `apply --confirm` to be confirmed: twice, on the terminal and in a process that
 * outlives it.
 */
#pragma once

#include "commands/trial.h"

/* Starts the process that puts back what stood before if nobody else does. */
MUST_CHECK enum exit_code confirm_fork_waiter(const struct session *s, const struct trial *t);
/* Waits on the terminal. EXIT_DONE: confirmed; EXIT_FOUND: put back. Without the lock. */
MUST_CHECK enum exit_code confirm_wait(const struct options *o, const struct trial *t);
