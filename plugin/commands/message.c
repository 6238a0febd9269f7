/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Messages for people. The level shown and the place they go to are the program's only global
 * state.
 */
#include "commands/message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "commands/progress.h"

static struct {
	enum level up_to;
	bool levels; /* standard error is the journal's: "<3>" in front of a line */
	bool syslog;
	bool no_stderr;
	char troubles[4096]; /* of this run, for `status` to show when nobody was looking */
	size_t troubles_len;
} log_to = { .up_to = LEVEL_NOTICE };

void message_show(enum level up_to)
{
	log_to.up_to = up_to;
}

void message_stream(const char *journal_stream)
{
	unsigned long long device, inode;
	struct stat st;

	if (journal_stream && sscanf(journal_stream, "%llu:%llu", &device, &inode) == 2 &&
	    fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode)
		log_to.levels = true;
}

void message_to_syslog(void)
{
	if (log_to.up_to == LEVEL_NOTICE)
		log_to.up_to = LEVEL_INFO;
	if (access("/dev/log", W_OK))
		return;
	openlog("ifsteer", LOG_PID, LOG_DAEMON);
	log_to.syslog = true;
	log_to.no_stderr = !isatty(STDERR_FILENO);
}

static void note_trouble(const char *line)
{
	size_t n = strlen(line);

	if (n + 2 > sizeof(log_to.troubles) - log_to.troubles_len)
		return;
	memcpy(log_to.troubles + log_to.troubles_len, line, n);
	log_to.troubles_len += n;
	log_to.troubles[log_to.troubles_len++] = '\n';
	log_to.troubles[log_to.troubles_len] = '\0';
}

const char *message_troubles(void)
{
	return log_to.troubles;
}

/* `line` is complete: "ifsteer: error: …" or "FILE:LINE: error: …". */
static void put_line(enum level level, const char *line)
{
	static const char prefix[] = "ifsteer: ";

	if (level <= LEVEL_WARNING)
		note_trouble(line);
	if (log_to.syslog) /* the identifier says it already */
		syslog((int)level, "%s",
		       strncmp(line, prefix, sizeof(prefix) - 1) ? line
								 : line + sizeof(prefix) - 1);
	if (log_to.no_stderr)
		return;
	progress_hide();
	if (log_to.levels)
		fprintf(stderr, "<%d>%s\n", (int)level, line);
	else
		fprintf(stderr, "%s\n", line);
	progress_draw();
}

static const char *level_word(enum level level)
{
	switch (level) {
	case LEVEL_ERROR: return "error: ";
	case LEVEL_WARNING: return "warning: ";
	case LEVEL_NOTICE:
	case LEVEL_INFO: return "";
	}
	return "";
}

void message(enum level level, const char *fmt, ...)
{
	CLEANUP(strbuf_done) struct strbuf raw = { 0 }, line = { 0 };
	va_list args;

	if (level > log_to.up_to)
		return;
	va_start(args, fmt);
	strbuf_vprintf(&raw, fmt, args);
	va_end(args);
	strbuf_printf(&line, "ifsteer: %s", level_word(level));
	strbuf_add_visible(&line, raw.text ? raw.text : "");
	put_line(level, raw.failed || line.failed ? "ifsteer: error: out of memory" : line.text);
}

void message_lines(enum level level, const char *text)
{
	const char *end;

	for (; *text; text = *end ? end + 1 : end) {
		end = strchrnul(text, '\n');
		message(level, "%.*s", (int)(end - text), text);
	}
}

static enum level level_of(enum severity s)
{
	switch (s) {
	case SEVERITY_ERROR: return LEVEL_ERROR;
	case SEVERITY_WARNING: return LEVEL_WARNING;
	case SEVERITY_NOTE: return LEVEL_NOTICE;
	}
	return LEVEL_ERROR;
}

void message_diag(struct diag *d)
{
	diag_finish(d);
	for (size_t i = 0; i < d->count; i++) {
		enum level level = level_of(d->items[i].severity);

		if (level <= log_to.up_to)
			put_line(level, d->items[i].text);
	}
	if (d->errors && !d->count)
		put_line(LEVEL_ERROR, "ifsteer: error: out of memory");
	diag_done(d);
}

void message_errno(const char *what, int err)
{
	message(LEVEL_ERROR, "%s: %s", what, strerror(-err));
	if ((err == -EPERM || err == -EACCES) && geteuid() != 0)
		message(LEVEL_NOTICE, "this needs root (or CAP_NET_ADMIN): try it with sudo");
}
