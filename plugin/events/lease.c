/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Lease files of DHCP clients.
 */
#include "events/lease.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "events/manager.h"

/* The part of a line behind a word, or NULL. */
static const char *behind(const char *line, const char *word)
{
	size_t len = strlen(word);

	return strncmp(line, word, len) == 0 ? line + len : NULL;
}

/* The first of a list. */
static bool read_router(const char *list, struct addr *ret)
{
	char word[ADDR_TEXT_SIZE];

	return next_word(&list, " ,;", word, sizeof(word)) &&
	       way_out_parse(word, FAMILY_IPV4, ret);
}

bool lease_read_variables(char *text, int64_t written, const struct lease_clock *now,
			  struct addr *ret)
{
	struct addr router;
	bool found = false;
	char *rest;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		const char *value = behind(line, "ROUTER=");
		uint32_t seconds;

		if (value)
			found = read_router(value, &router);
		value = behind(line, "LIFETIME=");
		if (value && number_parse(value, UINT32_MAX, &seconds) == 0 &&
		    written + seconds < now->seconds)
			return false;
	}
	if (found)
		*ret = router;
	return found;
}

/* "4 2024/01/02 03:04:05;" in UTC, its first number the day of the week; "epoch 1704164645; # …";
 * "never;". The order of such dates is that of their texts. */
static bool is_over(const char *expire, const struct lease_clock *now)
{
	char day[sizeof("epoch")], seconds[sizeof("4294967295")];
	uint32_t epoch;

	if (!next_word(&expire, " ;", day, sizeof(day)))
		return false;
	if (strcmp(day, "epoch") == 0)
		return next_word(&expire, " ;", seconds, sizeof(seconds)) &&
		       number_parse(seconds, UINT32_MAX, &epoch) == 0 && epoch < now->seconds;
	return *expire == ' ' && strlen(expire) > strlen(now->utc) &&
	       strncmp(expire + 1, now->utc, strlen(now->utc)) < 0;
}

bool lease_read_dhclient(char *text, const char *interface, const struct lease_clock *now,
			 struct addr *ret)
{
	bool mine = false, named = false, over = false, found = false;
	char wanted[NAME_SIZE + 3], *rest;
	struct addr router;

	snprintf(wanted, sizeof(wanted), "\"%s\";", interface);
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		const char *value;

		line += strspn(line, " \t");
		/* "lease6 {" as well: whose the routers before it were does not matter any more. */
		if (behind(line, "lease"))
			mine = named = over = false;
		value = behind(line, "interface ");
		if (value)
			mine = strcmp(value, wanted) == 0;
		value = behind(line, "option routers ");
		if (value)
			named = read_router(value, &router);
		value = behind(line, "expire ");
		if (value)
			over = is_over(value, now);
		if (*line == '}' && mine && named && !over) {
			found = true;
			*ret = router;
		}
	}
	return found;
}
