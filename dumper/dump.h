/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dump.h - makes one dump: the engine as the command and PID 1 call it.
 * Files:  the dump is written as OUT-incomplete (O_EXCL, 0600) and renamed to OUT when it is whole
 *         (never over an existing file). After an error there is either nothing, or OUT-incomplete
 *         that opens in the readers and says that it is incomplete. Before it is renamed it is
 *         read back (readback.h); a file that fails this is marked incomplete and kept, and where
 *         not even that makes it open (DUMP_FAILED) it is kept all the same: it is all there is.
 * Errors: dump_run() returns a DUMP_* result; e says why for all but DUMP_COMPLETE. */
#ifndef CRASHPOD_DUMP_H
#define CRASHPOD_DUMP_H

#include <stdatomic.h>

#include "base/err.h"
#include "base/types.h"
#include "compress.h"
#include "core.h"
#include "verify.h"

enum dump_format { DUMP_KDUMP, DUMP_ELF };

/* Exit codes of `crashpod dump` (2 is usage). */
enum dump_result { DUMP_COMPLETE = 0, DUMP_FAILED = 1, DUMP_INCOMPLETE = 3 };

enum dump_phase {
	DUMP_PHASE_OPEN,
	DUMP_PHASE_CLASSIFY,
	DUMP_PHASE_WRITE,
	DUMP_PHASE_SYNC,
	DUMP_PHASE_VERIFY,
	DUMP_PHASE_DONE
};

/* "classifying", "writing" ...; "?" for a number that is none. */
const char *dump_phase_name(u32 phase);

/* Live figures; may lie in memory shared with another process, which only reads them. */
struct dump_progress {
	_Atomic u32 phase; /* enum dump_phase */
	_Atomic u32 level_used;
	_Atomic u64 pages_total; /* to classify, write or verify (ELF: bytes), by phase */
	_Atomic u64 pages_done;
	_Atomic u64 bytes_written;
	_Atomic u64 moved;  /* counted up within a call that takes long: see sink.h */
	_Atomic u32 cancel; /* set by the other side: stop soon, leave an openable file */
};

struct dump_opts {
	unsigned level; /* 0..31 */
	enum dump_format format;
	bool flattened; /* makedumpfile's flattened stream; OUT may then be "-" */
	enum compress_kind compress;
	int compress_level;	  /* 0: the kind's default */
	bool exclude_vmemmap;	  /* -e */
	unsigned threads;	  /* 0: one per online CPU */
	bool sync;		  /* fsync file and directory before the dump is called whole */
	bool direct;		  /* O_DIRECT for page data where the file system takes it */
	enum verify_depth verify; /* how the file is read back before it is called whole */
	bool fit;		  /* raise the level where the dump would not fit the file system */
	struct dump_progress *progress;				/* may be NULL */
	void (*tick)(void *arg, const struct dump_progress *p); /* about once a second, or NULL */
	void *tick_arg;
};

/* Page counts by what became of them; ram = dumped + all the classes left out. zero and duplicate
 * pages are part of dumped in a kdump file. */
struct dump_pages {
	u64 ram, dumped, zero, cache, cache_private, user, free, hwpoison, offline, unreadable,
		duplicate;
	u64 unknown;	      /* kept because no rule fitted */
	u64 no_memmap;	      /* kept because no page descriptor describes them */
	u64 vmemmap_excluded; /* memory map left out by -e */
};

/* What reading back came to. Stopped: no verdict, for want of time or memory. */
enum dump_verified { DUMP_NOT_VERIFIED, DUMP_VERIFIED, DUMP_VERIFY_STOPPED, DUMP_VERIFY_FAILED };

struct dump_stats {
	char format[24], compression[16]; /* "kdump", "elf", "kdump-flattened"...; "zstd"... */
	unsigned level_asked, level_used;
	bool complete;
	char reason[200]; /* why not complete, or what else there is to know; may be empty */
	struct dump_pages pages;
	u64 bytes_written; /* size of the dump file */
	u64 need_bytes;	   /* what it was thought to come to, where that is more than the room; 0 */
	u32 verify_depth;  /* enum verify_depth: asked for; none where it cannot be had */
	u32 verified;	   /* enum dump_verified */
	double s_classify, s_write, s_verify, s_total;
	unsigned threads;
	u64 peak_rss_kib;
};

/* -d 31, kdump, zstd, all CPUs, the structure verified */
void dump_opts_init(struct dump_opts *o);

/* Makes the dump of core in the file out. stats is filled in every case. */
enum dump_result dump_run(const struct core *core, const char *out, const struct dump_opts *o,
			  struct dump_stats *stats, struct err *e);

/* As dump_run(), into a sink that is open; closes it. o->flattened only names it in stats. */
struct sink;
enum dump_result dump_run_sink(const struct core *core, struct sink *sink,
			       const struct dump_opts *o, struct dump_stats *stats, struct err *e);

/* The JSON object of --stats, as text into j (one object, no key). */
struct json;
void dump_stats_json(const struct dump_stats *s, const char *key, struct json *j);

#endif
