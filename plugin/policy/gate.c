/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The lexical gate before libconfig, which ends the process for an @include of a directory, swallows
 * what follows an open comment, wraps large numbers, and exhausts its stack, memory or time where
 * nesting, values or keys have no end. And where libconfig would say "syntax error", it says which.
 */
#include "policy/gate.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "base/vec.h"

#define DEPTH_MAX 16
/* libconfig looks through all keys of a group for each new one. */
#define KEYS_MAX 64
/* libconfig takes about 150 bytes for each. Long lists of prefixes belong in a set's file. */
#define VALUES_MAX 2000000
/* What of a word is shown in a message. */
#define SHOWN_MAX 60

struct bracket {
	char open;
	unsigned int line;
	unsigned int keys;
};

struct lexer {
	const char *file;
	const char *at;
	const char *end;
	unsigned int line;
	char last; /* the token before: punctuation itself, '"' a text, 'w' a word as a value,
					 * 'k' a key, 0 none */
	const char *key; /* of 'k' */
	size_t key_len;
	unsigned int key_line;
	unsigned int depth;
	struct bracket brackets[DEPTH_MAX + 1]; /* [0]: the file itself */
	size_t values;
	struct gate *gate;
	struct diag *diag;
	int err; /* of literals; scanning goes on */
};

#define FAIL(l, ...) diag_error((l)->diag, (struct where){ (l)->file, (l)->line }, __VA_ARGS__)

static bool looking_at(const struct lexer *l, const char *text)
{
	size_t n = strlen(text);

	return (size_t)(l->end - l->at) >= n && memcmp(l->at, text, n) == 0;
}

static bool in_group(const struct lexer *l)
{
	char in = l->brackets[l->depth].open;

	return in == '{' || in == 0;
}

/* After "=" a value is due, after "," only in arrays and lists: in a group it ends a setting. */
static bool value_is_due(const struct lexer *l)
{
	return l->last == '=' ||
	       (!in_group(l) && (l->last == ',' || l->last == l->brackets[l->depth].open));
}

/* What libconfig would call a syntax error somewhere here, or, with two texts side by side, join. */
static int check_value_place(struct lexer *l)
{
	if (value_is_due(l) || (l->last == '"' && *l->at == '"' && in_group(l)))
		return 0;
	if (!in_group(l))
		return FAIL(l, "a \",\" is missing between two values");
	return FAIL(l, "a value without a key: expected key = value;");
}

/* Behind a key nothing but "=" may stand. `is_equals`: it does. */
static int check_key_place(struct lexer *l, bool is_equals)
{
	int shown = l->key_len > SHOWN_MAX ? SHOWN_MAX : l->key_len;

	if (l->last != 'k' || is_equals)
		return 0;
	l->line = l->key_line;
	return FAIL(l, "\"=\" is missing behind \"%.*s\": expected key = value;", shown, l->key);
}

/* Also in libconfig nothing but a newline ends a line. */
static void skip_line(struct lexer *l)
{
	const char *newline = memchr(l->at, '\n', l->end - l->at);

	l->at = newline ? newline : l->end;
}

static int skip_comment(struct lexer *l)
{
	unsigned int lines = 0;

	for (const char *p = l->at + 2; p < l->end; p++) {
		if (p + 1 < l->end && p[0] == '*' && p[1] == '/') {
			l->at = p + 2;
			l->line += lines;
			return 0;
		}
		lines += *p == '\n';
	}
	return FAIL(l, "the comment that \"/*\" opens here is never closed");
}

static int skip_text(struct lexer *l)
{
	unsigned int *slot;

	if (check_value_place(l) < 0)
		return -EINVAL;
	if (l->last != '"') {
		slot = VEC_PUSH(l->gate->text_lines, l->gate->text_count);
		if (!slot)
			return -ENOMEM;
		*slot = l->line;
	}
	l->last = '"';
	for (l->at++; l->at < l->end && *l->at != '"'; l->at++) {
		if (*l->at == '\n')
			return FAIL(l, "the text that begins here does not end in its line: is a "
				       "closing '\"' missing?");
		/* libconfig would end its own C string there. */
		if (looking_at(l, "\\x00") || looking_at(l, "\\X00"))
			return FAIL(l, "\"\\x00\" in a text: no text may contain NUL");
		if (looking_at(l, "\\\\") || looking_at(l, "\\\""))
			l->at++;
	}
	if (l->at >= l->end)
		return FAIL(l, "the text that begins here is never closed: a '\"' is missing");
	l->at++;
	return 0;
}

static bool is_float(const char *word, size_t len)
{
	bool dot = false, exponent = false, digit = false;

	for (size_t i = 0; i < len; i++) {
		bool starts = i == 0 || word[i - 1] == 'e' || word[i - 1] == 'E';

		if (isdigit((unsigned char)word[i]))
			digit = true;
		else if (word[i] == '.' && !dot && !exponent)
			dot = true;
		else if ((word[i] == 'e' || word[i] == 'E') && digit && !exponent)
			exponent = true;
		else if ((word[i] != '+' && word[i] != '-') || !starts)
			return false;
	}
	return digit;
}

/* What is wrong with a word where a value is expected; NULL for true, false and numbers, which may
 * stand without quotes. libconfig keeps an int of whatever number it reads: of 4294967348 it makes
 * 52. */
static const char *literal_problem(const char *word, size_t len)
{
	char digits[SHOWN_MAX];
	uint32_t value;
	size_t n = len;
	int err;

	if ((len == 4 && strncasecmp(word, "true", 4) == 0) ||
	    (len == 5 && strncasecmp(word, "false", 5) == 0))
		return NULL;
	if (is_float(word, len) &&
	    (memchr(word, '.', len) || memchr(word, 'e', len) || memchr(word, 'E', len)))
		return NULL;
	if (*word == '-' || *word == '+') {
		word++;
		n--;
	}
	while (n && len - n < 3 && word[n - 1] == 'L')
		n--;
	if (n == 0 || !isdigit((unsigned char)*word) || n >= sizeof(digits))
		return "must stand in quotes";
	memcpy(digits, word, n);
	digits[n] = '\0';
	err = number_parse(digits, INT32_MAX, &value);
	if (err == -ERANGE)
		return "is above 2147483647: so large a number must stand in quotes";
	if (err < 0)
		return digits[strspn(digits, "0123456789")] ? "must stand in quotes"
							    : "begins with a 0 too many";
	return NULL;
}

static int skip_word(struct lexer *l)
{
	bool is_value = !in_group(l) || value_is_due(l);
	const char *start = l->at,
		   *ends = is_value ? " \t\r\n\f,;{}[]()\"=#" : " \t\r\n\f,;{}[]()\"=#:";
	const char *why;
	size_t len;

	if (is_value && check_value_place(l) < 0)
		return -EINVAL;
	if (!is_value && !isalpha((unsigned char)*start) && *start != '*')
		return FAIL(l, "\"%c\" begins no key: is a '\"' missing before it?", *start);
	do
		l->at++;
	while (l->at < l->end && !strchr(ends, *l->at) && !looking_at(l, "//") &&
	       !looking_at(l, "/*"));
	len = l->at - start;
	why = is_value ? literal_problem(start, len) : NULL;
	if (why)
		l->err = FAIL(l, "%.*s%s %s", (int)(len > SHOWN_MAX ? SHOWN_MAX : len), start,
			      len > SHOWN_MAX ? "..." : "", why);
	l->last = is_value ? 'w' : 'k';
	l->key = start;
	l->key_len = len;
	l->key_line = l->line;
	return 0;
}

static int open_bracket(struct lexer *l)
{
	if (check_value_place(l) < 0)
		return -EINVAL;
	if (l->depth == DEPTH_MAX)
		return FAIL(l, "brackets nest deeper than %d", DEPTH_MAX);
	l->brackets[++l->depth] = (struct bracket){ .open = *l->at, .line = l->line };
	l->last = *l->at++;
	return 0;
}

static int close_bracket(struct lexer *l)
{
	const struct bracket *b = &l->brackets[l->depth];
	char closes = *l->at == '}' ? '{' : *l->at == ']' ? '[' : '(';

	if (l->depth == 0)
		return FAIL(l, "\"%c\" closes nothing", *l->at);
	if (b->open != closes)
		return FAIL(l, "\"%c\" does not close the \"%c\" of line %u", *l->at, b->open,
			    b->line);
	/* libconfig took to allowing it after 1.5. */
	if (l->last == ',' && *l->at != '}')
		return FAIL(l, "a \",\" too many before \"%c\"", *l->at);
	if (l->last == '=')
		return FAIL(l, "a value is missing behind \"=\"");
	l->depth--;
	l->last = *l->at++;
	return 0;
}

/* "=" and ";" are of groups alone. */
static int separator(struct lexer *l)
{
	struct bracket *b = &l->brackets[l->depth];
	bool is_equals = *l->at == '=' || *l->at == ':';

	if (!in_group(l) && *l->at != ',')
		return FAIL(l, "\"%c\" inside the \"%c\" of line %u: is its end missing?", *l->at,
			    b->open, b->line);
	if (l->last == '=')
		return FAIL(l, "a value is missing behind \"=\"");
	if (is_equals && ++b->keys > KEYS_MAX)
		return FAIL(l, "more than %d settings in one group", KEYS_MAX);
	if (*l->at != ';' && ++l->values > VALUES_MAX)
		return FAIL(l,
			    "more than %d values in one file: long lists of prefixes belong in a "
			    "set's file",
			    VALUES_MAX);
	l->last = is_equals ? '=' : *l->at;
	l->at++;
	return 0;
}

static int next_token(struct lexer *l)
{
	if (*l->at == '\n')
		l->line++;
	if (strchr(" \t\r\n\f", *l->at)) {
		l->at++;
		return 0;
	}
	if (*l->at == '#' || looking_at(l, "//")) {
		skip_line(l);
		return 0;
	}
	if (looking_at(l, "/*"))
		return skip_comment(l);
	if (looking_at(l, "@include"))
		return FAIL(l, "@include is not supported: files in policy.d are read all, in the "
			       "order of their names");
	if (check_key_place(l, *l->at == '=' || *l->at == ':') < 0)
		return -EINVAL;
	if (*l->at == '"')
		return skip_text(l);
	if (strchr("{[(", *l->at))
		return open_bracket(l);
	if (strchr("}])", *l->at))
		return close_bracket(l);
	if (strchr(",;=:", *l->at))
		return separator(l);
	return skip_word(l);
}

/* NUL ends C strings, a byte order mark is a syntax error to libconfig that nobody can see. */
static int check_bytes(struct lexer *l)
{
	const char *nul = memchr(l->at, '\0', l->end - l->at);

	if (nul) {
		for (const char *p = l->at; p < nul; p++)
			l->line += *p == '\n';
		return FAIL(l, "a NUL byte: this is no text");
	}
	if (looking_at(l, "\xef\xbb\xbf") || looking_at(l, "\xff\xfe") || looking_at(l, "\xfe\xff"))
		return FAIL(l, "the file begins with a byte order mark (BOM): save it as UTF-8 "
			       "without one");
	return 0;
}

/* What is open when the file is over. */
static int check_end(struct lexer *l)
{
	const struct bracket *b = &l->brackets[l->depth];

	if (check_key_place(l, false) < 0)
		return -EINVAL;
	if (l->last == '=')
		return FAIL(l, "a value is missing behind \"=\"");
	if (l->depth == 0)
		return 0;
	l->line = b->line;
	return FAIL(l, "the \"%c\" that opens here is never closed", b->open);
}

int gate_check(const char *file, const char *text, size_t len, struct gate *ret, struct diag *d)
{
	struct lexer l = {
		.file = file, .at = text, .end = text + len, .line = 1, .gate = ret, .diag = d
	};
	int err = len ? check_bytes(&l) : 0;

	while (err == 0 && l.at < l.end)
		err = next_token(&l);
	if (err == 0)
		err = check_end(&l);
	return err ? err : l.err;
}

void gate_done(struct gate *g)
{
	free(g->text_lines);
	*g = (struct gate){ 0 };
}
