/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The whole test framework of the unit tests: TAP on stdout, one line for each check.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed;

#define ok(condition, ...) tap_line(condition, __FILE__, __LINE__, __VA_ARGS__)
#define is(got, want, ...) tap_same(got, want, __FILE__, __LINE__, __VA_ARGS__)

__attribute__((unused, format(printf, 4, 5)))
static bool tap_line(bool passed, const char *file, int line, const char *fmt, ...)
{
	va_list args;

	printf("%sok %d - ", passed ? "" : "not ", ++tap_count);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	if (!passed)
		printf("# failed at %s:%d (%d so far)\n", file, line, ++tap_failed);
	return passed;
}

/* Both texts may be NULL. */
#define tap_same(got, want, file, line, ...)                                                        \
	do {                                                                                        \
		const char *tap_got = (got), *tap_want = (want);                                    \
		if (!tap_line(tap_got && tap_want ? strcmp(tap_got, tap_want) == 0 : tap_got == tap_want, \
			      file, line, __VA_ARGS__))                                             \
			printf("# got:    %s\n# wanted: %s\n", tap_got ? tap_got : "(null)",        \
			       tap_want ? tap_want : "(null)");                                     \
	} while (0)

/* The exit status of main; prints the plan. */
__attribute__((unused))
static int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}
