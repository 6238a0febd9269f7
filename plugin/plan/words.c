/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The words by which nftables text knows interfaces: names may hold anything, nft's may not.
 */
#include "plan/internal.h"

#include <stdio.h>
#include <string.h>

static bool is_word(const char *name)
{
	const char *end = name + strlen(name);

	for (const char *c = name; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
		      *c == '_' || *c == '.'))
			return false;
	/* Such a name would look like another path's chain. */
	return !(end - name > 7 && strcmp(end - 7, "_yields") == 0) && !(end - name > 5 && strcmp(end - 5, "_only") == 0) &&
	       strncmp(name, "slot_", 5) != 0 && strncmp(name, "table_", 6) != 0 && strcmp(name, "main") != 0;
}

/* nft has no escape for a quote, and takes a * at the end of a name for a wildcard unless it is escaped. */
bool name_quote(const char *name, char buf[static NAME_SIZE + 4])
{
	size_t n = strlen(name);

	buf[0] = '\0';
	for (const char *c = name; *c; c++)
		if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ' || *c == 127)
			return false;
	if (n && name[n - 1] == '*')
		sprintf(buf, "\"%.*s\\*\"", (int)n - 1, name);
	else
		sprintf(buf, "\"%s\"", name);
	return true;
}

/* nft's names know neither dash nor quote nor blank. The slot makes the word unique. */
void path_name(struct path *path)
{
	size_t n;

	(void)name_quote(path->name, path->quoted);
	if (is_word(path->name)) {
		strcpy(path->word, path->name);
		return;
	}
	n = (size_t)snprintf(path->word, sizeof(path->word), "slot_%u_", path->slot);
	for (const char *c = path->name; *c && n + 1 < sizeof(path->word); c++)
		path->word[n++] = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ? *c : '_';
	path->word[n] = '\0';
}
