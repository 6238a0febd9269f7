/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How progress reads, and that it never needs a second line of the terminal.
 */
#include "commands/progress.h"
#include "tests/tap.h"

#include <string.h>

static void reads(const char *doing, size_t objects, unsigned int seconds, size_t columns,
		  const char *want)
{
	char line[160];

	progress_line(doing, objects, seconds, columns, line, sizeof(line));
	ok(strcmp(line, want) == 0, "%s: %s", want, line);
}

int main(void)
{
	char tiny[8];

	reads("planning", 0, 1, 80, "ifsteer: planning, 1 s");
	reads("changing the kernel", 1, 59, 80, "ifsteer: changing the kernel: 1 change, 59 s");
	reads("changing the kernel", 1204, 65, 80,
	      "ifsteer: changing the kernel: 1204 changes, 1 min 5 s");
	reads("planning", 0, 3600, 80, "ifsteer: planning, 60 min 0 s");
	reads("changing the kernel", 1204, 65, 20, "ifsteer: changing t");
	reads("planning", 0, 1, 0, "ifsteer: planning, 1 s");
	progress_line("planning", 0, 1, 80, tiny, sizeof(tiny));
	ok(strcmp(tiny, "ifsteer") == 0, "never more than there is room for");
	return tap_done();
}
