/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xlat.h"

#include <errno.h>
#include <string.h>

#define PTE_PRESENT 1ull
#define PTE_LEAF 0x80ull /* PS: at 1 GiB and 2 MiB levels */
#define PTE_ADDR 0x000ffffffffff000ull

int xlat_init(struct xlat *x, const struct vmcoreinfo *vi, struct err *e)
{
	u64 top;
	s64 phys_base = 0, l5 = 0, sme = 0;

	memset(x, 0, sizeof(*x));
	if (vmcoreinfo_symbol(vi, "init_top_pgt", &top) &&
	    vmcoreinfo_symbol(vi, "swapper_pg_dir", &top))
		return err_set(e, -ENOENT, "VMCOREINFO: no SYMBOL(init_top_pgt)");
	if (vmcoreinfo_number(vi, "phys_base", &phys_base) == -EINVAL)
		return err_set(e, -EINVAL, "VMCOREINFO: NUMBER(phys_base) is no number");
	vmcoreinfo_number(vi, "pgtable_l5_enabled", &l5);
	if (l5 != 0 && l5 != 1)
		return err_set(e, -EINVAL,
			       "VMCOREINFO: NUMBER(pgtable_l5_enabled)=%lld is neither 0 nor 1",
			       (long long)l5);
	vmcoreinfo_number(vi, "sme_mask", &sme);
	x->phys_base = (u64)phys_base;
	x->levels = l5 ? 5 : 4;
	x->sme_mask = (u64)sme;
	x->root_pa = top - XLAT_KERNEL_TEXT + x->phys_base;
	if (top < XLAT_KERNEL_TEXT || x->root_pa % PAGE_SIZE || x->root_pa & ~PTE_ADDR ||
	    x->root_pa == 0) {
		u64 bad = x->root_pa;

		x->root_pa = 0;
		return err_set(e, -EINVAL, "VMCOREINFO: page tables at %#llx: not believable",
			       (unsigned long long)bad);
	}
	return 0;
}

void xlat_cache_init(struct xlat_cache *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(c->table_pa); i++)
		c->table_pa[i] = ~(u64)0;
}

static int table_entry(struct xlat_cache *c, struct window *w, unsigned level, u64 table_pa,
		       unsigned index, u64 *entry, struct err *e)
{
	if (c->table_pa[level] != table_pa) {
		int rc;

		c->table_pa[level] = ~(u64)0;
		rc = window_read(w, table_pa, c->table[level], PAGE_SIZE, e);
		if (rc) {
			err_ctx(e, "page table of level %u", level + 1);
			return rc;
		}
		c->table_pa[level] = table_pa;
	}
	memcpy(entry, c->table[level] + index * 8, 8);
	return 0;
}

int xlat_va(const struct xlat *x, struct xlat_cache *c, struct window *w, u64 va, u64 *pa,
	    u64 *contig, struct err *e)
{
	u64 table = x->root_pa;
	unsigned bits = PAGE_SHIFT + 9 * x->levels;

	if (x->root_pa == 0)
		return err_set(e, -ENOENT, "virtual addresses cannot be translated");
	/* canonical, kernel half */
	if (va >> (bits - 1) != ~(u64)0 >> (bits - 1))
		return err_set(e, -EFAULT, "%#llx is not a kernel address", (unsigned long long)va);
	for (unsigned level = x->levels; level-- > 0;) {
		unsigned shift = PAGE_SHIFT + 9 * level;
		u64 entry, span = (u64)1 << shift;
		int rc = table_entry(c, w, level, table, va >> shift & 511, &entry, e);

		if (rc) {
			err_ctx(e, "translate %#llx", (unsigned long long)va);
			return rc;
		}
		entry &= ~x->sme_mask;
		if (!(entry & PTE_PRESENT))
			return err_set(e, -EFAULT, "%#llx is not mapped", (unsigned long long)va);
		table = entry & PTE_ADDR;
		if (level == 0 || (level <= 2 && (entry & PTE_LEAF))) {
			/* bit 12 of a large leaf is PAT, not address */
			*pa = (table & ~(span - 1)) + (va & (span - 1));
			*contig = span - (va & (span - 1));
			return 0;
		}
	}
	return err_set(e, -EINVAL, "%#llx: page tables end nowhere", (unsigned long long)va);
}
