/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A change that has to be confirmed: begun by `apply --confirm`, ended by `confirm`, by Enter, by
 * another apply, or by its time running out, whoever notices that first. All want the lock held.
 */
#pragma once

#include "commands/session.h"

/* Writes down what stood before and that `s`, which is loaded and not yet applied, is on trial. */
MUST_CHECK enum exit_code trial_begin(const struct session *s, uint32_t seconds, struct trial *ret);
/* The apply failed: nothing is on trial, what stood before stands. */
void trial_abandon(void);
/* What is in force stays; EXIT_FOUND when nothing waits for that. */
MUST_CHECK enum exit_code trial_confirm(void);
/* Somebody applies or flushes by hand: the trial is over without anything being put back. */
void trial_supersede(enum trial_state end);
/* Puts back what stood before if the time is over. */
MUST_CHECK enum exit_code trial_settle(const struct options *o);
/* Makes the time be over. */
MUST_CHECK enum exit_code trial_revert_now(const struct options *o);
