/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Steps as a list.
 */
#include "plan/steps.h"

#include <stdlib.h>

#include "base/vec.h"

struct step *steps_add(struct steps *s, enum step_kind kind)
{
	struct step *step = VEC_PUSH(s->v, s->count);

	if (step)
		step->kind = kind;
	return step;
}

static void step_done(struct step *s)
{
	switch (s->kind) {
	case STEP_NFT_EDITS:
	case STEP_NFT:
		nft_edits_done(&s->of.nft.edits);
		free(s->of.nft.script);
		free(s->of.nft.undo);
		break;
	case STEP_FORGET_CONNECTIONS:
		free(s->of.connections.kept);
		break;
	case STEP_SYSCTL:
	case STEP_ADD_ROUTE:
	case STEP_REPLACE_ROUTE:
	case STEP_ADD_RULE:
	case STEP_DELETE_RULE:
	case STEP_DELETE_ROUTE:
	case STEP_RESTORE_SYSCTL:
	case STEP_CLOSE_SOCKETS:
		break;
	}
}

void steps_done(struct steps *s)
{
	for (size_t i = 0; i < s->count; i++)
		step_done(&s->v[i]);
	free(s->v);
	free(s->standing);
	nft_stages_done(&s->stages);
	*s = (struct steps){ 0 };
}
