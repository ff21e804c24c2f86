/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VMCOREINFO note and the numbers made of it. The input is the note's text. */
#include <errno.h>
#include <string.h>

#include "fuzz.h"

static void info_check_kinfo(const struct kinfo *ki)
{
	const struct kinfo_page *p = &ki->page;
	const u16 words[] = { p->flags, p->mapping, p->priv, p->compound };

	FUZZ_CHECK(p->size >= 32 && p->size <= 512);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		FUZZ_CHECK(words[i] <= p->size - 8);
	FUZZ_CHECK(p->mapcount <= p->size - 4);
	FUZZ_CHECK(p->dtor == KINFO_ABSENT || p->dtor < p->size);
	FUZZ_CHECK(__builtin_popcountll(ki->flag_lru) == 1);
	FUZZ_CHECK(__builtin_popcountll(ki->flag_private) == 1);
	FUZZ_CHECK(ki->section_map_off <= ki->section_size - 8 && ki->section_size <= 256);
	FUZZ_CHECK(ki->section_bits >= 24 && ki->section_bits <= ki->physmem_bits);
	FUZZ_CHECK(ki->physmem_bits <= 52 && ki->section_roots >= 1);
	FUZZ_CHECK(ki->max_orders >= 1 && ki->max_orders <= 32);
	FUZZ_CHECK(ki->block_order >= 10 && ki->block_order <= ki->section_bits - PAGE_SHIFT);
	/* an absent page type matches nothing */
	FUZZ_CHECK(ki->offline.mask || ki->offline.want);
}

static void info_check_strings(const struct vmcoreinfo *vi)
{
	static const char *const keys[] = { "OSRELEASE", "BUILD-ID", "PAGESIZE", "" };
	char buf[16];

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		memset(buf, 0x55, sizeof(buf));
		if (vmcoreinfo_string(vi, keys[i], buf, sizeof(buf)))
			continue;
		FUZZ_CHECK(memchr(buf, '\0', sizeof(buf)));
		for (const char *c = buf; *c; c++)
			FUZZ_CHECK((u8)*c >= 0x20 && *c != 0x7f);
	}
}

int FUZZ_TARGET(vmcoreinfo)(const uint8_t *data, size_t size)
{
	struct vmcoreinfo *vi = NULL;
	struct kinfo ki;
	struct xlat x;
	struct err e = { 0 };
	size_t bad = 0, newlines = 0, lines;
	u64 v;
	int rc = vmcoreinfo_open(&vi, data, size, &e);

	if (rc) {
		FUZZ_CHECK(e.code == rc && e.msg[0]);
		return 0;
	}
	for (size_t i = 0; i < size; i++)
		newlines += data[i] == '\n';
	lines = vmcoreinfo_lines(vi, &bad);
	FUZZ_CHECK(lines + bad <= newlines + 1);
	info_check_strings(vi);
	rc = vmcoreinfo_hex(vi, "KERNELOFFSET", &v);
	FUZZ_CHECK(rc == 0 || rc == -ENOENT || rc == -EINVAL);
	rc = kinfo_init(&ki, vi, &e);
	FUZZ_CHECK(ki.classify == (rc == 0));
	FUZZ_CHECK(memchr(ki.release, '\0', sizeof(ki.release)));
	if (rc == 0)
		info_check_kinfo(&ki);
	rc = xlat_init(&x, vi, &e);
	FUZZ_CHECK((rc == 0) == (x.root_pa != 0));
	FUZZ_CHECK(x.root_pa % PAGE_SIZE == 0 && x.root_pa < (u64)1 << 52);
	FUZZ_CHECK(rc || x.levels == 4 || x.levels == 5);
	vmcoreinfo_free(vi);
	return 0;
}
