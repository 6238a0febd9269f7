/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How a command that was called wrongly ends, and what all of them print by.
 */
#include "commands/command.h"

#include <errno.h>
#include <stdio.h>

#include "base/strbuf.h"
#include "commands/message.h"

enum exit_code usage_error(const struct command *c, const char *fmt, ...)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	va_list args;

	va_start(args, fmt);
	strbuf_vprintf(&text, fmt, args);
	va_end(args);
	message(LEVEL_ERROR, "%s", text.text ? text.text : "usage");
	message(LEVEL_NOTICE, "see `ifsteer help%s%s`", c ? " " : "", c ? c->name : "");
	return EXIT_USAGE;
}

enum exit_code print_out(const char *text)
{
	if (!text) {
		message_errno("standard output", -ENOMEM);
		return EXIT_UNEXPECTED;
	}
	if (fputs(text, stdout) == EOF || fflush(stdout) == EOF) {
		/* A reader that has seen enough (`| head`) is no trouble of anybody's. */
		if (errno != EPIPE)
			message_errno("standard output", -errno);
		return EXIT_UNEXPECTED;
	}
	return EXIT_DONE;
}
