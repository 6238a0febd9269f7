/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Other programs' configuration, as far as it may remove what ifsteer put into the kernel, or drop
 * what it steers.
 */
#include "plan/doctor/doctor.h"

#include <stdio.h>
#include <string.h>

#define BLANKS " \t\r"

/* The next word of a statement, at most a few bytes of it; false at the statement's end. */
static bool next_word(const char **at, char word[static 16])
{
	const char *p = *at + strspn(*at, BLANKS);
	size_t len = strcspn(p, BLANKS "\n;{}#\"");

	*at = p + len;
	snprintf(word, 16, "%.*s", (int)len, p);
	return len > 0;
}

static bool is_flush(const char *statement)
{
	char word[16];

	if (!next_word(&statement, word) || strcmp(word, "flush") != 0)
		return false;
	if (!next_word(&statement, word) || strcmp(word, "ruleset") != 0)
		return false;
	return !next_word(&statement, word) || strcmp(word, "inet") == 0;
}

/* What ends a statement; quoted text and comments are passed over. */
static const char *statement_end(const char *p)
{
	for (;;) {
		p += strcspn(p, "\n;{}#\"");
		if (*p == '#')
			return p + strcspn(p, "\n");
		if (*p != '"')
			return p;
		p += 1 + strcspn(p + 1, "\"\n");
		p += *p == '"';
	}
}

bool nft_script_flushes(const char *text)
{
	for (;;) {
		if (is_flush(text))
			return true;
		text = statement_end(text);
		if (!*text)
			return false;
		text++;
	}
}

/* As systemd's parse_boolean; what is none is ignored. */
static void read_boolean(const char *text, size_t len, bool *ret)
{
	static const char *const words[] = { "0", "no",	 "n", "false", "f", "off",
					     "1", "yes", "y", "true",  "t", "on" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i]) == len && strncasecmp(words[i], text, len) == 0)
			*ret = i >= ARRAY_SIZE(words) / 2;
}

/* The value of "KEY = value"; NULL for another key. */
static const char *value_of(const char *line, const char *key)
{
	if (strncmp(line, key, strlen(key)) != 0)
		return NULL;
	line += strlen(key);
	line += strspn(line, BLANKS);
	return *line == '=' ? line + 1 + strspn(line + 1, BLANKS) : NULL;
}

static void read_setting(const char *line, const char *key, bool *keeps)
{
	const char *value = value_of(line, key);
	size_t len = value ? strcspn(value, "\n") : 0;
	bool manages = !*keeps;

	while (len && strchr(BLANKS, value[len - 1]))
		len--;
	if (value)
		read_boolean(value, len, &manages);
	*keeps = !manages;
}

/* What is none of these words is the default, which is strict. */
bool firewalld_conf_is_strict(const char *text)
{
	static const char *const others[] = { "no", "false", "loose", "loose-forward" };
	bool is_strict = true;

	while (text && *text) {
		const char *value = value_of(text + strspn(text, BLANKS), "IPv6_rpfilter");
		size_t len = value ? strcspn(value, BLANKS "\n") : 0;

		if (value)
			is_strict = true;
		for (size_t i = 0; value && i < ARRAY_SIZE(others); i++)
			if (strlen(others[i]) == len && strncasecmp(others[i], value, len) == 0)
				is_strict = false;
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return is_strict;
}

void networkd_conf_read(const char *text, bool *keeps_rules, bool *keeps_routes)
{
	bool in_network = false;

	while (*text) {
		const char *line = text + strspn(text, BLANKS);

		if (*line == '[')
			in_network = strncmp(line, "[Network]", 9) == 0;
		if (in_network) {
			read_setting(line, "ManageForeignRoutingPolicyRules", keeps_rules);
			read_setting(line, "ManageForeignRoutes", keeps_routes);
		}
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
}
