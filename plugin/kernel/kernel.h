/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The only room that talks to the kernel: facts in, steps out.
 */
#pragma once

#include "base/diag.h"
#include "plan/facts.h"
#include "plan/steps.h"
#include "policy/load.h"

/* ---- facts: facts.c, rtnl.c, rtnl-codec.c ---- */

enum nft_listing {
	NFT_KNOWN,			/* as it was kept (nft_keep), if it was: for planning alone */
	NFT_IN_FULL,			/* as nft says it, without what counters say */
	NFT_HANDLES,			/* the same, each rule with its handle */
};

/* What the caller wants to know beyond what is always gathered. */
struct facts_want {
	const struct config *config;	/* what is managed, which cgroups are named */
	bool carried;			/* read the connection table for the marks in use */
	bool all_routes;		/* of all tables, by every interface */
	const struct addr *about;	/* of those, what leads to these; NULL: all */
	size_t about_count;
	bool all_ours;			/* among a million routes also those of ours in tables of which no rule
					 * speaks, by interfaces that are not managed: one more walk */
	bool nft;			/* list our table */
	enum nft_listing listing;	/* how */
};

/* Gathers a snapshot. A dump that the kernel says was interrupted is repeated a bounded number of
 * times; a truncated one is never taken for a whole. 0 or -errno with a message in `d`. */
MUST_CHECK int facts_gather(const struct facts_want *want, struct facts *ret, struct diag *d);
/* Adds facts.carried to what was gathered without, when planning turns out to want it. */
MUST_CHECK int facts_add_carried(uint32_t mark_mask, struct facts *f, struct diag *d);

/* ---- steps: steps.c ---- */

/* Carries the steps out in order. A step that concerns one interface alone and is refused (a
 * gateway that can't be reached, an interface that vanished) is reported in ret_refused (bool for
 * each step; may be NULL) and the others go on; when the whole is refused (nft, rules), what was
 * done before is undone. 0; -EPROTO: the kernel refused the whole (exit 4); other -errno:
 * unexpected. */
MUST_CHECK int steps_execute(const struct steps *s, bool *ret_refused, struct diag *d);

/* ---- nft.c, nft-features.c: libnftables; nft-edit.c, nft-ask.c: without it ---- */

/* `nft list table inet ifsteer`; *ret NULL when there is none. Lists no other table: somebody
 * else's 100,000 elements would cost half a second. */
MUST_CHECK int nft_list(enum nft_listing what, char **ret, struct diag *d);
/* Makes ready what nft_run needs, so that what can fail fails before anything is changed. */
MUST_CHECK int nft_prepare(struct diag *d);
/* One transaction. -EPROTO: the kernel refuses it; -EIO: nobody knows, it may stand. */
MUST_CHECK int nft_run(const char *script, struct diag *d);
/* The same for sets alone, by messages of our own. Needs no nft_prepare. */
MUST_CHECK int nft_edit(const struct nft_edits *e, struct diag *d);
/* Of a script that was refused: names what it needs and this kernel does not have at all, if
 * anything. */
void nft_say_missing(const char *script, struct diag *d);
/* Waits until no packet is under way that met an earlier generation of rules than this one: some
 * hundredths of a second. A packet keeps to its generation by a number, and there are two (genbit in
 * nft_do_chain), so that the transaction after the next one changes what it has not reached yet.
 * Where the kernel can't wait (nohz_full) it doesn't. */
void nft_settle(void);
/* Says in which words the table stands now, after the last nft_list and what was changed since: the
 * next nft_list need not ask, unless somebody else had a hand in it. Not for a table with elements
 * that others add. */
void nft_keep(const char *listing);
/* Lets go of what the functions of this section keep open between calls. After a transaction it is
 * done at the end of the process by itself; the lock should be let go before, since on kernels
 * before 6.10 it takes 6 to 25 ms when something was deleted. */
void nft_close(void);
/* The ruleset's generation: changes with every transaction of anybody's. One small message. */
MUST_CHECK int nft_generation(uint32_t *ret);

struct counter {
	char *name;
	uint64_t packets;
	uint64_t bytes;
};
/* All counters of our table in one dump (NFT_MSG_GETOBJ through libmnl); none when there is no
 * table. */
MUST_CHECK int nft_counters(struct counter **ret, size_t *ret_count);
void counters_done(struct counter *v, size_t count);

/* ---- told.c: /run/ifsteer/COOKIE/, what managers and people said ---- */

/* COOKIE is SO_NETNS_COOKIE of this network namespace. Directories are created root's and 0755;
 * links are not followed. */
/* To be called before the lock is waited for. */
MUST_CHECK int told_write_event(const struct told *what, bool is_up);
MUST_CHECK int told_set_offline(const char *name, bool offline);
/* The kernel refused this interface's routes of a family, or (false) may be asked again. */
MUST_CHECK int told_set_refused(const char *name, enum family family, bool refused);
/* A descriptor of /run/ifsteer/COOKIE/, which is made if need be, for what commands keep there;
 * -errno. */
MUST_CHECK int told_directory(void);
/* Losing it costs what was told; what cannot be read is as if it had not been told. */
MUST_CHECK int told_read(struct told **ret, size_t *ret_count);
MUST_CHECK int saved_sysctls_read(struct saved_sysctl **ret, size_t *ret_count);
/* Events wait until somebody who holds the lock has carried out what they come to:
 *	do { told_take(); gather, plan, execute; told_taken(); } while (told_pending());
 * told_take adds what waits to what is known, told_taken says that it is carried out. Where
 * told_take fails the events are known all the same, for this one run (told_read reads both), but
 * they go on waiting: don't loop. A run that ends in between leaves them to the next one. */
MUST_CHECK int told_take(void);
void told_taken(void);
bool told_pending(void);
/* Waits until no event has come for 5 ms, at most until deadline_ms (CLOCK_MONOTONIC). */
void told_settle(int64_t deadline_ms);

/* ---- lock.c ---- */

/* One run at a time in this network namespace: flock on /run/ifsteer/COOKIE/lock. A descriptor, or
 * -EBUSY once deadline_ms (CLOCK_MONOTONIC) has passed. */
MUST_CHECK int lock_take(int64_t deadline_ms);
int64_t monotonic_ms(void);

/* ---- privilege.c ---- */

/* Keeps CAP_NET_ADMIN, where it is there, and no other capability; none can be gained any more. Files
 * are root's, and read and written as their owner. With sees_processes also CAP_SYS_PTRACE: whose
 * network a process uses can't be seen without. */
MUST_CHECK int privilege_drop(bool sees_processes);

/* ---- names.c ---- */

extern const struct names host_names;	/* getpwnam, getgrnam, getservbyname */
