/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "base/json.h"
#include "estimate_all.h"

static void put_reserve(struct json *j, const struct estimate_all *a)
{
	json_object(j, "crashkernel");
	json_u64(j, "mib", a->reserve.mib);
	json_string(j, "kernel", a->kernel);
	json_string(j, "release", a->image.release);
	json_bool(j, "runs_now", a->same);
	json_string(j, "initrd", a->have_initrd ? a->initrd : "");
	json_array(j, "parts");
	for (unsigned i = 0; i < a->reserve.n; i++) {
		json_object(j, NULL);
		json_string(j, "name", a->reserve.parts[i].name);
		json_u64(j, "bytes", a->reserve.parts[i].bytes);
		json_string(j, "why", a->reserve.parts[i].why);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
}

static void put_dumps(struct json *j, const struct estimate_all *a)
{
	json_object(j, "pages");
	json_string(j, "source", a->pages.source);
	json_u64(j, "ram", a->pages.ram);
	json_u64(j, "sampled", a->sample.pages);
	for (unsigned pc = 0; pc < PC_COUNT; pc++) {
		if (a->pages.class[pc])
			json_u64(j, pc == ESTIMATE_EARLY ? "early" : page_class_table[pc].name,
				 a->pages.class[pc]);
	}
	json_object_end(j);
	json_array(j, "levels");
	for (unsigned i = 0; i < ESTIMATE_LEVELS; i++) {
		json_object(j, NULL);
		json_u64(j, "level", estimate_levels[i]);
		json_u64(j, "pages", a->dumps[i].pages);
		json_u64(j, "bytes", a->dumps[i].bytes);
		json_seconds(j, "seconds", a->dumps[i].seconds);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_targets(struct json *j, const struct estimate_all *a)
{
	json_array(j, "targets");
	for (unsigned i = 0; i < a->ntargets; i++) {
		const struct estimate_target *t = &a->targets[i];

		json_object(j, NULL);
		json_string(j, "name", t->name);
		if (t->known) {
			json_u64(j, "free_bytes", t->free_bytes);
			json_bool(j, "enough", t->enough);
		}
		json_string(j, "text", t->text);
		json_object_end(j);
	}
	json_array_end(j);
}

int estimate_print_json(const struct estimate_all *a)
{
	struct json j;
	int rc;

	json_init(&j);
	json_object(&j, NULL);
	if (a->reserve.n)
		put_reserve(&j, a);
	if (a->pages.source)
		put_dumps(&j, a);
	json_u64(&j, "threads", a->threads);
	json_u64(&j, "disk_mb_s", a->disk_mb_s);
	put_targets(&j, a);
	json_array(&j, "notes");
	for (unsigned i = 0; i < a->notes.n; i++)
		json_string(&j, NULL, a->notes.text[i]);
	json_array_end(&j);
	json_object_end(&j);
	rc = json_end(&j);
	if (!rc)
		fputs(j.buf, stdout);
	json_deinit(&j);
	return rc;
}
