/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * stopwatch [-n COPIES] FILE COMMAND [ARGUMENT]…: runs a command and appends to FILE how many
 * microseconds it took from its start to its end, and how many KiB of memory it held at most. With
 * -n many copies run at once, a {} in their arguments being the number of each, and the last one's
 * end is the end. What they print is thrown away.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* The arguments of copy number `n`; they live as long as this program. */
static char **numbered(char *const *argv, int argc, int n)
{
	char **copy = calloc((size_t)argc + 1, sizeof(*copy));

	for (int i = 0; copy && i < argc; i++) {
		const char *at = strstr(argv[i], "{}");

		if (!at)
			copy[i] = argv[i];
		else if (asprintf(&copy[i], "%.*s%d%s", (int)(at - argv[i]), argv[i], n, at + 2) < 0)
			return NULL;
	}
	return copy;
}

int main(int argc, char **argv)
{
	int copies = 1, first = 1, failed = 0;
	posix_spawn_file_actions_t silence;
	long long start, spent;
	long memory = 0;
	char ***all;
	FILE *out;

	if (argc > 3 && strcmp(argv[1], "-n") == 0) {
		copies = atoi(argv[2]);
		first = 3;
	}
	if (argc < first + 2 || copies < 1) {
		fprintf(stderr, "usage: stopwatch [-n COPIES] FILE COMMAND [ARGUMENT]...\n");
		return 2;
	}
	posix_spawn_file_actions_init(&silence);
	posix_spawn_file_actions_addopen(&silence, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&silence, STDOUT_FILENO, STDERR_FILENO);
	all = calloc((size_t)copies, sizeof(*all));
	for (int i = 0; all && i < copies; i++)
		all[i] = numbered(argv + first + 1, argc - first - 1, i + 1);
	start = now_us();
	for (int i = 0; all && i < copies; i++) {
		pid_t pid;

		if (!all[i] || posix_spawnp(&pid, all[i][0], &silence, NULL, all[i], environ)) {
			fprintf(stderr, "stopwatch: %s: %s\n", argv[first + 1], strerror(errno));
			return 2;
		}
	}
	for (int i = 0; i < copies; i++) {
		struct rusage usage;
		int status;

		if (wait4(-1, &status, 0, &usage) < 0)
			return 2;
		failed |= !WIFEXITED(status) || WEXITSTATUS(status);
		if (usage.ru_maxrss > memory)
			memory = usage.ru_maxrss;
	}
	spent = now_us() - start;
	out = fopen(argv[first], "a");
	if (!out || fprintf(out, "%lld %ld\n", spent, memory) < 0 || fclose(out))
		return 2;
	return failed;
}
