/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The Test Anything Protocol for a program: one line for each point, the plan at the end. The
 * points say what failed, so the exit status is 0 when all were asked; anything else (a crash, a
 * leak) is an error of its own.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_points;

/* The rest is a name for the point, as for printf. Both return whether it is good. */
#define ok(condition, ...) tap_point(condition, __FILE__, __LINE__, __VA_ARGS__)
#define is(got, want, ...) tap_is(got, want, __FILE__, __LINE__, __VA_ARGS__)

/* A '#' in a name would begin a directive; a line break would end the name. */
__attribute__((format(printf, 2, 0)))
__attribute__((format(printf, 2, 0)))
static inline void tap_line(bool good, const char *fmt, va_list args)
{
	char name[512];

	vsnprintf(name, sizeof(name), fmt, args);
	printf("%sok %d - ", good ? "" : "not ", ++tap_points);
	for (const char *c = name; *c; c++) {
		if (*c == '#')
			putchar('\\');
		putchar(*c == '\n' ? ' ' : *c);
	}
	putchar('\n');
}

__attribute__((format(printf, 4, 5)))
static inline bool tap_point(bool good, const char *file, int line, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tap_line(good, fmt, args);
	va_end(args);
	if (!good)
		printf("# %s:%d\n", file, line);
	return good;
}

/* Texts of several lines show each line behind its own '#'. */
static inline void tap_show(const char *title, const char *text)
{
	printf("# %s ", title);
	for (const char *c = text ? text : "(null)"; *c; c++) {
		putchar(*c);
		if (*c == '\n')
			fputs("#       ", stdout);
	}
	putchar('\n');
}

/* Equal texts, or both NULL. */
__attribute__((format(printf, 5, 6)))
static inline bool tap_is(const char *got, const char *want, const char *file, int line, const char *fmt, ...)
{
	bool good = got && want ? strcmp(got, want) == 0 : got == want;
	va_list args;

	va_start(args, fmt);
	tap_line(good, fmt, args);
	va_end(args);
	if (!good) {
		printf("# %s:%d\n", file, line);
		tap_show("got: ", got);
		tap_show("want:", want);
	}
	return good;
}

/* The plan; what main() returns. */
static inline int tap_done(void)
{
	printf("1..%d\n", tap_points);
	return 0;
}
