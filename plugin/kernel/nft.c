/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Our nftables table: through libnftables, and by nfnetlink the small questions for which
 * libnftables reads too much. Never more than our own table: somebody else's 100,000 elements cost
 * half a second to list.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <nftables/libnftables.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/vec.h"
#include "kernel/close-later.h"
#include "kernel/kernel.h"
#include "kernel/netlink.h"
#include "kernel/nfnetlink.h"
#include "kernel/nft-cache.h"
#include "kernel/nft-socket.h"

/* The one context of this process and the one socket for questions, made when they are first
 * needed: making a context costs 0.1 ms. */
static struct nft_ctx *context;
static int context_socket = -1;		/* the context's own descriptor, if known */
static bool closes_at_exit;
/* Under which the caller knows what stands: the last listing's, moved on by each transaction of
 * ours as long as nobody else made one in between. */
static struct nft_stamp known;
static bool is_known;
static bool has_changed;		/* a transaction was made: closing may take its time */
static struct netlink questions = NETLINK_CLOSED;

static bool is_netfilter_socket(int fd)
{
	int domain = 0, protocol = 0;
	socklen_t len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_NETLINK &&
	       getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 &&
	       protocol == NETLINK_NETFILTER;
}

/* libnftables doesn't say which descriptor its socket has: the lowest that was free. */
static struct nft_ctx *new_context(void)
{
	int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct nft_ctx *new;

	if (lowest >= 0)
		close(lowest);
	new = nft_ctx_new(NFT_CTX_DEFAULT);
	context_socket = new && is_netfilter_socket(lowest) ? lowest : -1;
	return new;
}

void nft_close(void)
{
	int fds[2];
	size_t count = 0;

	if (context && is_netfilter_socket(context_socket))
		fds[count++] = context_socket;
	if (questions.fd >= 0)
		fds[count++] = questions.fd;
	if (has_changed)
		close_later(fds, count);
	if (context)
		nft_ctx_free(context);
	context = NULL;
	context_socket = -1;
	has_changed = false;
	netlink_close(&questions);
}

/* ---- questions ---- */

/* Asks, or dumps when `restart` is given. */
static int ask(struct nlmsghdr *nlh, const struct netlink_reader *r)
{
	int err = questions.fd < 0 ? netlink_open(&questions, NETLINK_NETFILTER) : 0;

	if (err < 0)
		return err;
	return r->restart ? netlink_dump(&questions, nlh, r) : netlink_ask(&questions, nlh, r);
}

static bool is_missing(int err)
{
	/* The last two are a kernel without nf_tables. */
	return err == -ENOENT || err == -EOPNOTSUPP || err == -EINVAL;
}

static int each_table(const struct nlmsghdr *nlh, void *ctx)
{
	struct nlattr *attr;
	uint64_t *ret = ctx;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == NFTA_TABLE_HANDLE)
			*ret = nfnetlink_u64(attr);
	return 0;
}

/* Our table's handle; 0: there is no table. */
static int table_handle(uint64_t *ret)
{
	char buf[128];
	struct nlmsghdr *nlh = nfnetlink_request(buf, NFNL_SUBSYS_NFTABLES, NFT_MSG_GETTABLE,
						 NFPROTO_INET);
	uint64_t handle = 0;
	const struct netlink_reader reader = { each_table, NULL, &handle };
	int err;

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, OUR_TABLE);
	err = ask(nlh, &reader);
	if (err < 0 && !is_missing(err))
		return err;
	*ret = err == 0 ? handle : 0;
	return 0;
}

static int each_generation(const struct nlmsghdr *nlh, void *ctx)
{
	struct nlattr *attr;
	uint32_t *ret = ctx;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == NFTA_GEN_ID)
			*ret = nfnetlink_u32(attr);
	return 0;
}

int nft_generation(uint32_t *ret)
{
	char buf[128];
	uint32_t generation = 0;
	const struct netlink_reader reader = { each_generation, NULL, &generation };
	int err = ask(nfnetlink_request(buf, NFNL_SUBSYS_NFTABLES, NFT_MSG_GETGEN, NFPROTO_UNSPEC),
		      &reader);

	if (err == 0)
		*ret = generation;
	return err;
}

struct counters {
	struct counter *v;
	size_t count;
};

static void read_counter(const struct nlattr *data, struct counter *c)
{
	struct nlattr *attr;

	mnl_attr_for_each_nested(attr, data) {
		if (mnl_attr_get_type(attr) == NFTA_COUNTER_PACKETS)
			c->packets = nfnetlink_u64(attr);
		else if (mnl_attr_get_type(attr) == NFTA_COUNTER_BYTES)
			c->bytes = nfnetlink_u64(attr);
	}
}

static int each_counter(const struct nlmsghdr *nlh, void *ctx)
{
	struct counters *all = ctx;
	const char *table = "", *name = NULL;
	struct nlattr *attr;
	uint32_t type = 0;
	struct counter c = { 0 }, *room;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg)) {
		uint16_t what = mnl_attr_get_type(attr);

		if (what == NFTA_OBJ_TYPE)
			type = nfnetlink_u32(attr);
		else if (what == NFTA_OBJ_TABLE && !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
			table = mnl_attr_get_str(attr);
		else if (what == NFTA_OBJ_NAME && !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
			name = mnl_attr_get_str(attr);
		else if (what == NFTA_OBJ_DATA)
			read_counter(attr, &c);
	}
	if (type != NFT_OBJECT_COUNTER || !name || strcmp(table, OUR_TABLE) != 0)
		return 0;
	c.name = strdup(name);
	room = c.name ? VEC_PUSH(all->v, all->count) : NULL;
	if (!room) {
		free(c.name);
		return -ENOMEM;
	}
	*room = c;
	return 0;
}

static void restart_counters(void *ctx)
{
	struct counters *all = ctx;

	counters_done(all->v, all->count);
	*all = (struct counters){ 0 };
}

int nft_counters(struct counter **ret, size_t *ret_count)
{
	char buf[128];
	struct counters all = { 0 };
	const struct netlink_reader reader = { each_counter, restart_counters, &all };
	struct nlmsghdr *nlh = nfnetlink_request(buf, NFNL_SUBSYS_NFTABLES, NFT_MSG_GETOBJ,
						 NFPROTO_INET);
	int err;

	/* The kernel filters, so that others' counters cost nothing. */
	mnl_attr_put_strz(nlh, NFTA_OBJ_TABLE, OUR_TABLE);
	mnl_attr_put_u32(nlh, NFTA_OBJ_TYPE, htobe32(NFT_OBJECT_COUNTER));
	err = ask(nlh, &reader);
	if (err < 0) {
		restart_counters(&all);
		if (!is_missing(err))
			return err;
	}
	*ret = all.v;
	*ret_count = all.count;
	return 0;
}

void counters_done(struct counter *v, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(v[i].name);
	free(v);
}

/* ---- libnftables ---- */

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
	err = nft_run_cmd_from_buffer(context, commands);
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
	return err ? err : table_handle(&ret->handle);
}

static unsigned int listing_flags(enum nft_listing what)
{
	switch (what) {
	case NFT_STATEFUL:
		return NFT_CTX_OUTPUT_NUMERIC_PROTO;
	case NFT_STATELESS:
		return NFT_CTX_OUTPUT_NUMERIC_PROTO | NFT_CTX_OUTPUT_STATELESS;
	case NFT_HANDLES:
		return NFT_CTX_OUTPUT_NUMERIC_PROTO | NFT_CTX_OUTPUT_STATELESS |
		       NFT_CTX_OUTPUT_HANDLE;
	}
	return 0;
}

static int list_table(enum nft_listing what, char **ret, struct diag *d)
{
	uint64_t handle;
	char *text;

	if (!get_context())
		return -ENOMEM;
	nft_socket_begin();
	nft_ctx_output_set_flags(context, listing_flags(what));
	if (run("list table inet " OUR_TABLE)) {
		if (table_handle(&handle) || handle)
			return refuse("list table inet " OUR_TABLE, d);
		*ret = NULL;		/* it went away just now */
		return 0;
	}
	text = strdup(nft_ctx_get_output_buffer(context));
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}

int nft_list(enum nft_listing what, char **ret, struct diag *d)
{
	struct nft_stamp before, after;
	char *text = NULL;
	int err = get_stamp(&before);

	is_known = err == 0;
	known = before;
	if (is_missing(err))
		before.handle = err = 0;
	if (err < 0) {
		diag_error(d, (struct where){ 0 }, "cannot read nftables: %s", strerror(-err));
		return err;
	}
	if (before.handle && what == NFT_STATELESS)
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
		if (text && what == NFT_STATELESS && is_known)
			nft_cache_write(&before, text);
	}
	*ret = text;
	return 0;
}

/* In this order: where there is no socket to be had, making a context ends the process. */
static int prepare(uint32_t *ret_generation, struct diag *d)
{
	int err = nft_generation(ret_generation);

	if (err == 0 && !get_context())
		err = -ENOMEM;
	if (err < 0)
		diag_error(d, (struct where){ 0 }, "cannot reach nftables: %s", strerror(-err));
	return err;
}

int nft_prepare(struct diag *d)
{
	uint32_t generation;

	return prepare(&generation, d);
}

void nft_keep(const char *listing)
{
	if (is_known && known.handle)
		nft_cache_write(&known, listing);
}

/* After a transaction of ours that began at this generation: one further, nobody else made one. */
static void know_changed(uint32_t before)
{
	struct nft_stamp after;

	is_known = is_known && known.generation == before && get_stamp(&after) == 0 &&
		   after.generation == before + 1;
	if (is_known) {
		known.generation = after.generation;
		known.handle = after.handle;
	}
}

int nft_run(const char *script, struct diag *d)
{
	uint32_t before, after;
	int err = prepare(&before, d);

	if (err < 0)
		return err;
	nft_cache_forget();
	/* The process would wait at its end, if it came to that with the sockets open. */
	if (!closes_at_exit)
		closes_at_exit = atexit(nft_close) == 0;
	has_changed = true;
	nft_socket_begin();
	if (run(script) == 0) {
		know_changed(before);
		return 0;
	}
	is_known = false;
	err = refuse("the kernel refuses the table", d);
	/* Refused, or only the answer lost? What is refused makes no generation. */
	return nft_generation(&after) || before != after ? -EIO : err;
}
