/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What every command is, and how it ends. A command is a thin file: it parses its own words, calls
 * the session for the work, prints, and returns the exit status.
 */
#pragma once

#include "events/event.h"

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FOUND = 1,			/* out of sync; something found; reverted */
	EXIT_USAGE = 2,
	EXIT_POLICY = 3,
	EXIT_REFUSED = 4,		/* by the kernel; what stood before stands again */
	EXIT_LOCKED = 5,
	EXIT_UNEXPECTED = 6,
};

/* How long people wait for another run, and how long a hook may keep its manager waiting. */
#define LOCK_SECONDS_PERSON 10
#define LOCK_SECONDS_HOOK 60

/* An option of one command: "--confirm", and the name of its value where it takes one. */
struct option_spec {
	const char *name;
	const char *value;		/* NULL: a switch */
};

#define OPTIONS_MAX 16

/* What stood on the command line, and what main.c knows of the process. */
struct options {
	const char *path;		/* -c; NULL: the default */
	const char *facts;		/* --facts; NULL: this host */
	bool verbose;
	bool quiet;
	bool color;			/* on standard output */
	const struct command *command;
	const char *given[OPTIONS_MAX];	/* by index of command->options: value, or own name */
	int argc;			/* the words behind the command that are no options */
	const char *const *argv;
	event_getenv env;
};

struct command {
	const char *name;
	const char *usage;		/* its words: "[--confirm N]" */
	const char *summary;		/* one line */
	const char *help;		/* paragraphs and an example */
	const struct option_spec *options;	/* up to OPTIONS_MAX; the last one's name is NULL */
	int min_words;
	int max_words;			/* -1: any number */
	bool raw;			/* no options behind its first word: names may be -v */
	bool takes_facts;		/* --facts makes sense */
	bool sees_processes;		/* asks whose network the processes of this host use */
	enum exit_code (*run)(const struct options *o);
};

extern const struct command command_apply;
extern const struct command command_check;
extern const struct command command_confirm;
extern const struct command command_diff;
extern const struct command command_doctor;
extern const struct command command_explain;
extern const struct command command_facts;
extern const struct command command_flush;
extern const struct command command_hook;
extern const struct command command_offline;
extern const struct command command_online;
extern const struct command command_status;
extern const struct command command_watch;

/* Says what is wrong and where to read on; EXIT_USAGE. */
enum exit_code usage_error(const struct command *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* All of `text` to standard output; EXIT_UNEXPECTED when it can't be written. Takes NULL for
 * memory that failed. */
enum exit_code print_out(const char *text);
