/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Our nftables table through libnftables, and what of it is known without asking. Never more than
 * our own table: somebody else's 100,000 elements cost half a second to list.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <nftables/libnftables.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "kernel/close-later.h"
#include "kernel/kernel.h"
#include "kernel/nft-cache.h"
#include "kernel/nft-own.h"
#include "kernel/nft-socket.h"

/* The one context of this process, made when it is first needed: that costs 0.1 ms. */
static struct nft_ctx *context;
static int context_socket = -1;		/* the context's own descriptor, if known */
static bool closes_at_exit;
/* Under which the caller knows what stands: the last listing's, moved on by each transaction of
 * ours as long as nobody else made one in between. */
static struct nft_stamp known;
static bool is_known;
static bool is_inside;			/* libnftables is at work */
static bool has_changed;		/* a transaction was made: closing may take its time */

static bool is_netfilter_socket(int fd)
{
	int domain = 0, protocol = 0;
	socklen_t len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_NETLINK &&
	       getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 &&
	       protocol == NETLINK_NETFILTER;
}

/* What libnftables is about to fill, zeroed by one system call instead of a page fault for each of
 * 250 pages: its hash tables of 128 KiB, which malloc() would map one by one as well, and the tree
 * of a small script. A cold apply of S4 has 283 page faults instead of 555, and takes 4 % less. Where
 * the kernel can't (before Linux 5.14) the pages come as they always did. */
static void make_room(void)
{
	static const size_t size = 1 << 20;
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start;
	char *room;

	mallopt(M_MMAP_THRESHOLD, 2 << 20);
	mallopt(M_TRIM_THRESHOLD, 2 << 20);
	room = malloc(size);
	if (!room)
		return;
	start = ((uintptr_t)room + page - 1) & ~(page - 1);
	(void)madvise((void *)start, size - page, MADV_POPULATE_WRITE);
	free(room);
}

/* libnftables doesn't say which descriptor its socket has: the lowest that was free. */
static struct nft_ctx *new_context(void)
{
	int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct nft_ctx *new;

	if (lowest >= 0)
		close(lowest);
	make_room();
	new = nft_ctx_new(NFT_CTX_DEFAULT);
	context_socket = new && is_netfilter_socket(lowest) ? lowest : -1;
	return new;
}

static void hand_over_sockets(void)
{
	int fds[2];
	size_t count = 0;

	if (context && is_netfilter_socket(context_socket))
		fds[count++] = context_socket;
	if (nft_own.fd >= 0)
		fds[count++] = nft_own.fd;
	if (has_changed)
		close_later(fds, count);
}

void nft_close(void)
{
	hand_over_sockets();
	if (context)
		nft_ctx_free(context);
	context = NULL;
	context_socket = -1;
	has_changed = false;
	netlink_close(&nft_own);
}

/* Nothing is freed here: the process ends anyway, and libnftables itself ends it where it has no
 * memory, in the middle of its work. */
static void close_at_exit(void)
{
	if (!is_inside)
		hand_over_sockets();
}

static struct nft_ctx *get_context(void)
{
	if (context)
		return context;
	context = new_context();
	if (context && (nft_ctx_buffer_output(context) || nft_ctx_buffer_error(context)))
		nft_close();
	return context;
}

/* libnftables takes and prints hours as local time, but days as the kernel counts them, in UTC: for
 * it this process is in UTC, as planning is. */
static int run(const char *commands)
{
	const char *zone = getenv("TZ");
	char *kept = zone ? strdup(zone) : NULL;
	int err;

	if (zone && !kept)
		return -ENOMEM;
	setenv("TZ", "UTC0", 1);
	tzset();
	is_inside = true;
	err = nft_run_cmd_from_buffer(context, commands);
	is_inside = false;
	if (kept)
		setenv("TZ", kept, 1);
	else
		unsetenv("TZ");
	tzset();
	free(kept);
	return err;
}

/* libnftables says "Error: WORDS", and below it a line of the script, which for a script in memory
 * is the wrong one. */
static int refuse(const char *what, struct diag *d)
{
	static const char prefix[] = "Error: ";
	const char *words = nft_ctx_get_error_buffer(context);

	if (strncmp(words, prefix, sizeof(prefix) - 1) == 0)
		words += sizeof(prefix) - 1;
	diag_error(d, (struct where){ 0 }, "nftables: %s: %.*s", what, (int)strcspn(words, "\n"),
		   words);
	return -EPROTO;
}

/* The generation first: what changes behind it makes the stamp worthless, and never wrong. */
static int get_stamp(struct nft_stamp *ret)
{
	time_t now = time(NULL);
	struct tm local = { 0 };
	int err = nft_generation(&ret->generation);

	localtime_r(&now, &local);
	ret->utc_offset = (int32_t)local.tm_gmtoff;
	return err ? err : nft_table_handle(&ret->handle);
}

static unsigned int listing_flags(enum nft_listing what)
{
	switch (what) {
	case NFT_KNOWN:
	case NFT_IN_FULL:
		return NFT_CTX_OUTPUT_NUMERIC_PROTO | NFT_CTX_OUTPUT_STATELESS;
	case NFT_HANDLES:
		return NFT_CTX_OUTPUT_NUMERIC_PROTO | NFT_CTX_OUTPUT_STATELESS |
		       NFT_CTX_OUTPUT_HANDLE;
	}
	return 0;
}

static int list_table_once(enum nft_listing what, char **ret, struct diag *d)
{
	uint64_t handle;
	char *text;

	if (!get_context())
		return -ENOMEM;
	nft_socket_begin();
	nft_ctx_output_set_flags(context, listing_flags(what));
	if (run("list table inet " OUR_TABLE)) {
		if (nft_table_handle(&handle) || handle)
			return refuse("list table inet " OUR_TABLE, d);
		*ret = NULL;		/* it went away just now */
		return 0;
	}
	if (nft_socket_interrupted())
		return -EAGAIN;
	text = strdup(nft_ctx_get_output_buffer(context));
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}

static int list_table(enum nft_listing what, char **ret, struct diag *d)
{
	int err = -EAGAIN;

	for (int tries = 0; tries < NFT_SOCKET_ATTEMPTS && err == -EAGAIN; tries++)
		err = list_table_once(what, ret, d);
	if (err == -EAGAIN)
		diag_error(d, (struct where){ 0 }, "cannot read nftables: it keeps changing");
	return err;
}

int nft_list(enum nft_listing what, char **ret, struct diag *d)
{
	struct nft_stamp before, after;
	char *text = NULL;
	int err = get_stamp(&before);

	is_known = err == 0;
	known = before;
	if (nft_is_missing(err))
		before.handle = err = 0;
	if (err < 0) {
		diag_error(d, (struct where){ 0 }, "cannot read nftables: %s", strerror(-err));
		return err;
	}
	if (before.handle && what == NFT_KNOWN)
		text = nft_cache_read(&before);
	/* A cgroup that was made anew has another id, and a rule that has the old one is listed
	 * otherwise, though nobody changed it. */
	if (text && strstr(text, "socket cgroupv2")) {
		free(text);
		text = NULL;
	}
	if (before.handle && !text) {
		err = list_table(what, &text, d);
		if (err < 0)
			return err;
		is_known = get_stamp(&after) == 0 && before.generation == after.generation;
		if (text && what == NFT_KNOWN && is_known)
			nft_cache_write(&before, text);
	}
	*ret = text;
	return 0;
}

const char *nft_try(const char *commands)
{
	nft_socket_begin();
	return run(commands) ? nft_ctx_get_error_buffer(context) : "";
}

/* -EPROTO: a kernel that has none refuses everything. */
static int cannot_reach(int err, struct diag *d)
{
	if (nft_is_missing(err)) {
		diag_error(d, (struct where){ 0 },
			   "this kernel has no nftables (nf_tables): no policy can be in force here");
		return -EPROTO;
	}
	diag_error(d, (struct where){ 0 }, "cannot reach nftables: %s", strerror(-err));
	return err;
}

int nft_prepare(struct diag *d)
{
	uint32_t generation;
	/* In this order: where there is no socket to be had, making a context ends the process. */
	int err = nft_generation(&generation);

	if (err == 0 && !get_context())
		err = -ENOMEM;
	return err ? cannot_reach(err, d) : 0;
}

void nft_keep(const char *listing)
{
	if (is_known && known.handle)
		nft_cache_write(&known, listing);
}

int nft_begin(uint32_t *ret_generation, struct diag *d)
{
	int err = nft_generation(ret_generation);

	if (err < 0)
		return cannot_reach(err, d);
	nft_cache_forget();
	/* The process would wait at its end, if it came to that with the sockets open. */
	if (!closes_at_exit)
		closes_at_exit = atexit(close_at_exit) == 0;
	has_changed = true;
	return 0;
}

int nft_end(uint32_t began, int err)
{
	struct nft_stamp now;

	if (get_stamp(&now)) {
		is_known = false;
		return err ? -EIO : 0;
	}
	if (err) {
		is_known = false;
		/* Refused, or only the answer lost? What is refused makes no generation. */
		return now.generation == began ? err : -EIO;
	}
	/* One generation further is our transaction and nobody else's. */
	is_known = is_known && known.generation == began && now.generation == began + 1;
	known.generation = now.generation;
	known.handle = now.handle;
	return 0;
}

int nft_run(const char *script, struct diag *d)
{
	uint32_t began = 0;
	int err = (context ? 0 : nft_prepare(d)) ?: nft_begin(&began, d);

	if (err < 0)
		return err;
	nft_socket_begin();
	return nft_end(began, run(script) ? refuse("the kernel refuses the table", d) : 0);
}
