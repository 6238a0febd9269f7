/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Who keeps undoing a repair is not fought: twenty in a minute, then one every five seconds.
 */
#include "commands/patience.h"
#include "tests/tap.h"

/* Somebody undoes it every 100 ms from `from` on for so long: how often it is repaired. */
static int fight(struct patience *p, uint64_t object, int64_t from, int64_t length, int *told)
{
	int repairs = 0;

	for (int64_t now = from; now < from + length; now += 100) {
		if (patience_when(p, object, now) > now)
			continue;
		*told += patience_repaired(p, object, now);
		repairs++;
	}
	return repairs;
}

int main(void)
{
	struct patience p = { 0 };
	int told = 0, n;

	ok(patience_when(&p, 1, 1000) == 1000, "what was never repaired may be at once");
	n = fight(&p, 1, 1000, 1900, &told);
	ok(n == 19 && !told, "19 repairs come at once: %d", n);
	n = fight(&p, 1, 2900, 100, &told);
	ok(n == 1 && told == 1, "the 20th, too, and is told");
	ok(patience_when(&p, 1, 2901) == 2900 + PATIENCE_PAUSE_MS, "the next one has to wait");
	ok(patience_when(&p, 2, 2901) == 2901, "another object has not");
	n = fight(&p, 1, 3000, 50000, &told);
	ok(n == 10 && told == 1, "in 50 seconds 10 more, nothing is told again: %d", n);
	patience_forget(&p, 60000);
	ok(patience_when(&p, 1, 53001) > 53001, "nothing is forgotten before its time");
	patience_forget(&p, 60000 + PATIENCE_WINDOW_MS);
	ok(p.count == 0, "all is, when it was left alone for a minute");
	told = 0;
	n = fight(&p, 1, 200000, 3000, &told);
	ok(n == 20 && told == 1, "then it begins anew: %d", n);

	/* One that is undone rarely is repaired at once for ever. */
	told = 0;
	n = 0;
	for (int64_t now = 1000000; now < 2000000; now += 3200) {
		n += patience_when(&p, 3, now) == now;
		told += patience_repaired(&p, 3, now);
	}
	ok(n == 313 && !told, "every 3.2 seconds is nothing to slow down for: %d", n);
	patience_done(&p);
	return tap_done();
}
