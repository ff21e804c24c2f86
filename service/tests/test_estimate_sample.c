/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine of a few MiB as files: /proc/iomem, kpageflags and kcore. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../estimate_all.h"
#include "../run.h"
#include "../tree.h"

#define KPF(n) ((u64)1 << (n))
#define FIRST 256 /* pfn of the first page of RAM: 1 MiB */
#define PAGES 512
#define CORE_DATA 8192 /* where kcore's memory begins */

static const char iomem[] = "00000000-000fffff : Reserved\n"
			    "00100000-002fffff : System RAM\n"
			    "  00100000-00107fff : Kernel code\n"
			    "  00108000-0010ffff : Kernel bss\n"
			    "  00280000-002fffff : Crash kernel\n"
			    "fe000000-fe000fff : PCI\n";

struct machine {
	char root[40];
	u64 flags[FIRST + PAGES];
};

static int file_open(const struct machine *m, const char *name)
{
	char path[PATH_MAX];
	int fd;

	assert_int_equal(tree_path(path, m->root, "%s", name), 0);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	return fd;
}

static void file_put(const struct machine *m, const char *name, const void *data, size_t len)
{
	int fd = file_open(m, name);

	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

/* Pages of memory by number: every second one of the first 128 after the image is zeros. */
static void core_put(const struct machine *m)
{
	Elf64_Ehdr eh = { .e_phoff = sizeof(eh), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2 };
	Elf64_Phdr ph[2] = {
		{ .p_type = PT_NOTE },
		{ .p_type = PT_LOAD,
		  .p_vaddr = 0xffff888000100000,
		  .p_paddr = FIRST * PAGE_SIZE,
		  .p_offset = CORE_DATA,
		  .p_filesz = PAGES * PAGE_SIZE },
	};
	u8 page[4096];
	int fd = file_open(m, "/proc/kcore");

	memcpy(eh.e_ident, ELFMAG, SELFMAG);
	assert_int_equal(pwrite(fd, &eh, sizeof(eh), 0), sizeof(eh));
	assert_int_equal(pwrite(fd, ph, sizeof(ph), sizeof(eh)), sizeof(ph));
	for (unsigned i = 0; i < PAGES; i++) {
		for (size_t k = 0; k < sizeof(page); k++)
			page[k] = (u8)(i % 2 ? 0 : k * k >> 3 ^ i);
		assert_int_equal(pwrite(fd, page, sizeof(page), CORE_DATA + i * PAGE_SIZE),
				 sizeof(page));
	}
	close(fd);
}

static void machine_make(struct machine *m)
{
	char path[PATH_MAX];

	memset(m, 0, sizeof(*m));
	snprintf(m->root, sizeof(m->root), "/tmp/crashpod-sample-XXXXXX");
	assert_non_null(mkdtemp(m->root));
	assert_int_equal(tree_path(path, m->root, "/proc"), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	for (unsigned i = 0; i < PAGES; i++) {
		u64 *f = &m->flags[FIRST + i];

		*f = i < 32 ? KPF(32) : i < 64 ? KPF(7) : i < 160 ? KPF(10) : KPF(5);
	}
	m->flags[FIRST + 64] = KPF(19);
	m->flags[FIRST + 65] = KPF(23);
	file_put(m, "/proc/iomem", iomem, strlen(iomem));
	file_put(m, "/proc/kpageflags", m->flags, sizeof(m->flags));
}

static void machine_remove(const struct machine *m)
{
	const char *argv[] = { "rm", "-rf", "--", m->root, NULL };

	assert_int_equal(run_wait(argv, NULL), 0);
}

static void test_count(void **state)
{
	struct estimate_pages p;
	struct estimate_map map;
	struct err e = { 0 };
	struct machine m;

	(void)state;
	machine_make(&m);
	assert_int_equal(estimate_map_parse(&map, iomem, &e), 0);
	assert_int_equal(estimate_pages_count(&p, m.root, &map, &e), 0);
	/* less what is reserved */
	assert_int_equal(p.ram, 384);
	assert_int_equal(p.class[PC_IMAGE], 16);
	assert_int_equal(p.class[ESTIMATE_EARLY], 16);
	assert_int_equal(p.class[PC_SLAB], 32);
	assert_int_equal(p.class[PC_FREE], 94);
	assert_int_equal(p.class[PC_CACHE], 224);
	assert_int_equal(p.npicked[PC_CACHE], 224);
	assert_int_equal(p.npicked[PC_HWPOISON] + p.npicked[PC_OFFLINE], 0);
	for (unsigned pc = 0; pc < PC_COUNT; pc++)
		for (unsigned i = 0; i < p.npicked[pc]; i++)
			assert_in_range(p.picked[pc][i], FIRST, FIRST + 383);
	estimate_pages_free(&p);
	machine_remove(&m);
}

static void test_sample(void **state)
{
	struct estimate_opts o = { .cpus = 1 };
	struct estimate_all *a = calloc(1, sizeof(*a));
	struct machine m;

	(void)state;
	assert_non_null(a);
	machine_make(&m);
	core_put(&m);
	estimate_all(a, m.root, "6.1.0", &o);
	assert_string_equal(a->pages.source, "/proc/kpageflags");
	assert_int_equal(a->sample.pages, 382);
	assert_true(a->sample.class[PC_CACHE].zero > 0.49 && a->sample.class[PC_CACHE].zero < 0.51);
	assert_true(a->sample.class[PC_CACHE].bytes > 50 && a->sample.class[PC_CACHE].bytes < 2048);
	assert_int_equal(a->dumps[0].pages, 382);
	assert_int_equal(a->dumps[ESTIMATE_LEVELS - 1].pages, 64);
	machine_remove(&m);
	free(a);
}

/* What cannot be read as a core makes no sample, and no error. */
static void test_sample_bad(void **state)
{
	static const char *const bad[] = { "", "\177ELF",
					   "no core at all, but long enough to be one: "
					   "sixty-four bytes are an ELF header" };
	struct estimate_opts o = { .cpus = 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct estimate_all *a = calloc(1, sizeof(*a));
		struct machine m;

		assert_non_null(a);
		machine_make(&m);
		file_put(&m, "/proc/kcore", bad[i], strlen(bad[i]));
		estimate_all(a, m.root, "6.1.0", &o);
		assert_int_equal(a->sample.pages, 0);
		assert_string_equal(a->notes.text[a->notes.n - 1],
				    "no sample of memory: /proc/kcore: Invalid argument");
		assert_int_equal(a->dumps[0].pages, 382);
		machine_remove(&m);
		free(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_sample_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
