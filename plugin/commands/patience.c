/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The times of the last repairs of each object.
 */
#include "commands/patience.h"

#include <stdlib.h>

#include "base/vec.h"

/* Who loses more than this has other worries; what is beyond it is repaired at once. */
#define OBJECTS_MAX 4096

struct patience_object {
	uint64_t id;
	int64_t times[PATIENCE_REPAIRS];	/* a ring */
	size_t repairs;				/* all of them: the next one's place, too */
	bool told;
};

void patience_done(struct patience *p)
{
	free(p->v);
	*p = (struct patience){ 0 };
}

static struct patience_object *find(const struct patience *p, uint64_t id)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->v[i].id == id)
			return &p->v[i];
	return NULL;
}

static int64_t last(const struct patience_object *o)
{
	return o->times[(o->repairs - 1) % PATIENCE_REPAIRS];
}

static bool is_exhausted(const struct patience_object *o, int64_t now_ms)
{
	return o->repairs >= PATIENCE_REPAIRS &&
	       now_ms - o->times[o->repairs % PATIENCE_REPAIRS] < PATIENCE_WINDOW_MS;
}

int64_t patience_when(const struct patience *p, uint64_t object, int64_t now_ms)
{
	const struct patience_object *o = find(p, object);
	int64_t when = o && is_exhausted(o, now_ms) ? last(o) + PATIENCE_PAUSE_MS : now_ms;

	return when > now_ms ? when : now_ms;
}

bool patience_repaired(struct patience *p, uint64_t object, int64_t now_ms)
{
	struct patience_object *o = find(p, object);
	bool tell;

	if (!o && p->count < OBJECTS_MAX)
		o = VEC_PUSH(p->v, p->count);
	if (!o)
		return false;
	o->id = object;
	o->times[o->repairs++ % PATIENCE_REPAIRS] = now_ms;
	tell = is_exhausted(o, now_ms) && !o->told;
	o->told |= tell;
	return tell;
}

void patience_forget(struct patience *p, int64_t now_ms)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->count; i++)
		if (now_ms - last(&p->v[i]) < PATIENCE_WINDOW_MS)
			p->v[kept++] = p->v[i];
	p->count = kept;
}
