/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Random hosts, policies and packets: what explain foretells against what the kernel does. A world
 * is a host in a network namespace of its own; it is edited some times, and after each edit packets
 * are sent. Everything follows from one number, so that a difference can be had again.
 */
#pragma once

#include <stdio.h>

#include "base/strbuf.h"
#include "plan/explain/explain.h"

/* ---- chance: random.c ---- */

void seed_chance(uint64_t seed);
uint32_t below(uint32_t n);
bool one_in(uint32_t n);
#define PICK(list) ((list)[below(ARRAY_SIZE(list))])

/* A line of what happened to the world so far, for whoever has to understand a difference. */
void tell(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* ---- the host and what is around it: host.c ---- */

enum { ETH0, ETH2, ETH3, WG0, LAN0, DK0, LINK_COUNT };

struct wire {
	const char *name;
	uint32_t index; /* in the host */
	uint8_t mac[6];
	int far; /* a packet socket on the other end */
};

extern struct wire wires[LINK_COUNT];
extern int tap; /* a packet socket that sees what leaves the host, by whatever */

void host_make(void);
/* Something of what happens to hosts. Some of it only before ifsteer is run for the first time. */
void host_change(bool is_first);
/* Rules, routes and tables that are not ifsteer's, and sysctls that it may change: texts to be freed. */
char *host_routing(void);
char *host_sysctls(void);
/* Runs a command; what it prints to *ret, to be freed, which may be NULL. Its exit status. */
int run(char **ret, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* ---- policies: policy.c ---- */

/* A policy file, as text for libconfig. */
char *policy_text(void);
/* As /run/policy.conf. */
void policy_write(const char *text);
/* Reads such a text: 0 or -errno. Every name in it is a number. */
MUST_CHECK int policy_read(char *text, struct config *ret);
/* What policies speak of and flows should hit. */
struct addr an_address(enum family f);
uint32_t a_port(void);
uint32_t a_user(void);
uint32_t a_dscp(void);
uint32_t a_mark(void);
extern const uint32_t protocols[5];
extern const char *const macs[3];

/* ---- frames: frame.c ---- */

struct frame {
	uint8_t bytes[1600];
	size_t len;
	uint32_t link; /* index, of the one it left by */
	uint32_t mark;
};

/* What a frame is, as far as a flow looks at it. */
struct packet {
	enum family family;
	struct addr src;
	struct addr dst;
	uint32_t protocol;
	uint32_t sport; /* 0 where the protocol has none */
	uint32_t dport;
	uint8_t *payload; /* of IP */
};

bool frame_read(struct frame *f, struct packet *ret);
/* Waits for the next frame that leaves the host; answers who asks for a neighbour on the way. */
bool frame_next(struct frame *ret, int wait_ms);
/* A packet that comes in by the wire. */
void frame_send(const struct wire *w, const uint8_t from_mac[6], const struct packet *p,
		uint32_t dscp);
/* The hardware address of whoever has this address. */
void mac_of(const struct addr *a, uint8_t ret[6]);

/* ---- flows: flow.c ---- */

struct trial {
	struct flow flow;
	const struct wire *in; /* of a forwarded one */
	const struct wire *bound; /* that the socket is bound to; NULL: none */
	uint32_t id; /* of an echo request */
	char mac[18];
	char text[256]; /* as options of explain */
};

/* A packet of chance, of no connection that another one is of. */
void trial_draw(struct trial *t, const struct plan *p, uint32_t minute);
/* What will be seen of it, as text to be freed. */
char *foretell(const struct explanation *e);
/* A socket behind which the packet is on its way; -1 with errno: refused. *ret_local: its address. */
int trial_send(const struct trial *t, struct addr *ret_local);
/* The same for a forwarded one. */
void trial_inject(const struct trial *t);
/* Whether it leaves within that time, and how. */
bool trial_find(const struct trial *t, int patience_ms, struct frame *ret,
		struct packet *ret_packet);
/* Sends it and compares. Whether all is as foretold; otherwise *ret says what is not, to be freed. */
bool trial_run(struct trial *t, const struct plan *p, const struct explanation *e, char **ret);

/* ---- sockets bound to a device: bound.c ---- */

/* A packet of chance by such a socket: as trial_run. */
bool bound_run(struct trial *t, const struct plan *p, uint32_t minute, char **ret);

/* ---- packets while a policy is edited: edited.c ---- */

/* The first policy, which is in force, makes way for the second and comes back, so many times, while packets are sent of
 * which both say the same. How many; what was wrong to *ret, to be freed, or NULL. */
unsigned int edited_run(const struct plan *const plans[2], const char *const policies[2], uint32_t minute, int times,
			char **ret);

/* ---- refusals: refused.c ---- */

/* What send() and connect() say of a packet that is refused, against what they should; fd and err are what trial_send()
 * gave. Returns fd, or -1: it is kept, since it is to hear within a second. */
int refused_run(const struct trial *t, const struct plan *p, const struct explanation *e, int fd,
		int err, struct strbuf *wrong);
/* Waits for those; what they should not have heard, to be freed, or NULL. */
char *refused_settle(void);
