/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * `hours` and `days`: local time as the kernel's UTC, day by day. The kernel counts weekday and second of
 * the day in UTC (nft_meta_get_eval_time: get_seconds() modulo a day), so an interval that is one piece in
 * local time may be two there.
 */
#include "plan/match.h"

#include <errno.h>

#define DAY 1440
#define WEEK (7 * DAY)

/* [from, to) in minutes since Monday 00:00 UTC; within one UTC day. */
static int add_piece(struct texts *options, unsigned int from, unsigned int to)
{
	static const char *const days[] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" };
	unsigned int first = from % DAY, last = (to - 1) % DAY;
	const char *day = days[from / DAY % 7];

	if (first == 0 && last == DAY - 1)
		return texts_add(options, "meta day \"%s\" ", day);
	return texts_add(options, "meta day \"%s\" meta hour \"%02u:%02u\"-\"%02u:%02u:59\" ", day, first / 60, first % 60,
			 last / 60, last % 60);
}

static int add_interval(struct texts *options, unsigned int from, unsigned int length)
{
	int r = 0;

	while (length && r == 0) {
		unsigned int piece = DAY - from % DAY;

		if (piece > length)
			piece = length;
		r = add_piece(options, from, from + piece);
		from = (from + piece) % WEEK;
		length -= piece;
	}
	return r;
}

int match_times(const struct plan *p, const struct policy *pol, struct texts *t)
{
	CLEANUP(texts_done) struct texts options = { 0 };
	int offset = p->facts->utc_offset / 60;
	int r = 0;

	if (!pol->hours.given && !pol->days.given)
		return 0;
	for (unsigned int day = 0; day < 7; day++) {
		if (!numbers_contain(&pol->days.yes, day))
			continue;
		for (size_t i = 0; i < pol->hours.yes.count && r == 0; i++) {
			const struct number_range *hours = &pol->hours.yes.v[i];
			int from = (int)(day * DAY + hours->from) - offset;

			r = add_interval(&options, (unsigned int)((from % WEEK + WEEK) % WEEK), hours->to - hours->from + 1);
		}
	}
	return r < 0 ? r : texts_multiply(t, &options);
}
