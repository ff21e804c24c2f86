/* SPDX-License-Identifier: GPL-2.0-or-later */
/* value_tasks.c - the tasks, known by what they hold: the address of a stack, and a stack is known
 * by the word at its end. From the pages of some of them, how the slabs of all of them are told
 * apart, and those of what most of them point at. */
#include <string.h>

#include "classify.h"
#include "notes.h"
#include "value_int.h"

#define PRSTATUS_IP (112 + 16 * 8)
#define PRSTATUS_SP (112 + 19 * 8) /* elf_prstatus.pr_reg, user_regs_struct.sp */
#define CPUS_MAX 64
#define TASK_PAGES_MAX 512
#define STACKS 512 /* a power of two */
#define TALLY_MAX 64
#define LOOKED_UP 256
#define POINTED_AT 64	  /* of so many pages of tasks one points at what belongs to them */
#define TASK_ALIGN 64	  /* a task begins at a line of the cache */
#define TASK_WORDS 16	  /* of it, where its stack is looked for */
#define LOOKUPS_MAX 16384 /* of all kinds; some hundred are usual */

/* A slab page's words that may be its cache's address; 0: it is none. */
struct slab {
	u64 pfn;
	u64 word[SLAB_WORDS];
	bool compound;
};

struct tasks {
	struct survey *s;
	struct slab looked_up[LOOKED_UP]; /* by pfn, the last ones; pfn is one more than it */
	unsigned lookups;
	struct slab task;	   /* as all tasks' slabs are; pfn 0: none seen yet */
	u64 pages[TASK_PAGES_MAX]; /* of tasks' slabs, seen so far: at the end those to be read */
	size_t n;
	struct stack {
		u64 base; /* 0: none is noted here */
		u64 sp;	  /* the end of what is in use; 0: not known, all may be */
		bool runs;
	} stacks[STACKS];
	struct tally {
		u64 word;
		unsigned count;
	} tally[TALLY_MAX];
	u64 stack[STACK_BYTES / 8], page[PAGE_SIZE / 8];
};

static void look_up(struct tasks *t, u64 pfn, struct slab *slab)
{
	const struct survey *s = t->s;
	const struct kinfo *ki = &s->core->ki;
	u64 va = memmap_page_va(s->mm, pfn);
	struct page_fields f;
	u8 pages[2 * 512];
	unsigned order;

	*slab = (struct slab){ .pfn = pfn + 1 };
	for (unsigned i = 0; va && i < 2; i++) {
		if (kmem_read(&t->s->km, va, pages, 2 * (size_t)ki->page.size, NULL))
			return;
		page_fields_load(&f, &ki->page, pages, pages + ki->page.size);
		if (!page_is_tail(&f))
			break;
		va = page_head_va(&f, va);
	}
	if (!va || page_is_tail(&f) || classify_page(ki, &f, &order) != PC_SLAB)
		return;
	slab->compound = f.flags & ki->flag_head;
	for (size_t i = 0; i < SLAB_WORDS; i++) {
		memcpy(&slab->word[i], pages + slab_word_at[i], 8);
		if (!survey_is_direct(s, slab->word[i]))
			slab->word[i] = 0;
	}
}

/* Whether more may be looked up. */
static bool may_look(struct tasks *t)
{
	return t->lookups < LOOKUPS_MAX && ++t->lookups;
}

/* NULL: enough has been looked up. */
static const struct slab *slab_of(struct tasks *t, u64 pfn)
{
	struct slab *slab = &t->looked_up[pfn % LOOKED_UP];

	if (slab->pfn != pfn + 1) {
		if (!may_look(t))
			return NULL;
		look_up(t, pfn, slab);
	}
	return slab;
}

static bool same_cache(const struct slab *a, const struct slab *b)
{
	for (size_t i = 0; i < SLAB_WORDS; i++) {
		if (a->word[i] && a->word[i] == b->word[i])
			return true;
	}
	return false;
}

/* Whether a stack begins at va, which is not in the direct mapping. */
static bool is_stack(struct tasks *t, u64 va)
{
	u64 word;

	return va % STACK_BYTES == 0 && va >= XLAT_KERNEL_HALF && !survey_is_direct(t->s, va) &&
	       may_look(t) && kmem_read(&t->s->km, va, &word, 8, NULL) == 0 &&
	       (u32)word == STACK_END;
}

static void add_page(struct tasks *t, u64 pfn)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->pages[i] == pfn)
			return;
	}
	if (t->n < TASK_PAGES_MAX)
		t->pages[t->n++] = pfn;
}

/* A pointer to the first task tells how all are known. Near the beginning of a task is where its
 * stack is (base; 0: any stack), and it is larger than what else knows of stacks. */
static void first_task(struct tasks *t, u64 va, u64 base)
{
	u64 words[TASK_WORDS];
	const struct slab *slab;
	bool found = false;

	if (t->task.pfn || va % TASK_ALIGN || !survey_is_direct(t->s, va) || !may_look(t) ||
	    window_read(&t->s->km.win, va - t->s->direct_va, words, sizeof(words), NULL))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(words) && !found; i++)
		found = base ? words[i] == base : is_stack(t, words[i]);
	slab = found ? slab_of(t, survey_pfn(t->s, va)) : NULL;
	if (!slab || !slab->compound || !(slab->word[0] || slab->word[1]))
		return;
	t->task = *slab;
	add_page(t, slab->pfn - 1);
}

/* Reads what is in use of a stack. */
static void read_stack(struct tasks *t, const struct stack *st)
{
	size_t first = st->sp ? (st->sp - st->base) / 8 : 0;

	if (kmem_read(&t->s->km, st->base, t->stack, STACK_BYTES, NULL))
		return;
	for (size_t i = first; i < ARRAY_SIZE(t->stack); i++) {
		survey_want_text(t->s, t->stack[i]);
		first_task(t, t->stack[i], st->base);
	}
}

/* The stack that begins at base, or where to note it; NULL: there are too many. */
static struct stack *stack_of(struct tasks *t, u64 base)
{
	size_t at = value_hash(base);

	for (size_t i = 0; i < 8; i++) {
		struct stack *st = &t->stacks[(at + i) % STACKS];

		if (st->base == base || !st->base)
			return st;
	}
	return NULL;
}

static void add_stack(struct tasks *t, u64 va)
{
	struct stack *st = is_stack(t, va) ? stack_of(t, va) : NULL;

	if (st)
		st->base = va;
}

/* A task that sleeps has the end of its stack noted, and nothing that it uses lies beyond. */
static void note_end(struct tasks *t, u64 va)
{
	u64 base = va & ~(STACK_BYTES - 1);
	struct stack *st = va % 8 == 0 && va != base && base ? stack_of(t, base) : NULL;

	if (st && st->base == base && !st->runs && (!st->sp || va < st->sp))
		st->sp = va;
}

static void count(struct tasks *t, const struct slab *slab)
{
	for (size_t i = 0; i < SLAB_WORDS; i++) {
		u64 word = slab->word[i];
		size_t k = 0;

		if (!word)
			continue;
		while (k < TALLY_MAX && t->tally[k].word && t->tally[k].word != word)
			k++;
		if (k < TALLY_MAX) {
			t->tally[k].word = word;
			t->tally[k].count++;
		}
	}
}

/* Reads a page of tasks: other tasks, their stacks, and what they point at. The last one on it may
 * end on the next. */
static void read_tasks(struct tasks *t, u64 pfn)
{
	const struct slab *next = slab_of(t, pfn + 1);

	if (next && same_cache(next, &t->task))
		add_page(t, pfn + 1);
	if (window_read(&t->s->km.win, pfn << PAGE_SHIFT, t->page, PAGE_SIZE, NULL))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(t->page); i++) {
		u64 va = t->page[i];
		const struct slab *slab;

		add_stack(t, va);
		if (!survey_is_direct(t->s, va) || !(slab = slab_of(t, survey_pfn(t->s, va))))
			continue;
		if (same_cache(slab, &t->task))
			add_page(t, survey_pfn(t->s, va));
		else
			count(t, slab);
	}
}

static void note_ends(struct tasks *t, u64 pfn)
{
	if (window_read(&t->s->km.win, pfn << PAGE_SHIFT, t->page, PAGE_SIZE, NULL))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(t->page); i++)
		note_end(t, t->page[i]);
}

static void want_cache(struct tasks *t, u64 word)
{
	struct value *v = t->s->v;

	if (word && v->ncaches < VALUE_CACHES)
		v->caches[v->ncaches++] = word;
}

/* The caches that tasks point at most. Few tasks may be of processes, and have memory. */
static void want_tallied(struct tasks *t)
{
	size_t enough = MAX(t->n / POINTED_AT, (size_t)2);

	for (size_t k = 0; k < VALUE_CACHES; k++) {
		struct tally *most = t->tally;

		for (size_t i = 1; i < TALLY_MAX; i++) {
			if (t->tally[i].count > most->count)
				most = &t->tally[i];
		}
		if (most->count < enough)
			break;
		want_cache(t, most->word);
		most->count = 0;
	}
}

static void from_registers(struct tasks *t)
{
	const struct source *src = t->s->core->src;
	struct notes_iter it;
	struct note n;
	unsigned cpus = 0;
	struct stack *st;
	u64 ip, sp;

	notes_begin(&it, src->notes, src->notes_len);
	while (cpus < CPUS_MAX && notes_next(&it, &n, NULL) > 0) {
		if (n.type != NOTE_NT_PRSTATUS || !note_is(&n, "CORE") ||
		    n.desc_len < PRSTATUS_SP + 8)
			continue;
		cpus++;
		memcpy(&ip, n.desc + PRSTATUS_IP, 8);
		memcpy(&sp, n.desc + PRSTATUS_SP, 8);
		survey_want_text(t->s, ip);
		add_stack(t, sp & ~(STACK_BYTES - 1));
		st = stack_of(t, sp & ~(STACK_BYTES - 1));
		if (!st || !st->base)
			continue;
		/* all of it: a CPU that panics goes on from where its registers were saved */
		st->runs = true;
		read_stack(t, st);
	}
}

/* Reads what the kernel may write of its image. */
static void from_image(struct tasks *t)
{
	struct survey *s = t->s;
	size_t n = VALUE_IMAGE_PAGES;

	for (size_t i = bit_next(s->written, n, 0, true); i < n;
	     i = bit_next(s->written, n, i + 1, true)) {
		const u64 *words = survey_image(s, i);

		if (!words)
			continue;
		/* of the first task of all */
		if ((u32)words[0] == STACK_END)
			add_stack(t, s->image_va + i * PAGE_SIZE);
		survey_trees(s, words);
		for (size_t k = 0; !t->task.pfn && k < PAGE_SIZE / 8; k++)
			first_task(t, words[k], 0);
	}
}

void survey_tasks(struct survey *s)
{
	struct tasks *t = survey_alloc(sizeof(*t));

	if (!t)
		return;
	t->s = s;
	from_registers(t);
	from_image(t);
	for (size_t i = 0; i < t->n; i++)
		read_tasks(t, t->pages[i]);
	for (size_t i = 0; i < t->n; i++)
		note_ends(t, t->pages[i]);
	for (size_t i = 0; i < STACKS; i++) {
		if (t->stacks[i].base && !t->stacks[i].runs)
			read_stack(t, &t->stacks[i]);
	}
	for (size_t i = 0; i < SLAB_WORDS; i++)
		want_cache(t, t->task.word[i]);
	want_tallied(t);
	survey_free(t, sizeof(*t));
}
