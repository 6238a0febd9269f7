/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The few macros every room uses. There is no other macro file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Run FN(&variable) when the variable goes out of scope. FN accepts a zeroed object. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* Hand a pointer over: the expression's value is the pointer, the variable becomes NULL. */
#define TAKE_PTR(p)                      \
	({                               \
		__typeof__(p) taken = (p); \
		(p) = NULL;              \
		taken;                   \
	})

/* Building is a long list of additions, each of which can only run out of memory. */
#define TRY(call)                    \
	do {                         \
		int err = (call);    \
		if (err < 0)         \
			return err;  \
	} while (0)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Three-way comparison of two scalars, for total orders written line by line. */
#define CMP(a, b) (((a) > (b)) - ((a) < (b)))

/* Kernel's IFNAMSIZ without its headers: 15 bytes and a NUL. */
#define NAME_SIZE 16
