/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The ways a packet can be sent, each a few small chains reached by verdict map, and the sets they share.
 */
#pragma once

#include "plan/internal.h"

/* ways.c. For a mark X: `to_X` marks the packet, `take_X` has the connection remember it first, `lead_X` does so
 * unless the connection remembers where it came in. */
MUST_CHECK int ways_add(struct plan *p);
/* Ahead of a look-up in the map `restore`, or `onward`: what it would say, as comparisons, while those are cheaper. */
MUST_CHECK int ways_add_few(struct plan *p, struct nft_chain *c, bool onward);
/* The end of such a chain's word that says how a path is taken: "", "_yields", "_only". */
const char *way_suffix(const struct verdict *v);
/* The chains behind the map `guarded`: nothing of a kill switch leaves by another interface. */
MUST_CHECK int ways_add_guards(struct plan *p);
/* Resets what comes from an address of a path that carries nothing. */
MUST_CHECK int ways_add_dead_sources(struct nft_chain *c, const struct path *path);
bool ways_have_kill(const struct plan *p);
/* balance.c. What the hash begins with, and one interface's share of it. */
uint32_t plan_hash_seed(const struct plan *p);
uint32_t balance_weight(const struct plan *p, const struct policy_plan *pp, size_t path);
/* The chain that such a policy's packets go to, if it has one in this family and hook. */
MUST_CHECK int balance_add(struct plan *p, const struct policy_plan *pp, enum family f, enum hook hook);

/* sets.c: addresses, interfaces, and the sets of the policy. */
MUST_CHECK int sets_add(struct plan *p);
