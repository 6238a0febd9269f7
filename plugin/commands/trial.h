/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A change that has to be confirmed: begun by `apply --confirm`, ended by `confirm`, by Enter, by
 * another apply, or by its time running out, whoever notices that first. All want the lock held.
 */
#pragma once

#include "commands/session.h"

/* Writes down what stands now and that `s`, which is loaded and not yet applied, is about to. A run
 * that is killed from here on leaves a change that the next one puts back. */
MUST_CHECK enum exit_code trial_begin(const struct session *s, struct trial *ret);
/* `s` is applied: the seconds run. */
MUST_CHECK enum exit_code trial_wait(const struct session *s, uint32_t seconds, struct trial *t);
/* The apply failed before it had changed anything: nothing is on trial. */
void trial_abandon(void);
/* What is in force stays; EXIT_FOUND when nothing waits for that. */
MUST_CHECK enum exit_code trial_confirm(void);
/* A person has applied `s`, or flushed (NULL): whatever was on trial need not be put back. Call
 * before it is accepted. */
void trial_replace(const struct session *s);
/* Puts back what stood before if the time is over, or the change was cut short. */
MUST_CHECK enum exit_code trial_settle(const struct options *o);
/* Puts it back whatever the time is. */
MUST_CHECK enum exit_code trial_revert_now(const struct options *o);
