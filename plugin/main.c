/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ifsteer: the table of commands, the command line, and the one place that reads the environment.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "commands/command.h"
#include "commands/message.h"

#ifndef VERSION
#error "the build says which version this is"
#endif

static const struct command *const commands[] = {
	&command_check,	 &command_apply,   &command_confirm, &command_diff,
	&command_status, &command_explain, &command_doctor,  &command_flush,
	&command_offline, &command_online, &command_facts,   &command_hook,
	&command_watch,
};

static const char general_help[] =
	"\n"
	"  -c, --config PATH  policy file, or a directory laid out like /etc/ifsteer\n"
	"  -v, --verbose      say what is done\n"
	"  -q, --quiet        say nothing but errors\n"
	"  --facts FILE       check, diff, explain: answer for a captured host\n"
	"  -h, --help         also of a command\n"
	"  -V, --version\n"
	"\n"
	"`ifsteer help COMMAND` tells more, with an example. The policy language is in\n"
	"ifsteer.conf(5), exit statuses and troubleshooting in ifsteer(8).\n";

static const char *environment(void *ctx, const char *name)
{
	(void)ctx;
	return getenv(name);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static enum exit_code no_such_command(const char *name)
{
	const char *names[ARRAY_SIZE(commands)];
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		names[i] = commands[i]->name;
	near = diag_nearest(name, names, ARRAY_SIZE(names));
	if (near)
		return usage_error(NULL, "there is no command \"%s\"; did you mean \"%s\"?", name,
				   near);
	return usage_error(NULL, "there is no command \"%s\"", name);
}

static enum exit_code help(const char *name)
{
	CLEANUP(strbuf_done) struct strbuf out = { 0 };
	const struct command *c = name ? find_command(name) : NULL;

	if (c) {
		strbuf_printf(&out, "Usage: ifsteer [-c PATH] [-v|-q] %s%s%s\n\n%s", c->name,
			      *c->usage ? " " : "", c->usage, c->help);
	} else if (name) {
		return no_such_command(name);
	} else {
		strbuf_add(
			&out,
			"Usage: ifsteer [-c PATH] [-v|-q] COMMAND\n\n"
			"Steers traffic onto interfaces: the policy says which traffic leaves by which\n"
			"interface, ifsteer makes the kernel agree.\n\n");
		for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
			strbuf_printf(&out, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
		strbuf_add(&out, general_help);
	}
	return print_out(out.failed ? NULL : out.text);
}

/* The command line while it is being read. */
struct words {
	int argc;
	char **argv;
	int next;
	int rest_count; /* the command's words, moved to the beginning of argv */
	bool wants_help;
	bool wants_version;
};

/* The value of an option: behind "=", or the next word. NULL: there is none. */
static const char *option_value(struct words *w, const char *word, size_t name_len)
{
	if (word[name_len] == '=')
		return word + name_len + 1;
	return w->next < w->argc ? w->argv[w->next++] : NULL;
}

static bool is_option(const char *word, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(word, name, n) && (!word[n] || word[n] == '=');
}

/* An option of the command's own. */
static enum exit_code command_option(struct options *o, struct words *w, const char *word)
{
	const struct option_spec *spec = o->command ? o->command->options : NULL;
	const char *names[OPTIONS_MAX + 6] = { "--facts", "--help",   "--verbose",
					       "--quiet", "--config", "--version" };
	size_t count = 6;
	const char *near;

	for (size_t i = 0; spec && spec[i].name; i++) {
		names[count++] = spec[i].name;
		if (!is_option(word, spec[i].name))
			continue;
		if (!spec[i].value && word[strlen(spec[i].name)])
			return usage_error(o->command, "%s takes no value", spec[i].name);
		o->given[i] = spec[i].value ? option_value(w, word, strlen(spec[i].name))
					    : spec[i].name;
		if (!o->given[i])
			return usage_error(o->command, "%s needs a value: %s", spec[i].name,
					   spec[i].value);
		return EXIT_DONE;
	}
	near = diag_nearest(word, names, count);
	if (near)
		return usage_error(o->command, "there is no option \"%s\"; did you mean \"%s\"?",
				   word, near);
	return usage_error(o->command, "there is no option \"%s\"%s", word,
			   o->command ? "" : " (options of a command stand behind it)");
}

static enum exit_code read_option(struct options *o, struct words *w, const char *word)
{
	if (!strcmp(word, "-v") || !strcmp(word, "--verbose")) {
		o->verbose = true;
	} else if (!strcmp(word, "-q") || !strcmp(word, "--quiet")) {
		o->quiet = true;
	} else if (!strcmp(word, "-h") || !strcmp(word, "--help")) {
		w->wants_help = true;
	} else if (!strcmp(word, "-V") || !strcmp(word, "--version")) {
		w->wants_version = true;
	} else if (!strcmp(word, "-c") || is_option(word, "--config")) {
		o->path = option_value(w, word, strcspn(word, "="));
		if (!o->path || !*o->path)
			return usage_error(o->command, "%s needs a file or directory", word);
	} else if (is_option(word, "--facts")) {
		o->facts = option_value(w, word, strlen("--facts"));
		if (!o->facts || !*o->facts)
			return usage_error(o->command,
					   "--facts needs a file, as `ifsteer facts` prints it");
	} else {
		return command_option(o, w, word);
	}
	return EXIT_DONE;
}

/* Sorts the words into options, command and the command's words. */
static enum exit_code read_words(struct options *o, struct words *w)
{
	bool only_words = false;
	enum exit_code code;

	while (w->next < w->argc) {
		char *word = w->argv[w->next++];

		if (!only_words && !strcmp(word, "--")) {
			only_words = true;
		} else if (!only_words && word[0] == '-' && word[1]) {
			code = read_option(o, w, word);
			if (code)
				return code;
		} else if (!o->command && !strcmp(word, "help")) {
			w->wants_help = true;
		} else if (!o->command) {
			o->command = find_command(word);
			if (!o->command)
				return no_such_command(word);
		} else {
			w->argv[w->rest_count++] = word;
			only_words |= o->command->raw;
		}
	}
	return EXIT_DONE;
}

/* A link in a directory of the dispatcher's, 50-ifsteer, is called with IF and ACTION. */
static bool is_dispatcher_link(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');
	const char *name = slash ? slash + 1 : argv0;
	size_t digits = strspn(name, "0123456789");

	return digits && !strcmp(name + digits, "-ifsteer");
}

/* What runs, until it has returned. */
static const struct command *running;

/* libnftables and libconfig's scanner end the process where memory runs out, with a status of their
 * own: for us it would be that of wrong usage, which a manager takes for a broken interface. */
static void ended_by_library(void)
{
	if (!running)
		return;
	message(LEVEL_ERROR, "%s: ended by a library, as they do when memory runs out",
		running->name);
	_exit(running == &command_hook ? EXIT_DONE : EXIT_UNEXPECTED);
}

static enum exit_code run_command(const struct command *c, const struct options *o)
{
	enum exit_code code;

	running = c;
	code = c->run(o);
	running = NULL;
	return code;
}

static enum exit_code run_dispatcher_link(struct options *o, int argc, char **argv)
{
	const char *words[3] = { "networkmanager" };

	o->command = &command_hook;
	o->argc = 1;
	o->argv = words;
	for (int i = 1; i < argc && o->argc < (int)ARRAY_SIZE(words); i++)
		words[o->argc++] = argv[i];
	return run_command(&command_hook, o);
}

/* What can't be left out: options stand before it. */
static const char *needed_words(const struct command *c)
{
	const char *last = strrchr(c->usage, ' ');

	return *c->usage == '[' && last ? last + 1 : c->usage;
}

static enum exit_code run(struct options *o, struct words *w)
{
	const struct command *c = o->command;

	o->argc = w->rest_count;
	o->argv = (const char *const *)w->argv;
	if (w->rest_count < c->min_words)
		return usage_error(c, "%s needs %s", c->name, needed_words(c));
	if (c->max_words >= 0 && w->rest_count > c->max_words)
		return usage_error(c, "%s takes no \"%s\"", c->name, o->argv[c->max_words]);
	if (o->facts && !c->takes_facts)
		return usage_error(c, "%s is about this host: --facts makes no sense with it",
				   c->name);
	if (o->verbose && o->quiet)
		return usage_error(c, "-v and -q together make no sense");
	message_show(o->quiet ? LEVEL_ERROR : o->verbose ? LEVEL_INFO : LEVEL_NOTICE);
	return run_command(c, o);
}

static enum exit_code run_command_line(struct options *o, int argc, char **argv)
{
	struct words w = { .argc = argc, .argv = argv, .next = 1 };
	enum exit_code code = read_words(o, &w);

	if (code == EXIT_DONE && w.wants_version)
		code = print_out("ifsteer " VERSION "\n");
	else if (code == EXIT_DONE && w.wants_help)
		code = help(o->command ? o->command->name : NULL);
	else if (code == EXIT_DONE && !o->command)
		code = usage_error(NULL, "a command is missing");
	else if (code == EXIT_DONE)
		code = run(o, &w);
	return code;
}

/* A stream that our caller has closed would be the next file that is opened, the lock or a socket, and
 * messages would go there. What is open for reading alone stays as good as closed for them. */
static void hold_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0)
			return;
}

int main(int argc, char **argv)
{
	struct options o = { .env = environment };
	const char *no_color = getenv("NO_COLOR");

	hold_standard_streams();
	/* A terminal that goes away must not stop an apply in the middle of a message. */
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	if (atexit(ended_by_library))
		message_errno("the end of the process", -ENOMEM);
	message_stream(getenv("JOURNAL_STREAM"));
	if (argc > 0 && is_dispatcher_link(argv[0]))
		return run_dispatcher_link(&o, argc, argv);
	o.color = isatty(STDOUT_FILENO) && (!no_color || !*no_color);
	return run_command_line(&o, argc, argv);
}
