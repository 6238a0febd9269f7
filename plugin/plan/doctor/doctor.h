/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What on this host collides with a plan or interferes with it, and what to do about it. Pure: what
 * is known of the host beyond the facts is given.
 */
#pragma once

#include "plan/plan.h"

/* A unit of systemd's. */
struct service {
	bool installed;			/* and not masked */
	bool enabled;			/* somebody wants it */
	bool running;
};

/* What a rule of nftables makes of a mark, bit by bit. A bit that is in none of the masks may be
 * anything. */
struct mark_bits {
	uint32_t packet;		/* as in the packet mark */
	uint32_t connection;		/* as in the connection mark */
	uint32_t fixed;			/* as in value */
	uint32_t value;
};

struct mark_write {
	bool to_connection;		/* else to the packet mark */
	struct mark_bits what;
};

/* A chain of somebody else's with at least one rule that does not keep our bits. */
struct mark_writer {
	char *table;			/* "ip mangle" */
	char *chain;
	uint64_t handle;		/* of the first such rule */
	struct mark_write write;	/* and what it does */
	size_t count;			/* of such rules */
	bool is_base;			/* hooked, with this priority */
	uint32_t hook;			/* NF_INET_… */
	int32_t priority;
};

struct host {
	struct service networkd, nftables, firewalld, networkmanager, dispatcher, ifsteer;
	bool networkd_keeps_rules;	/* as its configuration says */
	bool networkd_keeps_routes;
	bool firewalld_is_strict;	/* its reverse-path filter for IPv6, so far as it runs */
	const char *nftables_conf;	/* the file, when it flushes everything; NULL: it doesn't */
	bool has_dispatcher_hook;	/* NetworkManager would call us */
	bool has_legacy_mangle;	/* iptables-legacy has a mangle table, which nobody can read here */
	bool all_src_valid_mark;	/* net.ipv4.conf.all.src_valid_mark */
	struct mark_writer *writers;
	size_t writer_count;
};

void host_done(struct host *h);

/* Whether the bits of `mask` stay what they were. */
bool mark_write_keeps(const struct mark_write *w, uint32_t mask);

/* ---- settings-files.c ---- */

/* Whether a script for nft removes tables of the inet family by `flush ruleset`. */
bool nft_script_flushes(const char *text);
/* networkd.conf or a drop-in: settings that it does not name stay as they are. */
void networkd_conf_read(const char *text, bool *keeps_rules, bool *keeps_routes);
/* Whether firewalld.conf (NULL: there is none) leaves its strict reverse-path filter for IPv6 on. */
bool firewalld_conf_is_strict(const char *text);

/* ---- findings.c ---- */

struct finding {
	bool is_note;			/* a limit to know of: nothing to be repaired */
	char *what;
	char *cure;			/* NULL: there is none */
};

struct findings {
	struct finding *v;
	size_t count;
	bool failed;			/* no memory */
};

void findings_done(struct findings *list);
/* `cure` is copied, and may be NULL. */
void findings_add(struct findings *list, bool is_note, const char *cure, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

/* ---- rules.c, doctor.c ---- */

/* Foreign rules and routes in our way, and in our band and tables. */
void doctor_rules(const struct plan *p, struct findings *ret);

/* Everything. The plan's facts hold all routes. 0 or -ENOMEM. */
MUST_CHECK int doctor_examine(const struct plan *p, const struct host *h, struct findings *ret);
