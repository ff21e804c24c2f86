/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dump_facts.c - what a record, a dump's header and a raw area's slots say of a dump. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/guard.h"
#include "dumps.h"
#include "info.h"
#include "raw_slot.h"
#include "rawcheck.h"

#define LEVEL_MAX 31

static void take_text(char *to, size_t cap, const char *text)
{
	if (!text[0])
		return;
	snprintf(to, cap, "%.*s", (int)cap - 1, text);
	clean_text(to);
}

static void take_verified(struct dump_entry *entry, const struct json_doc *doc)
{
	const char *result = json_text(doc, NULL, "dump.verify.result");

	if (strcmp(result, "sound") == 0)
		take_text(entry->verified, sizeof(entry->verified),
			  json_text(doc, NULL, "dump.verify.depth"));
	else if (result[0])
		take_text(entry->verified, sizeof(entry->verified),
			  strcmp(result, "failed") ? "no" : result);
}

/* The names of the files are what PID 1 made them last; the record says why. */
static void take_state(struct dump_entry *entry, const struct json_doc *doc)
{
	const char *status = json_text(doc, NULL, "status");
	u64 wrote;

	take_text(entry->reason, sizeof(entry->reason), json_text(doc, NULL, "reason"));
	if (entry->state == DUMPS_CUT && strcmp(status, "writing") != 0) {
		entry->state = DUMPS_INCOMPLETE;
	} else if (entry->state == DUMPS_CUT) {
		snprintf(entry->reason, sizeof(entry->reason),
			 "the capture kernel did not live to its end");
	} else if (entry->state == DUMPS_COMPLETE &&
		   json_count(doc, NULL, "dump.bytes_written", &wrote) && entry->bytes < wrote) {
		entry->state = DUMPS_CUT;
		snprintf(entry->reason, sizeof(entry->reason), "%llu bytes were written",
			 (unsigned long long)wrote);
	}
}

void dump_from_record(struct dump_entry *entry, const struct json_doc *doc)
{
	u64 v;

	take_text(entry->kernel, sizeof(entry->kernel), json_text(doc, NULL, "kernel"));
	take_text(entry->panic, sizeof(entry->panic), json_text(doc, NULL, "panic"));
	if ((json_count(doc, NULL, "crash_time", &v) && v) ||
	    json_count(doc, NULL, "capture_time", &v))
		entry->when = v < INT64_MAX ? (s64)v : entry->when;
	if (json_count(doc, NULL, "dump.level_used", &v) && v <= LEVEL_MAX) {
		entry->has_level = true;
		entry->level = (unsigned)v;
	}
	entry->has_pages = json_count(doc, NULL, "dump.pages.ram", &entry->ram) &&
			   json_count(doc, NULL, "dump.pages.dumped", &entry->dumped);
	take_verified(entry, doc);
	take_state(entry, doc);
}

/* What the record has said stands. */
static void take_info(struct dump_entry *entry, const struct info *in)
{
	if (!entry->kernel[0])
		take_text(entry->kernel, sizeof(entry->kernel), in->release);
	if (!entry->panic[0])
		take_text(entry->panic, sizeof(entry->panic), in->panic);
	if (!entry->record && in->has_crash_time && in->crash_time_s > 0)
		entry->when = in->crash_time_s;
	if (!entry->has_level) {
		entry->has_level = in->has_level;
		entry->level = in->level;
	}
	if (!entry->has_pages) {
		entry->has_pages = true;
		entry->ram = in->pages_ram;
		entry->dumped = in->pages_in_file;
	}
	if (entry->state == DUMPS_COMPLETE && !in->complete) {
		entry->state = DUMPS_INCOMPLETE;
		take_text(entry->reason, sizeof(entry->reason), in->problem);
	}
}

void dump_from_header(struct dump_entry *entry)
{
	_cleanup_free_ struct info *in = malloc(sizeof(*in));
	char path[PATH_MAX + sizeof(entry->file)];
	struct core *core = NULL;
	struct err e = { 0 };
	int rc;

	if (!in)
		return;
	snprintf(path, sizeof(path), "%s/%s", entry->dir, entry->file);
	rc = core_open(&core, path, CORE_PARTIAL, &e);
	if (!rc) {
		rc = info_get(in, core, &e);
		core_close(core);
	}
	if (!rc) {
		take_info(entry, in);
		return;
	}
	if (entry->state == DUMPS_COMPLETE)
		entry->state = DUMPS_CUT;
	if (!entry->reason[0])
		take_text(entry->reason, sizeof(entry->reason), e.msg);
}

static int raw_slot(struct dumps *d, const struct conf_target *t, const struct raw_area *a,
		    unsigned slot)
{
	_cleanup_free_ char *text = NULL;
	struct dump_entry *entry;
	struct json_doc doc = { 0 };
	size_t len;

	entry = dumps_add(d);
	if (!entry)
		return -ENOMEM;
	snprintf(entry->dir, sizeof(entry->dir), "%s", t->device);
	snprintf(entry->file, sizeof(entry->file), "slot %u", slot);
	entry->bytes = raw_slot_dump_bytes(a, slot);
	entry->when = (s64)a->slots[slot].h.stamp;
	if (!raw_slot_read_record(a, slot, &text, &len) && !json_doc_parse(&doc, text, len)) {
		entry->record = true;
		dump_from_record(entry, &doc);
		json_doc_free(&doc);
	}
	entry->state = DUMPS_RAW;
	snprintf(entry->reason, sizeof(entry->reason), "%s, not collected",
		 raw_slot_state(&a->slots[slot]));
	return 0;
}

int dumps_raw(struct dumps *d, const char *root, const struct conf *c)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < c->ntargets; i++) {
		struct raw_area a;

		if (c->targets[i].kind != CONF_TARGET_RAW ||
		    rawcheck_open(&a, root, &c->targets[i], NULL))
			continue;
		for (unsigned s = 0; !rc && s < RAW_SLOTS; s++)
			if (raw_slot_waits(&a.slots[s]))
				rc = raw_slot(d, &c->targets[i], &a, s);
		raw_area_close(&a);
	}
	return rc;
}
