/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What only doctor wants to know of this host: services, their settings, and who else writes marks.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "kernel/doctor.h"

/* Nobody configures these programs with more. */
#define FILE_MAX ((size_t)16 << 20)

/* The file's text, to be freed; NULL: there is none that can be read. */
static char *read_file(const char *path)
{
	struct strbuf text = { 0 };
	char block[4096];
	struct stat st;
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		while ((n = read(fd, block, sizeof(block))) > 0 && text.len < FILE_MAX)
			strbuf_add_bytes(&text, block, (size_t)n);
	close(fd);
	if (n < 0) {
		strbuf_done(&text);
		return NULL;
	}
	return strbuf_take(&text);
}

static bool file_is(const char *path, const char *value)
{
	char *text = read_file(path);
	bool is = text && strcmp(text, value) == 0;

	free(text);
	return is;
}

/* ---- nftables.service: where distributions keep what it loads ---- */

static const char *find_flushing_conf(void)
{
	static const char *const paths[] = { "/etc/nftables.conf", "/etc/sysconfig/nftables.conf",
					     "/etc/nftables.nft" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		char *text = read_file(paths[i]);
		bool flushes = text && nft_script_flushes(text);

		free(text);
		if (flushes)
			return paths[i];
	}
	return NULL;
}

/* ---- systemd-networkd ---- */

/* Where its configuration may stand; the first one that has a file of a name is right. */
static const char *const conf_dirs[] = { "/etc/systemd", "/run/systemd", "/usr/local/lib/systemd",
					 "/usr/lib/systemd" };

/* False: there is no such file. An unreadable one, or a link to /dev/null, says nothing. */
static bool read_networkd_conf(const char *dir, const char *name, struct host *h)
{
	CLEANUP(strbuf_done) struct strbuf path = { 0 };
	char *text;

	strbuf_printf(&path, "%s/%s", dir, name);
	if (path.failed || access(path.text, F_OK) < 0)
		return false;
	text = read_file(path.text);
	if (text)
		networkd_conf_read(text, &h->networkd_keeps_rules, &h->networkd_keeps_routes);
	free(text);
	return true;
}

static void read_first_networkd_conf(const char *name, struct host *h)
{
	for (size_t i = 0; i < ARRAY_SIZE(conf_dirs); i++)
		if (read_networkd_conf(conf_dirs[i], name, h))
			return;
}

/* The least name of a drop-in behind `last`, in any of the directories; false: there is none. */
static bool next_drop_in(const char *last, char ret[static NAME_MAX + 1])
{
	char least[NAME_MAX + 1] = "";

	for (size_t i = 0; i < ARRAY_SIZE(conf_dirs); i++) {
		CLEANUP(strbuf_done) struct strbuf path = { 0 };
		struct dirent *e;
		DIR *dir;

		strbuf_printf(&path, "%s/networkd.conf.d", conf_dirs[i]);
		dir = path.failed ? NULL : opendir(path.text);
		while (dir && (e = readdir(dir))) {
			size_t len = strlen(e->d_name);

			if (len > 5 && strcmp(e->d_name + len - 5, ".conf") == 0 &&
			    strcmp(e->d_name, last) > 0 &&
			    (!*least || strcmp(e->d_name, least) < 0))
				memcpy(least, e->d_name, len + 1);
		}
		if (dir)
			closedir(dir);
	}
	memcpy(ret, least, sizeof(least));
	return *least;
}

static void read_networkd(struct host *h)
{
	char name[NAME_MAX + 1] = "", path[NAME_MAX + sizeof("networkd.conf.d/")];

	read_first_networkd_conf("networkd.conf", h);
	while (next_drop_in(name, name)) {
		snprintf(path, sizeof(path), "networkd.conf.d/%s", name);
		read_first_networkd_conf(path, h);
	}
}

/* ---- firewalld ---- */

static bool is_firewalld_strict(void)
{
	char *text = read_file("/etc/firewalld/firewalld.conf");
	bool is_strict = firewalld_conf_is_strict(text);

	free(text);
	return is_strict;
}

/* ---- NetworkManager ---- */

/* A file of /etc takes the place of one of its name in /usr; one that can't be run, like
 * /dev/null, switches it off. */
static bool find_dispatcher_hook(void)
{
	static const char *const paths[] = {
		"/etc/NetworkManager/dispatcher.d/50-ifsteer",
		"/usr/local/lib/NetworkManager/dispatcher.d/50-ifsteer",
		"/usr/lib/NetworkManager/dispatcher.d/50-ifsteer"
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct stat st;

		if (stat(paths[i], &st) == 0)
			return S_ISREG(st.st_mode) && st.st_mode & S_IXUSR;
	}
	return false;
}

/* Started over the bus by its other name. */
static struct service look_for_dispatcher(void)
{
	struct service s = service_look("NetworkManager-dispatcher.service", "nm-dispatcher");

	s.enabled |= service_look("dbus-org.freedesktop.nm-dispatcher.service", NULL).installed &&
		     s.installed;
	return s;
}

/* ---- iptables-legacy ---- */

static bool has_line(const char *path, const char *line)
{
	char *text = read_file(path), *rest = text, *word;
	bool found = false;

	while (!found && (word = strsep(&rest, "\n")))
		found = strcmp(word, line) == 0;
	free(text);
	return found;
}

int host_gather(uint32_t mask, struct host *ret, struct diag *d)
{
	struct host h = { .networkd = service_look("systemd-networkd.service", "systemd-networkd"),
			  .nftables = service_look("nftables.service", NULL),
			  .firewalld = service_look("firewalld.service", "firewalld"),
			  .networkmanager = service_look("NetworkManager.service",
							 "NetworkManager"),
			  .dispatcher = look_for_dispatcher(),
			  .ifsteer = service_look("ifsteer.service", NULL),
			  .firewalld_is_strict = is_firewalld_strict(),
			  .nftables_conf = find_flushing_conf(),
			  .has_dispatcher_hook = find_dispatcher_hook(),
			  .has_legacy_mangle = has_line("/proc/net/ip_tables_names", "mangle") ||
					       has_line("/proc/net/ip6_tables_names", "mangle"),
			  .all_src_valid_mark = file_is(
				  "/proc/sys/net/ipv4/conf/all/src_valid_mark", "1\n") };
	int err = nft_find_writers(mask, &h.writers, &h.writer_count);

	if (err < 0) {
		diag_error(d, (struct where){ 0 }, "cannot read nftables: %s", strerror(-err));
		return err;
	}
	read_networkd(&h);
	*ret = h;
	return 0;
}
