/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How progress reads: "ifsteer: changing the kernel: 1204 changes, 1 min 5 s".
 */
#include "commands/progress.h"

#include <stdio.h>
#include <string.h>

void progress_line(const char *doing, size_t objects, unsigned int seconds, size_t columns,
		   char *ret, size_t size)
{
	char count[40] = "", minutes[24] = "";

	if (objects)
		snprintf(count, sizeof(count), ": %zu change%s", objects, objects == 1 ? "" : "s");
	if (seconds >= 60)
		snprintf(minutes, sizeof(minutes), "%u min ", seconds / 60);
	/* A line as wide as the terminal would leave the cursor on the next one. */
	if (columns && columns < size)
		size = columns;
	snprintf(ret, size, "ifsteer: %s%s, %s%u s", doing, count, minutes, seconds % 60);
}
