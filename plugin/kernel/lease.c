/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The routers that DHCP clients write down: the last place to look for a gateway, for those who
 * keep the default route away from main. Read only for interfaces about which nothing else says
 * anything. What can't be read isn't there.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kernel/gather.h"

/* A client that appends its leases lets the file grow: its end is what counts. */
#define TAIL_SIZE 65536

/* The newest lease found for one interface. */
struct lease {
	const struct link *link;
	int64_t now;
	int64_t when;			/* the file's modification */
	bool found;
	struct addr router;
};

static bool is_router(const char *text, struct addr *ret)
{
	char word[ADDR_TEXT_SIZE];
	size_t len = strcspn(text, " ,;\n");

	if (len >= sizeof(word))
		return false;
	memcpy(word, text, len);
	word[len] = '\0';
	return addr_parse(word, ret) == 0 && ret->family == FAMILY_IPV4 && !addr_is_zero(ret);
}

static void take(struct lease *l, const struct addr *router, int64_t when)
{
	if (l->found && l->when > when)
		return;
	l->found = true;
	l->when = when;
	l->router = *router;
}

/* The part of a line behind a word, or NULL. */
static const char *behind(const char *line, const char *word)
{
	size_t len = strlen(word);

	return strncmp(line, word, len) == 0 ? line + len : NULL;
}

/* systemd-networkd and NetworkManager's own client: KEY=VALUE lines, a lifetime that counts from
 * when it was written. */
static void parse_variables(char *text, int64_t when, struct lease *l)
{
	struct addr router;
	bool found = false;
	char *rest;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		const char *value = behind(line, "ROUTER=");
		uint32_t seconds;

		if (value)
			found = is_router(value, &router);
		value = behind(line, "LIFETIME=");
		if (value && number_parse(value, UINT32_MAX, &seconds) == 0 &&
		    when + seconds < l->now)
			return;
	}
	if (found)
		take(l, &router, when);
}

/* "4 2024/01/02 03:04:05;" in UTC, "epoch 1704164645;", "never;". */
static bool is_over(const char *expire, int64_t now)
{
	struct tm t = { 0 };
	long long seconds;

	if (sscanf(expire, "epoch %lld", &seconds) == 1)
		return seconds < now;
	if (sscanf(expire, "%*d %4d/%2d/%2d %2d:%2d:%2d", &t.tm_year, &t.tm_mon, &t.tm_mday,
		   &t.tm_hour, &t.tm_min, &t.tm_sec) != 6)
		return false;
	t.tm_year -= 1900;
	t.tm_mon -= 1;
	return timegm(&t) < now;
}

/* dhclient: blocks of statements, one a line, the newest last. */
static void parse_dhclient(char *text, int64_t when, struct lease *l)
{
	char interface[NAME_SIZE + 3], *rest;
	struct addr router;
	bool mine = false, found = false, over = false;

	snprintf(interface, sizeof(interface), "\"%s\";", l->link->name);
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		const char *value;

		line += strspn(line, " \t");
		if (behind(line, "lease "))
			mine = found = over = false;
		value = behind(line, "interface ");
		if (value)
			mine = strcmp(value, interface) == 0;
		value = behind(line, "option routers ");
		if (value)
			found = is_router(value, &router);
		value = behind(line, "expire ");
		if (value)
			over = is_over(value, l->now);
		if (*line == '}' && mine && found && !over)
			take(l, &router, when);
	}
}

typedef void (*parse)(char *text, int64_t when, struct lease *l);

static void read_lease(int dir, const char *name, parse f, struct lease *l)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char *text = NULL;
	struct stat st;
	ssize_t len;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && !(st.st_mode & S_IWOTH))
		text = malloc(TAIL_SIZE + 1);
	if (text) {
		len = pread(fd, text, TAIL_SIZE,
			    st.st_size > TAIL_SIZE ? st.st_size - TAIL_SIZE : 0);
		text[len > 0 ? len : 0] = '\0';
		f(text, st.st_mtime, l);
	}
	free(text);
	close(fd);
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* Clients name their files after the interface or not at all; dhclient's say inside whose they
 * are. */
static void read_directory(const char *path, struct lease *l)
{
	char internal[NAME_SIZE + 8];
	const struct dirent *e;
	DIR *d = opendir(path);

	if (!d)
		return;
	snprintf(internal, sizeof(internal), "-%s.lease", l->link->name);
	while ((e = readdir(d))) {
		if (behind(e->d_name, "dhclient"))
			read_lease(dirfd(d), e->d_name, parse_dhclient, l);
		else if (behind(e->d_name, "internal-") && ends_with(e->d_name, internal))
			read_lease(dirfd(d), e->d_name, parse_variables, l);
	}
	closedir(d);
}

static void find_lease(struct lease *l)
{
	static const char *const directories[] = { "/var/lib/dhcp", "/var/lib/dhclient",
						   "/var/lib/NetworkManager" };
	char path[64];

	snprintf(path, sizeof(path), "/run/systemd/netif/leases/%u", l->link->index);
	read_lease(AT_FDCWD, path, parse_variables, l);
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		read_directory(directories[i], l);
}

/* Which interfaces have an IPv4 default route that is not ours, by place in links; NULL when memory
 * failed. */
static bool *find_defaults(const struct gather *g)
{
	bool *has = calloc(g->facts.links.count + 1, sizeof(*has));

	for (size_t i = 0; has && i < g->facts.route_count; i++) {
		const struct route *r = &g->facts.routes[i];
		const struct link *l = NULL;

		if (r->family == FAMILY_IPV4 && r->dst.len == 0 && r->protocol != OUR_PROTOCOL)
			l = links_by_index(&g->facts.links, r->oif);
		if (l)
			has[l - g->facts.links.v] = true;
	}
	return has;
}

/* Whether the lease would be looked at: see `gateway` in ifsteer.conf(5). */
static bool needs_lease(const struct gather *g, const struct link *l)
{
	const struct interface *decl = config_interface(g->want->config, l->name);
	const struct told *t = facts_told(&g->facts, l->name);

	return decl && decl->gateway[FAMILY_IPV4].kind == GATEWAY_AUTO && l->up &&
	       !(t && t->has_gateway[FAMILY_IPV4]);
}

void gather_leases(struct gather *g)
{
	bool *has_default = find_defaults(g);

	for (size_t i = 0; has_default && i < g->facts.links.count; i++) {
		struct link *l = &g->facts.links.v[i];
		struct lease lease = { .link = l, .now = time(NULL) };

		if (!g->links[i].managed || has_default[i] || !needs_lease(g, l))
			continue;
		find_lease(&lease);
		if (!lease.found)
			continue;
		l->has_lease[FAMILY_IPV4] = true;
		l->lease[FAMILY_IPV4] = lease.router;
	}
	free(has_default);
}
