/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source_elf.c - memory from an ELF vmcore: /proc/vmcore, a copy of it, or QEMU's
 * dump-guest-memory, flattened or not. Page data of /proc/vmcore comes through mmap (read() there
 * maps and unmaps every page), and is looked at before it is given away, as memory that has failed
 * raises SIGBUS; of other files through pread, which reports an error by itself. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "elf_file.h"
#include "elf_fmt.h"
#include "probe.h"
#include "ranges.h"
#include "source_backends.h"
#include "source_elf.h"

#define NOTES_MAX ((u64)64 << 20) /* one PRSTATUS is 400 bytes: room for 100,000 CPUs */
/* A mapping is more than what one get gives, as neighbours come next: that much for those who read
 * on and on, so many times as much for those who look here and there. */
#define MAP_BYTES ((size_t)4 << 20)
#define MAP_FACTOR 16
#define PIECE_BYTES ((size_t)64 << 10) /* of a mapping, given at once: stays in the cache */
#define PA_LIMIT ((u64)1 << 52)	       /* x86_64 has 52 physical address bits */

struct elf_source {
	struct fileview view;
	struct ranges ram;  /* memory that exists */
	struct ranges data; /* memory whose bytes are in the file */
	u8 *notes;
	struct source_map *maps;
	bool mmap_refused; /* found out when the source is opened */
};

/* Adds the notes of one PT_NOTE to those found before. */
static int read_notes(struct source *s, size_t i, const GElf_Phdr *ph, unsigned flags,
		      struct err *e)
{
	struct elf_source *es = s->priv;
	u8 *grown;
	ssize_t got;

	u64 want = ph->p_filesz;

	/* as much as there is: the rest of the file may still make a dump */
	if (flags & SOURCE_PARTIAL)
		want = MIN(want, NOTES_MAX - s->notes_len);
	if (want > NOTES_MAX - s->notes_len)
		return err_set(e, -EINVAL, "phdr %zu: notes of %llu bytes", i,
			       (unsigned long long)ph->p_filesz);
	grown = realloc(es->notes, s->notes_len + want + 1);
	if (!grown)
		return err_sys(e, -ENOMEM, "phdr %zu: notes of %llu bytes", i,
			       (unsigned long long)ph->p_filesz);
	es->notes = grown;
	got = fileview_pread(&es->view, grown + s->notes_len, want, ph->p_offset);
	if (got < 0 && (flags & SOURCE_PARTIAL))
		got = 0;
	if (got < 0)
		return err_sys(e, (int)got, "phdr %zu: notes", i);
	if ((u64)got != want && !(flags & SOURCE_PARTIAL))
		return err_set(e, -EINVAL, "phdr %zu: notes end early: read %zd of %llu bytes", i,
			       got, (unsigned long long)ph->p_filesz);
	s->notes = es->notes;
	s->notes_len += (size_t)got;
	return 0;
}

static int check_load(size_t i, const GElf_Phdr *ph, u64 in_file, struct err *e)
{
	if (ph->p_memsz > PA_LIMIT || ph->p_paddr > PA_LIMIT - ph->p_memsz)
		return err_set(e, -EINVAL,
			       "phdr %zu: physical address %#llx + %#llx is beyond 52 bits", i,
			       (unsigned long long)ph->p_paddr, (unsigned long long)ph->p_memsz);
	if (in_file > UINT64_MAX - ph->p_offset)
		return err_set(e, -EINVAL, "phdr %zu: file offset %#llx wraps", i,
			       (unsigned long long)ph->p_offset);
	return 0;
}

static int add_load(struct source *s, size_t i, const GElf_Phdr *ph, unsigned flags, struct err *e)
{
	struct elf_source *es = s->priv;
	u64 size = es->view.size;
	u64 in_file = MIN(ph->p_filesz, ph->p_memsz);
	int rc = check_load(i, ph, in_file, e);

	/* one header that lies must not cost what the others describe */
	if (rc && (flags & SOURCE_PARTIAL)) {
		s->incomplete = true;
		return 0;
	}
	if (rc)
		return rc;
	if (ph->p_offset + in_file > size) {
		if (!(flags & SOURCE_PARTIAL))
			return err_set(e, -EINVAL,
				       "phdr %zu: truncated: ends at byte %llu, the file at %llu",
				       i, (unsigned long long)(ph->p_offset + in_file),
				       (unsigned long long)size);
		in_file = ph->p_offset < size ? size - ph->p_offset : 0;
		s->incomplete = true;
	}
	s->maps = es->maps;
	es->maps[s->nmaps++] = (struct source_map){ ph->p_vaddr, ph->p_paddr, ph->p_memsz };
	if (ranges_add(&es->ram, ph->p_paddr, ph->p_memsz, ph->p_paddr) ||
	    ranges_add(&es->data, ph->p_paddr, in_file, ph->p_offset))
		return err_sys(e, -ENOMEM, "phdr %zu", i);
	return 0;
}

static int check_header(struct source *s, Elf *elf, GElf_Ehdr *eh, struct err *e)
{
	const struct elf_source *es = s->priv;

	if (es->view.size < sizeof(Elf64_Ehdr))
		return err_set(e, -EINVAL, "ELF header: the file ends within it, at byte %llu",
			       (unsigned long long)es->view.size);
	if (!gelf_getehdr(elf, eh))
		return err_set(e, -EINVAL, "ELF header: neither 64-bit nor 32-bit");
	if (gelf_getclass(elf) != ELFCLASS64 || eh->e_ident[EI_DATA] != ELFDATA2LSB)
		return err_set(e, -ENOTSUP, "ELF header: not 64-bit little-endian");
	if (eh->e_machine != EM_X86_64)
		return err_set(e, -ENOTSUP, "ELF header: machine %u is not x86_64 (%u)",
			       eh->e_machine, EM_X86_64);
	if (eh->e_type != ET_CORE)
		return err_set(e, -EINVAL, "ELF header: type %u is not a core file (%u)",
			       eh->e_type, ET_CORE);
	s->incomplete = (eh->e_flags & ELF_FLAG_INCOMPLETE) || es->view.cut;
	return 0;
}

static int read_headers(struct source *s, const struct elf_file *file, unsigned flags,
			struct err *e)
{
	struct elf_source *es = s->priv;
	GElf_Ehdr eh;
	size_t n;
	int rc = check_header(s, file->elf, &eh, e);

	if (rc)
		return rc;
	/* libelf lowers the number to what it finds in the file */
	n = eh.e_phnum;
	if (n == PN_XNUM && elf_getphdrnum(file->elf, &n))
		return err_set(e, -EINVAL, "ELF header: number of program headers: %s",
			       elf_errmsg(-1));
	if (n == 0)
		return err_set(e, -EINVAL, "ELF header: no program headers");
	if (eh.e_phoff > es->view.size || n > (es->view.size - eh.e_phoff) / sizeof(Elf64_Phdr))
		return err_set(e, -EINVAL,
			       "ELF header: %zu program headers at %llu, file of %llu bytes", n,
			       (unsigned long long)eh.e_phoff, (unsigned long long)es->view.size);
	es->maps = calloc(n, sizeof(*es->maps));
	if (!es->maps)
		return err_sys(e, -ENOMEM, "%zu program headers", n);
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;

		rc = elf_file_phdr(file, i, &ph, e);
		if (rc)
			return rc;
		if (ph.p_type == PT_NOTE)
			rc = read_notes(s, i, &ph, flags, e);
		else if (ph.p_type == PT_LOAD)
			rc = add_load(s, i, &ph, flags, e);
		if (rc)
			return rc;
	}
	if (es->ram.n == 0)
		return err_set(e, -EINVAL, "no PT_LOAD: the file describes no memory");
	return 0;
}

static void elf_close(struct source *s)
{
	struct elf_source *es = s->priv;

	if (!es)
		return;
	fileview_deinit(&es->view);
	ranges_deinit(&es->ram);
	ranges_deinit(&es->data);
	free(es->notes);
	free(es->maps);
	free(es);
}

static int elf_bits(struct source *s, u64 pfn, size_t n, u64 *ram, u64 *have, struct err *e)
{
	struct elf_source *es = s->priv;

	(void)e;
	ranges_bits(&es->ram, pfn, n, ram);
	ranges_bits(&es->data, pfn, n, have);
	return 0;
}

static u64 elf_next_ram(struct source *s, u64 pfn)
{
	const struct elf_source *es = s->priv;
	const struct range *r = ranges_find(&es->ram, pfn << PAGE_SHIFT);

	return r ? MAX(pfn, r->pa >> PAGE_SHIFT) : s->max_pfn;
}

/* Where mapping works, the buffer is for the parts where it does not: a page now, so that none is
 * lost when there is no memory for more. */
static int elf_window_open(struct window *w, struct err *e)
{
	struct elf_source *es = w->src->priv;

	w->priv_cap = es->mmap_refused ? w->cap : PAGE_SIZE;
	w->priv = malloc(w->priv_cap);
	return w->priv ? 0 : err_sys(e, -ENOMEM, "read buffer of %zu bytes", w->priv_cap);
}

static void elf_window_close(struct window *w)
{
	free(w->priv);
	if (w->map_len)
		munmap(w->buf, w->map_len);
}

/* Makes the mapping hold file offset off, which lies in range r. */
static int window_map(struct window *w, u64 off, const struct range *r, struct err *e)
{
	u64 span = w->cap * MAP_FACTOR >= MAP_BYTES / 4 ? MAP_BYTES : w->cap * MAP_FACTOR;
	u64 from = off / span * span;
	u64 to = MIN(from + span, align_up(r->off + r->size, PAGE_SIZE));
	void *p;

	if (w->map_len)
		munmap(w->buf, w->map_len);
	w->map_len = 0;
	/* Not below the range: its neighbour may be what cannot be mapped. */
	from = MAX(from, r->off / PAGE_SIZE * PAGE_SIZE);
	p = mmap(NULL, to - from, PROT_READ, MAP_SHARED, w->src->fd, (off_t)from);
	if (p == MAP_FAILED)
		return err_sys(e, -errno, "mmap of %llu bytes at %#llx",
			       (unsigned long long)(to - from), (unsigned long long)from);
	w->buf = p;
	w->map_off = from;
	w->map_len = to - from;
	return 0;
}

static void grow_buffer(struct window *w)
{
	void *larger = w->priv_cap < w->cap ? realloc(w->priv, w->cap) : NULL;

	if (!larger)
		return;
	w->priv = larger;
	w->priv_cap = w->cap;
}

/* The way where mapping is refused, for all of a file or for this part of it. */
static int window_pread(struct window *w, u64 off, u64 len, const u8 **p, size_t *got,
			struct err *e)
{
	const struct elf_source *es = w->src->priv;
	ssize_t n;

	grow_buffer(w);
	n = fileview_pread(&es->view, w->priv, MIN(len, w->priv_cap), off);
	/* one page that cannot be read is not to cost those before it */
	if (n < 0 && len > PAGE_SIZE - off % PAGE_SIZE)
		n = fileview_pread(&es->view, w->priv, PAGE_SIZE - off % PAGE_SIZE, off);
	if (n == 0 && es->view.cut)
		return err_set(e, -ENODATA, "%s ends before what belongs at %#llx", w->src->path,
			       (unsigned long long)off);
	if (n <= 0)
		return err_sys(e, n ? (int)n : -EIO, "read at %#llx of %s", (unsigned long long)off,
			       w->src->path);
	*p = w->priv;
	*got = (size_t)n;
	return 0;
}

/* What of the mapping can be read; the rest of it is tried by the next get. */
static int window_mapped(struct window *w, u64 off, u64 len, const u8 **p, size_t *got,
			 struct err *e)
{
	size_t n;

	*p = w->buf + (off - w->map_off);
	n = probe_bytes(*p, MIN(MIN(len, w->map_len - (off - w->map_off)), PIECE_BYTES));
	if (!n)
		return err_set(e, -EIO, "memory at %#llx of %s cannot be read",
			       (unsigned long long)off, w->src->path);
	*got = n;
	return 0;
}

static int elf_window_get(struct window *w, u64 pa, size_t want, const u8 **p, size_t *got,
			  struct err *e)
{
	struct elf_source *es = w->src->priv;
	const struct range *r = ranges_find(&es->data, pa);
	u64 off, avail;

	if (!r || pa < r->pa) {
		const struct range *ram = ranges_find(&es->ram, pa);
		bool is_ram = ram && pa >= ram->pa;

		return err_set(e, is_ram ? -ENODATA : -ENXIO, "physical address %#llx is not in %s",
			       (unsigned long long)pa, w->src->path);
	}
	off = r->off + (pa - r->pa);
	avail = MIN((u64)want, r->size - (pa - r->pa));
	if (!es->mmap_refused) {
		if ((off < w->map_off || off - w->map_off >= w->map_len) &&
		    window_map(w, off, r, e))
			return window_pread(w, off, avail, p, got, e);
		return window_mapped(w, off, avail, p, got, e);
	}
	return window_pread(w, off, avail, p, got, e);
}

static const struct source_ops elf_ops = {
	.name = "elf",
	.bits = elf_bits,
	.next_ram = elf_next_ram,
	.window_open = elf_window_open,
	.window_get = elf_window_get,
	.window_close = elf_window_close,
	.close = elf_close,
};

/* Only /proc/vmcore is mapped; some kernels and architectures refuse it even there. */
static bool mmap_works(const struct source *s, unsigned flags)
{
	const struct elf_source *es = s->priv;
	void *p;

	if ((!s->proc && !(flags & SOURCE_MAP)) || (flags & SOURCE_NO_MAP) || probe_init())
		return false;
	p = mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, s->fd,
		 (off_t)(es->data.r[0].off / PAGE_SIZE * PAGE_SIZE));
	if (p == MAP_FAILED)
		return false;
	munmap(p, PAGE_SIZE);
	return true;
}

const struct fileview *source_elf_view(const struct source *s)
{
	const struct elf_source *es = s->priv;

	return s->ops == &elf_ops ? &es->view : NULL;
}

int source_elf_open_view(struct source *s, const struct fileview *view, unsigned flags,
			 struct err *e)
{
	struct elf_source *es = calloc(1, sizeof(*es));
	struct fileview owned = *view;
	const struct range *last;
	struct elf_file file;
	int rc;

	s->ops = &elf_ops;
	s->priv = es;
	if (!es) {
		fileview_deinit(&owned);
		return err_sys(e, -ENOMEM, "ELF");
	}
	es->view = owned;
	rc = elf_file_open(&file, &es->view, e);
	if (rc)
		return rc;
	rc = read_headers(s, &file, flags, e);
	elf_file_close(&file);
	if (rc)
		return rc;
	ranges_settle(&es->ram);
	ranges_settle(&es->data);
	last = &es->ram.r[es->ram.n - 1];
	s->max_pfn = align_up(last->pa + last->size, PAGE_SIZE) >> PAGE_SHIFT;
	es->mmap_refused = es->data.n == 0 || !mmap_works(s, flags);
	return 0;
}

int source_elf_open(struct source *s, unsigned flags, struct err *e)
{
	struct fileview view;

	int rc = s->part_size ? source_view(s, &view, e) : 0;

	if (rc)
		return rc;
	/* a vmcore that does not tell its size is still worth reading */
	if (!s->part_size && (source_view(s, &view, NULL) || view.size == 0))
		view = (struct fileview){ .fd = s->fd, .size = INT64_MAX };
	return source_elf_open_view(s, &view, flags, e);
}
