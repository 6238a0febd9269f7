/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Preloaded into the program under test: memory that fails. Requests are counted by who makes them,
 * so that our own code, which has to survive every one, is told from libraries that don't.
 *
 *	NO_MEMORY_FOR	who asks: "ifsteer" (the program itself) or a part of a library's path
 *	NO_MEMORY_AT	the number of the request that fails; with NO_MEMORY_FROM all behind it, too
 *	NO_MEMORY_NOTE	a file that is made when one has failed
 *	NO_MEMORY_TERM	SIGTERM waits from the beginning for who asks for it: a daemon ends as soon
 *			as it has started
 */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the C library's own functions are called beneath their names. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);

#define SEGMENTS_MAX 16

static struct {
	uintptr_t from, to;
} segments[SEGMENTS_MAX];		/* code of whose requests are counted */
static size_t segment_count;
static unsigned long at, count;
static bool all_behind;
static const char *note;

static int find_segments(struct dl_phdr_info *info, size_t size, void *whom)
{
	const char *name = *info->dlpi_name ? info->dlpi_name : "ifsteer";

	(void)size;
	for (int i = 0; strstr(name, whom) && i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X) || segment_count == SEGMENTS_MAX)
			continue;
		segments[segment_count].from = info->dlpi_addr + p->p_vaddr;
		segments[segment_count++].to = info->dlpi_addr + p->p_vaddr + p->p_memsz;
	}
	return 0;
}

__attribute__((constructor)) static void begin(void)
{
	char *whom = getenv("NO_MEMORY_FOR");
	const char *number = getenv("NO_MEMORY_AT");
	sigset_t set;

	note = getenv("NO_MEMORY_NOTE");
	all_behind = getenv("NO_MEMORY_FROM");
	at = number ? strtoul(number, NULL, 10) : 0;
	if (getenv("NO_MEMORY_TERM")) {
		sigemptyset(&set);
		sigaddset(&set, SIGTERM);
		sigprocmask(SIG_BLOCK, &set, NULL);
		raise(SIGTERM);
	}
	if (whom)
		dl_iterate_phdr(find_segments, whom);
}

/* True, and errno: this one fails. */
static bool fails(const void *caller)
{
	uintptr_t place = (uintptr_t)caller;
	bool is_counted = false;

	for (size_t i = 0; i < segment_count; i++)
		is_counted |= place >= segments[i].from && place < segments[i].to;
	if (!is_counted || ++count < at || (count > at && !all_behind))
		return false;
	if (note)
		close(open(note, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}

void *reallocarray(void *old, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, bytes);
}

/* These ask in the name of who called them. */
static char *copy(const char *text, size_t len)
{
	char *new = __libc_malloc(len + 1);

	if (new) {
		memcpy(new, text, len);
		new[len] = '\0';
	}
	return new;
}

char *strdup(const char *text)
{
	return fails(__builtin_return_address(0)) ? NULL : copy(text, strlen(text));
}

char *strndup(const char *text, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : copy(text, strnlen(text, size));
}

static int print(char **ret, const char *fmt, va_list args)
{
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	*ret = len < 0 ? NULL : __libc_malloc((size_t)len + 1);
	return *ret ? vsnprintf(*ret, (size_t)len + 1, fmt, args) : -1;
}

int vasprintf(char **ret, const char *fmt, va_list args)
{
	return fails(__builtin_return_address(0)) ? -1 : print(ret, fmt, args);
}

int asprintf(char **ret, const char *fmt, ...)
{
	va_list args;
	int len;

	if (fails(__builtin_return_address(0)))
		return -1;
	va_start(args, fmt);
	len = print(ret, fmt, args);
	va_end(args);
	return len;
}
