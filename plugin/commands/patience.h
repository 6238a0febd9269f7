/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How often what was repaired: somebody who keeps undoing it is not fought. Without a clock of its
 * own.
 */
#pragma once

#include "base/base.h"

/* So many repairs of one object within a minute come at once, further ones take their time. */
#define PATIENCE_REPAIRS 20
#define PATIENCE_WINDOW_MS 60000
#define PATIENCE_PAUSE_MS 5000

struct patience {
	struct patience_object *v;
	size_t count;
};

void patience_done(struct patience *p);
/* From when on the object, known by a number, may be repaired; now_ms: at once. */
int64_t patience_when(const struct patience *p, uint64_t object, int64_t now_ms);
/* It is being repaired. True: from now on this takes its time, which nobody was told yet. */
bool patience_repaired(struct patience *p, uint64_t object, int64_t now_ms);
/* Forgets what has been left alone for a whole window. */
void patience_forget(struct patience *p, int64_t now_ms);
