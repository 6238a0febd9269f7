/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What ifsteer doctor has found, as a list.
 */
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "plan/doctor/doctor.h"

void findings_done(struct findings *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->v[i].what);
		free(list->v[i].cure);
	}
	free(list->v);
	*list = (struct findings){ 0 };
}

void findings_add(struct findings *list, bool is_note, const char *cure, const char *fmt, ...)
{
	CLEANUP(strbuf_done) struct strbuf raw = { 0 };
	struct strbuf what = { 0 };
	struct finding *room = VEC_PUSH(list->v, list->count);
	va_list args;

	if (!room) {
		list->failed = true;
		return;
	}
	va_start(args, fmt);
	strbuf_vprintf(&raw, fmt, args);
	va_end(args);
	/* Interfaces, tables and chains may have any name. */
	strbuf_add_visible(&what, raw.text ?: "");
	room->is_note = is_note;
	room->what = strbuf_take(&what);
	room->cure = cure ? strdup(cure) : NULL;
	list->failed |= raw.failed || !room->what || (cure && !room->cure);
}
