/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pagediff VMCORE A B [KEPT_A KEPT_B] - compares two dumps page for page with the vmcore they were
 * made of, and with each other. Where there is no copy of the vmcore, a kdump-compressed dump of it
 * may stand in its place: of the pages that it leaves out nothing is known ("foreign" counts those
 * that A or B has), and "va", "text" and the models of ELF segments say nothing. Prints one JSON
 * object: for each dump how many frames are in each of the sets below and, for those that should be
 * empty, which; then the frames that only one of the dumps has. KEPT_A and KEPT_B are
 * kdump-compressed dumps of the same level: what they list is what an ELF dump has to keep. Exit: 0
 * whatever was found, 2 when a file cannot be read. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pagefile.h"

#define CHUNK 32768ull	   /* pages a thread claims at a time */
#define RANGES_MAX 2000000 /* printed of one set; "truncated" counts the rest */
#define GAP 256		   /* pages left out that end a segment of an ELF dump */
#define LEVEL_ZERO 1

enum set {
	S_RAM,	       /* that the file says is RAM */
	S_IN,	       /* that have bytes in the file */
	S_ZERO,	       /* of those, zeros in the vmcore */
	S_EQUAL,       /* read as in the vmcore */
	S_DIFFER,      /* have other bytes than the vmcore */
	S_MISSING,     /* listed, but the descriptor says it is not there */
	S_BROKEN,      /* listed, but cannot be read */
	S_FOREIGN,     /* have bytes, but the vmcore has none */
	S_RAM_MORE,    /* RAM for the file and not for the vmcore */
	S_RAM_LESS,    /* and the other way round */
	S_VA,	       /* ELF: another virtual address than in the vmcore */
	S_TEXT,	       /* ELF: the text mapping's bytes are not the vmcore's */
	S_WANT,	       /* ELF: kept and not left out as zeros: must be in the file */
	S_LOST,	       /* ELF: kept, but does not read as in the vmcore */
	S_HOLE,	       /* ELF: left out, and zeros in the file though not in the vmcore */
	S_EXTRA,       /* ELF: left out, and in the file all the same, as in the vmcore */
	S_MODEL_RUNS,  /* ELF: to be in the file when a segment ends at a long gap or a hole */
	S_MODEL_LOADS, /* ELF: and when it ends with a PT_LOAD of the vmcore, too */
	S_COUNT
};

/* list: the frames are printed, as [first, count]. */
static const struct {
	const char *name;
	bool list, elf;
} sets[S_COUNT] = {
	[S_RAM] = { "ram", false, false },
	[S_IN] = { "in", false, false },
	[S_ZERO] = { "zero", false, false },
	[S_EQUAL] = { "equal", false, false },
	[S_DIFFER] = { "differ", true, false },
	[S_MISSING] = { "missing", true, false },
	[S_BROKEN] = { "broken", true, false },
	[S_FOREIGN] = { "foreign", true, false },
	[S_RAM_MORE] = { "ram_more", true, false },
	[S_RAM_LESS] = { "ram_less", true, false },
	[S_VA] = { "va", true, true },
	[S_TEXT] = { "text", true, true },
	[S_WANT] = { "want", false, true },
	[S_LOST] = { "lost", true, true },
	[S_HOLE] = { "hole", false, true },
	[S_EXTRA] = { "extra", false, true },
	[S_MODEL_RUNS] = { "model_runs", false, true },
	[S_MODEL_LOADS] = { "model_loads", false, true },
};

struct dump {
	struct pagefile file, kept; /* kept.map is NULL where none was given */
	uint64_t *set[S_COUNT];
	char broken[PAGEFILE_WHY]; /* the first page that cannot be read */
	uint64_t broken_pfn;
};

static struct {
	struct pagefile core;
	struct dump dump[2];
	uint64_t max_pfn, words;
	uint64_t *ram; /* of the vmcore */
	_Atomic uint64_t next;
	pthread_mutex_t lock;
} g = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void die(const char *path, const char *why)
{
	fprintf(stderr, "pagediff: %s: %s\n", path, why);
	exit(2);
}

static bool has(const uint64_t *set, uint64_t pfn)
{
	return set[pfn / 64] >> pfn % 64 & 1;
}

static void add(uint64_t *set, uint64_t pfn)
{
	set[pfn / 64] |= 1ull << pfn % 64;
}

static uint64_t *new_set(void)
{
	uint64_t *set = calloc(g.words, sizeof(*set));

	if (!set)
		die("sets", "no memory");
	return set;
}

static bool all_zero(const uint8_t *page)
{
	static const uint8_t zeros[PAGE];

	return memcmp(page, zeros, PAGE) == 0;
}

static void note_broken(struct dump *d, uint64_t pfn, const char *why)
{
	pthread_mutex_lock(&g.lock);
	if (!d->broken[0] || pfn < d->broken_pfn) {
		snprintf(d->broken, sizeof(d->broken), "%s", why);
		d->broken_pfn = pfn;
	}
	pthread_mutex_unlock(&g.lock);
}

/* One thread's readers: a reader remembers a page, so each file has its own; text is for a second
 * look at a frame. */
struct readers {
	struct reader core, dump[2], text;
};

/* A frame of the vmcore. */
struct frame {
	uint64_t pfn;
	enum page_state state;
	const uint8_t *page;
	bool zero;
};

/* The headers of the kernel's text show frames a second time. */
static void judge_text(struct dump *d, struct readers *r, const struct frame *c, bool kept)
{
	const uint8_t *page;
	bool want = loads_page(&g.core, &g.core.text, &r->text, c->pfn, &page) != PAGE_HOLE;
	bool have = loads_page(&d->file, &d->file.text, &r->text, c->pfn, &page) != PAGE_HOLE;

	if (want != have || (have && memcmp(page, c->page, PAGE) != 0 && (kept || !all_zero(page))))
		add(d->set[S_TEXT], c->pfn);
}

static void judge_elf(struct dump *d, struct readers *r, const struct frame *c, bool in,
		      const uint8_t *page)
{
	const struct load *mine = loads_find(&d->file.direct, c->pfn * PAGE);
	const struct load *its = loads_find(&g.core.direct, c->pfn * PAGE);
	bool kept = pagefile_listed(&d->kept, c->pfn);
	bool equal = memcmp(page, c->page, PAGE) == 0;

	if (mine && its && mine->va - mine->pa != its->va - its->pa)
		add(d->set[S_VA], c->pfn);
	judge_text(d, r, c, kept);
	if (kept && !(d->kept.level & LEVEL_ZERO && c->zero))
		add(d->set[S_WANT], c->pfn);
	if (kept && !equal)
		add(d->set[S_LOST], c->pfn);
	if (!kept && in && !c->zero)
		add(d->set[equal ? S_EXTRA : S_HOLE], c->pfn);
}

static void judge_frame(struct dump *d, struct readers *r, const struct frame *c)
{
	const uint8_t *page;
	struct reader *mine = &r->dump[d - g.dump];
	enum page_state state = pagefile_page(&d->file, mine, c->pfn, &page);
	bool elf = !d->file.kdump, out;

	if (state != PAGE_HOLE)
		add(d->set[S_RAM], c->pfn);
	if ((state == PAGE_HOLE) != (c->state == PAGE_HOLE))
		add(d->set[state == PAGE_HOLE ? S_RAM_LESS : S_RAM_MORE], c->pfn);
	if (state == PAGE_MISSING) {
		add(d->set[S_MISSING], c->pfn);
	} else if (state == PAGE_BROKEN) {
		add(d->set[S_BROKEN], c->pfn);
		note_broken(d, c->pfn, mine->why);
	} else if (state == PAGE_IN) {
		/* an ELF dump cannot say that a page between two kept ones is left out */
		out = elf && all_zero(page) && !pagefile_listed(&d->kept, c->pfn);
		add(d->set[S_IN], c->pfn);
		if (c->zero)
			add(d->set[S_ZERO], c->pfn);
		if (c->state != PAGE_IN)
			add(d->set[S_FOREIGN], c->pfn);
		else if (memcmp(page, c->page, PAGE) == 0)
			add(d->set[S_EQUAL], c->pfn);
		else if (!out)
			add(d->set[S_DIFFER], c->pfn);
	}
	if (elf && state != PAGE_HOLE)
		judge_elf(d, r, c, state == PAGE_IN, page);
}

static void judge_chunk(struct readers *r, uint64_t from, uint64_t to)
{
	for (uint64_t pfn = from; pfn < to; pfn++) {
		struct frame c = { .pfn = pfn };

		c.state = pagefile_page(&g.core, &r->core, pfn, &c.page);
		c.zero = c.state == PAGE_IN && all_zero(c.page);
		if (c.state != PAGE_HOLE)
			add(g.ram, pfn);
		for (int i = 0; i < 2; i++)
			judge_frame(&g.dump[i], r, &c);
	}
}

static void *worker(void *arg)
{
	struct readers *r = calloc(1, sizeof(*r));

	(void)arg;
	if (!r)
		die("readers", "no memory");
	for (;;) {
		uint64_t from = atomic_fetch_add(&g.next, CHUNK);
		uint64_t to = from + CHUNK < g.max_pfn ? from + CHUNK : g.max_pfn;

		if (from >= g.max_pfn)
			break;
		judge_chunk(r, from, to);
	}
	reader_close(&r->dump[0]);
	reader_close(&r->dump[1]);
	free(r);
	return NULL;
}

/* One run of RAM [from, to): what is wanted and the short gaps within. */
static void model_run(const uint64_t *want, uint64_t *out, uint64_t from, uint64_t to)
{
	uint64_t last = from; /* the end of what is in the segment so far */
	bool open = true;     /* a short gap at the beginning belongs to it */

	for (uint64_t pfn = from; pfn < to; pfn++) {
		if (!has(want, pfn))
			continue;
		open = open && pfn - last < GAP;
		for (uint64_t p = open ? last : pfn; p <= pfn; p++)
			add(out, p);
		last = pfn + 1;
		open = true;
	}
}

/* The sets that an ELF dump of the frames wanted has in the file. */
static void model(struct dump *d)
{
	for (uint64_t from = 0; from < g.max_pfn;) {
		uint64_t to = from;

		while (to < g.max_pfn && has(g.ram, to))
			to++;
		model_run(d->set[S_WANT], d->set[S_MODEL_RUNS], from, to);
		from = to + 1;
	}
	for (size_t i = 0; i < g.core.direct.n; i++) {
		const struct load *l = &g.core.direct.v[i];

		model_run(d->set[S_WANT], d->set[S_MODEL_LOADS], l->pa / PAGE,
			  (l->pa + l->mem + PAGE - 1) / PAGE);
	}
}

/* , "NAME": {"count": N, "ranges": [[first, count], ...]} of a and not b; b may be NULL. */
static void print_set(const char *name, const uint64_t *a, const uint64_t *b, bool list)
{
	uint64_t n = 0, ranges = 0, first = 0, len = 0;

	printf(",\n \"%s\": {", name);
	if (list)
		printf("\"ranges\": [");
	for (uint64_t pfn = 0; pfn <= g.max_pfn; pfn++) {
		bool in = pfn < g.max_pfn && has(a, pfn) && !(b && has(b, pfn));

		n += in;
		if (in && len++ == 0)
			first = pfn;
		if (in || len == 0)
			continue;
		if (list && ranges < RANGES_MAX)
			printf("%s[%llu,%llu]", ranges ? "," : "", (unsigned long long)first,
			       (unsigned long long)len);
		ranges++;
		len = 0;
	}
	printf("%s\"count\": %llu, \"truncated\": %s}", list ? "], " : "", (unsigned long long)n,
	       list && ranges > RANGES_MAX ? "true" : "false");
}

static void print_dump(const struct dump *d)
{
	const struct pagefile *f = &d->file;

	printf("{\"format\": \"%s\", \"complete\": %s, \"level\": %d, \"max_pfn\": %llu, "
	       "\"loads\": %zu, \"why_broken\": \"%s\"",
	       f->kdump ? "kdump" : "elf", f->complete ? "true" : "false", f->level,
	       (unsigned long long)f->max_pfn, f->direct.n, d->broken);
	for (int i = 0; i < S_COUNT; i++) {
		if (!sets[i].elf || !f->kdump)
			print_set(sets[i].name, d->set[i], NULL, sets[i].list);
	}
	if (!f->kdump) {
		for (int i = S_MODEL_RUNS; i <= S_MODEL_LOADS; i++) {
			char name[32];

			snprintf(name, sizeof(name), "%s_more", sets[i].name);
			print_set(name, d->set[S_IN], d->set[i], true);
			snprintf(name, sizeof(name), "%s_less", sets[i].name);
			print_set(name, d->set[i], d->set[S_IN], true);
		}
	}
	printf("}");
}

static void open_all(int argc, char **argv)
{
	struct pagefile *files[] = { &g.core, &g.dump[0].file, &g.dump[1].file, &g.dump[0].kept,
				     &g.dump[1].kept };
	char why[PAGEFILE_WHY];

	for (int i = 0; i < argc - 1; i++) {
		if (pagefile_open(files[i], argv[i + 1], why))
			die(argv[i + 1], why);
		if (files[i]->max_pfn > g.max_pfn)
			g.max_pfn = files[i]->max_pfn;
	}
	for (int i = 0; i < 2; i++) {
		if (g.dump[i].kept.kdump == g.dump[i].file.kdump)
			die(argv[2 + i], "KEPT is for ELF dumps, a kdump-compressed one each");
	}
	g.words = g.max_pfn / 64 + 1;
	g.ram = new_set();
	for (int i = 0; i < 2 * S_COUNT; i++)
		g.dump[i / S_COUNT].set[i % S_COUNT] = new_set();
}

int main(int argc, char **argv)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[16];
	long n = cpus < 1 ? 1 : cpus > 16 ? 16 : cpus;

	if (argc != 4 && argc != 6)
		die("usage", "pagediff VMCORE A B [KEPT_A KEPT_B]");
	open_all(argc, argv);
	for (long i = 0; i < n; i++) {
		if (pthread_create(&threads[i], NULL, worker, NULL))
			die("threads", "cannot start");
	}
	for (long i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 2; i++) {
		if (!g.dump[i].file.kdump)
			model(&g.dump[i]);
	}
	printf("{\"vmcore\": {\"max_pfn\": %llu, \"loads\": %zu",
	       (unsigned long long)g.core.max_pfn, g.core.direct.n);
	print_set("ram", g.ram, NULL, false);
	printf("},\n\"a\": ");
	print_dump(&g.dump[0]);
	printf(",\n\"b\": ");
	print_dump(&g.dump[1]);
	print_set("only_a", g.dump[0].set[S_IN], g.dump[1].set[S_IN], true);
	print_set("only_b", g.dump[1].set[S_IN], g.dump[0].set[S_IN], true);
	printf("}\n");
	return fflush(stdout) ? 2 : 0;
}
