/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * For programs that try the kernel's room on the real kernel: a network namespace and a /run of
 * their own, gone when they end. Include it behind tap.h.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/tap.h"

static inline void own_skip(const char *why)
{
	if (getenv("IFSTEER_REQUIRE_NETNS")) {
		printf("Bail out! %s, and IFSTEER_REQUIRE_NETNS is set\n", why);
		exit(1);
	}
	printf("1..0 # SKIP %s\n", why);
	exit(0);
}

static inline void own_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		own_skip(path);
	close(fd);
}

/* As root, or as root of a user namespace. */
static inline void own_netns(void)
{
	char map[32];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWNET | CLONE_NEWNS | (uid ? CLONE_NEWUSER : 0)))
		own_skip("no namespaces of one's own");
	if (uid) {
		own_write("/proc/self/setgroups", "deny");
		snprintf(map, sizeof(map), "0 %u 1", uid);
		own_write("/proc/self/uid_map", map);
		snprintf(map, sizeof(map), "0 %u 1", gid);
		own_write("/proc/self/gid_map", map);
	}
	if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) ||
	    mount("run", "/run", "tmpfs", 0, "mode=755,size=4m"))
		own_skip("no mounts of one's own");
}

/* A shell command that must succeed for the test to mean anything. */
__attribute__((format(printf, 1, 2)))
static inline void sh(const char *fmt, ...)
{
	char command[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	if (system(command))
		ok(false, "%s", command);
}

/* What a command prints, without the last newline; one buffer for each of four calls in a row. */
__attribute__((format(printf, 1, 2)))
static inline const char *output(const char *fmt, ...)
{
	static char texts[4][65536];
	static unsigned int next;
	char command[2048], *text = texts[next++ % 4];
	size_t len = 0;
	va_list args;
	FILE *f;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	f = popen(command, "re");
	if (f) {
		len = fread(text, 1, sizeof(texts[0]) - 1, f);
		pclose(f);
	}
	while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
		len--;
	text[len] = '\0';
	return text;
}
