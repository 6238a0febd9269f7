/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The routers that DHCP clients write down: the last place to look for a gateway, for those who
 * keep the default route away from main. Read only for interfaces about which nothing else says
 * anything. What can't be read isn't there.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "events/lease.h"
#include "kernel/gather.h"
#include "kernel/lease.h"

/* A client that appends its leases lets the file grow: its end is what counts. */
#define TAIL_SIZE 65536

/* The newest lease found for one interface. */
struct search {
	const struct link *link;
	struct lease_clock now;
	int64_t when;			/* the file's modification */
	bool found;
	struct addr router;
};

typedef bool (*reader)(char *text, int64_t written, const struct search *s, struct addr *ret);

static bool read_variables(char *text, int64_t written, const struct search *s, struct addr *ret)
{
	return lease_read_variables(text, written, &s->now, ret);
}

static bool read_dhclient(char *text, int64_t written, const struct search *s, struct addr *ret)
{
	(void)written;
	return lease_read_dhclient(text, s->link->name, &s->now, ret);
}

static void take(struct search *s, const struct addr *router, int64_t when)
{
	if (s->found && s->when > when)
		return;
	s->found = true;
	s->when = when;
	s->router = *router;
}

static void read_lease(int dir, const char *name, reader f, struct search *s)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct addr router;
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
		if (f(text, st.st_mtime, s, &router))
			take(s, &router, st.st_mtime);
	}
	free(text);
	close(fd);
}

static bool begins_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* ---- files ---- */

const char *const lease_directories[LEASE_DIRECTORIES] = {
	"/run/systemd/netif/leases",
	"/var/lib/dhcp",
	"/var/lib/dhclient",
	"/var/lib/NetworkManager",
};

/* dhclient's files say inside whose they are. */
static bool is_dhclients(const char *name)
{
	return begins_with(name, "dhclient");
}

static bool is_networkmanagers(const char *name)
{
	return begins_with(name, "internal-") && ends_with(name, ".lease");
}

/* systemd-networkd's are called by the interface's index. */
static bool is_networkds(const char *name)
{
	return *name && !name[strspn(name, "0123456789")];
}

bool lease_is_file(const char *name)
{
	return is_dhclients(name) || is_networkmanagers(name) || is_networkds(name);
}

static void read_directory(const char *path, struct search *s)
{
	char suffix[NAME_SIZE + 8], index[sizeof("4294967295")];
	const struct dirent *e;
	DIR *d = opendir(path);

	if (!d)
		return;
	snprintf(suffix, sizeof(suffix), "-%s.lease", s->link->name);
	snprintf(index, sizeof(index), "%u", s->link->index);
	while ((e = readdir(d))) {
		if (is_dhclients(e->d_name))
			read_lease(dirfd(d), e->d_name, read_dhclient, s);
		else if ((is_networkmanagers(e->d_name) && ends_with(e->d_name, suffix)) ||
			 strcmp(e->d_name, index) == 0)
			read_lease(dirfd(d), e->d_name, read_variables, s);
	}
	closedir(d);
}

/* ---- who needs one ---- */

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

static struct lease_clock read_clock(void)
{
	struct lease_clock now = { .seconds = time(NULL) };
	const time_t seconds = now.seconds;
	struct tm utc;

	if (gmtime_r(&seconds, &utc))
		(void)!strftime(now.utc, sizeof(now.utc), "%Y/%m/%d %H:%M:%S", &utc);
	return now;
}

void gather_leases(struct gather *g)
{
	bool *has_default = find_defaults(g);
	const struct lease_clock now = read_clock();

	for (size_t i = 0; has_default && i < g->facts.links.count; i++) {
		struct link *l = &g->facts.links.v[i];
		struct search search = { .link = l, .now = now };

		if (!g->links[i].managed || has_default[i] || !needs_lease(g, l))
			continue;
		for (size_t k = 0; k < LEASE_DIRECTORIES; k++)
			read_directory(lease_directories[k], &search);
		if (!search.found)
			continue;
		l->has_lease[FAMILY_IPV4] = true;
		l->lease[FAMILY_IPV4] = search.router;
	}
	free(has_default);
}
