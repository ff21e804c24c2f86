/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "../estimate_all.h"
#include "../run.h"
#include "../tree.h"

#define MIB ((u64)1 << 20)

struct tree {
	char root[40];
};

static void tree_make(struct tree *t)
{
	snprintf(t->root, sizeof(t->root), "/tmp/crashpod-estimate-XXXXXX");
	assert_non_null(mkdtemp(t->root));
}

static void tree_remove(const struct tree *t)
{
	const char *argv[] = { "rm", "-rf", "--", t->root, NULL };

	assert_int_equal(run_wait(argv, NULL), 0);
}

/* A file below the root, and the directories that it is in. */
static void tree_put(const struct tree *t, const char *name, const void *data, size_t len)
{
	char path[PATH_MAX];
	FILE *f;

	assert_int_equal(tree_path(path, t->root, "%s", name), 0);
	for (char *p = path + strlen(t->root) + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
	}
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* A bzImage's first KiB. */
static void make_image(u8 head[1024], u16 version, u32 init_size, const char *release)
{
	u16 at = 0x180;

	memset(head, 0, 1024);
	memcpy(head + 0x202, "HdrS", 4);
	memcpy(head + 0x206, &version, 2);
	memcpy(head + 0x20e, &at, 2);
	memcpy(head + 0x260, &init_size, 4);
	snprintf((char *)head + 0x380, 128, "%s (build@host) #1 SMP", release);
}

static void test_image(void **state)
{
	struct estimate_image img;
	struct err e = { 0 };
	u8 head[1024];

	(void)state;
	make_image(head, 0x20f, 53968896, "6.1.0-50-cloud-amd64");
	assert_int_equal(estimate_image_read(&img, head, sizeof(head), &e), 0);
	assert_int_equal(img.init_size, 53968896);
	assert_string_equal(img.release, "6.1.0-50-cloud-amd64");
	/* the text may lie behind what was read */
	assert_int_equal(estimate_image_read(&img, head, 0x264, &e), 0);
	assert_string_equal(img.release, "");
	assert_int_equal(estimate_image_read(&img, head, 0x263, &e), -EINVAL);
	assert_string_equal(e.msg, "not a bzImage of x86");
	make_image(head, 0x209, 1, "2.6.32");
	assert_int_equal(estimate_image_read(&img, head, sizeof(head), &e), -EINVAL);
	assert_string_equal(e.msg, "boot protocol 2.9 does not say its size");
}

static const char iomem[] = "00000000-00000fff : Reserved\n"
			    "00001000-0009ffff : System RAM\n"
			    "00100000-3fffffff : System RAM\n"
			    "  01000000-01ffffff : Kernel code\n"
			    "  02400000-027fffff : Kernel bss\n"
			    "  30000000-33ffffff : Crash kernel\n"
			    "fe000000-fe000fff : PCI\n"
			    "100000000-13fffffff : System RAM\n";

static void test_map(void **state)
{
	struct estimate_map map;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(estimate_map_parse(&map, iomem, &e), 0);
	assert_int_equal(map.n, 3);
	assert_int_equal(map.ram[0].start, 0x1000);
	assert_int_equal(map.ram[2].end, 0x140000000);
	assert_int_equal(map.ram_bytes, 0x9f000 + 0x3ff00000 + 0x40000000);
	assert_int_equal(map.image_start, 0x1000000);
	assert_int_equal(map.image_end, 0x2800000);
	assert_int_equal(map.crash_start, 0x30000000);
	assert_int_equal(map.crash_end, 0x34000000);
	/* what they are for everybody but root */
	assert_int_equal(estimate_map_parse(&map, "00000000-00000000 : System RAM\n", &e), -EACCES);
	assert_string_equal(e.msg, "no addresses of System RAM: needs root");
	assert_int_equal(estimate_map_parse(&map, "", &e), -EACCES);
	assert_int_equal(estimate_map_parse(&map, "x\n1-\n-\n9-1 : System RAM\n", &e), -EACCES);
}

#define KPF(n) ((u64)1 << (n))

static void test_class(void **state)
{
	static const struct {
		u64 flags;
		enum page_class want;
	} t[] = {
		{ KPF(10), PC_FREE },
		{ KPF(7), PC_SLAB },
		{ KPF(5) | KPF(3), PC_CACHE },
		{ KPF(5) | KPF(35), PC_CACHE_PRIVATE },
		{ KPF(5) | KPF(12) | KPF(14), PC_USER },
		{ KPF(13) | KPF(14), PC_CACHE },
		{ KPF(13), PC_KERNEL },
		{ KPF(15) | KPF(17), PC_USER },
		{ KPF(16), PC_USER }, /* a tail of it whose flags say nothing */
		{ KPF(16) | KPF(19), PC_HWPOISON },
		{ KPF(16), PC_USER }, /* its head is the same */
		{ KPF(32), ESTIMATE_EARLY },
		{ KPF(23), PC_OFFLINE },
		{ KPF(19) | KPF(10), PC_HWPOISON },
		{ KPF(20), PC_NO_MEMMAP },
		{ KPF(26), PC_KERNEL },
		{ KPF(15), PC_KERNEL },
		{ KPF(16), PC_KERNEL },
		{ 0, PC_KERNEL },
	};
	enum page_class head = PC_KERNEL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		assert_int_equal(estimate_class(t[i].flags, &head), t[i].want);
}

static const char meminfo[] = "MemTotal:        1000000 kB\n"
			      "MemFree:          600000 kB\n"
			      "Buffers:           20000 kB\n"
			      "Cached:           100000 kB\n"
			      "SwapCached:            0 kB\n"
			      "AnonPages:         80000 kB\n"
			      "Slab:              40000 kB\n";

static void test_guess(void **state)
{
	static const char zoneinfo[] = "Node 0, zone      DMA\n        present  1000\n"
				       "Node 0, zone   Normal\n        present  254000\n";
	struct estimate_pages p;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(estimate_pages_guess(&p, meminfo, zoneinfo, &e), 0);
	assert_int_equal(p.ram, 255000);
	assert_int_equal(p.class[PC_FREE], 150000);
	assert_int_equal(p.class[PC_USER], 20000);
	assert_int_equal(p.class[PC_CACHE], 25000);
	assert_int_equal(p.class[ESTIMATE_EARLY], 5000);
	assert_int_equal(p.class[PC_KERNEL], 40000);
	assert_int_equal(estimate_pages_guess(&p, meminfo, NULL, &e), 0);
	assert_int_equal(p.ram, 250000);
	assert_string_equal(p.source, "/proc/meminfo");
	/* more than there is */
	assert_int_equal(
		estimate_pages_guess(&p, "MemTotal: 8 kB\nMemFree: 80 kB\nSlab: 8 kB\n", NULL, &e),
		0);
	assert_int_equal(p.class[PC_FREE], 2);
	assert_int_equal(p.class[PC_SLAB], 0);
	assert_int_equal(estimate_pages_guess(&p, "", NULL, &e), -EINVAL);
}

/* An entry of a newc archive, with its data. */
static size_t put_entry(u8 *to, const char *name, size_t size)
{
	size_t n = (size_t)sprintf((char *)to,
				   "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s",
				   1, 0100644, 0, 0, 1, 0, (unsigned)size, 0, 0, 0, 0,
				   (unsigned)strlen(name) + 1, 0, name) +
		   1;

	while (n % 4)
		to[n++] = 0;
	memset(to + n, 'x', align_up(size, 4));
	return n + align_up(size, 4);
}

static size_t make_cpio(u8 *buf)
{
	size_t n = put_entry(buf, "init", 5000);

	n += put_entry(buf + n, "lib/modules/a.ko", 100);
	n += put_entry(buf + n, "lib/modules/b.ko.xz", 4096);
	n += put_entry(buf + n, "etc/some.kothing", 1);
	return n + put_entry(buf + n, "TRAILER!!!", 0);
}

static void test_initrd(void **state)
{
	static u8 cpio[32768], packed[32768];
	struct estimate_initrd ird;
	struct err e = { 0 };
	struct tree t;
	char path[PATH_MAX];
	size_t len, n;

	(void)state;
	tree_make(&t);
	n = make_cpio(cpio);
	assert_int_equal(tree_path(path, t.root, "/img"), 0);
	tree_put(&t, "/img", cpio, n);
	assert_int_equal(estimate_initrd_read(&ird, path, &e), 0);
	assert_int_equal(ird.packed, n);
	assert_int_equal(ird.unpacked, 8192 + 4096 + 4096 + 4096);
	assert_int_equal(ird.modules, 100 + 4 * 4096);
	assert_false(ird.guessed);
	len = ZSTD_compress(packed, sizeof(packed), cpio, n, 3);
	tree_put(&t, "/img", packed, len);
	assert_int_equal(estimate_initrd_read(&ird, path, &e), 0);
	assert_int_equal(ird.packed, len);
	assert_int_equal(ird.unpacked, 8192 + 4096 + 4096 + 4096);
	assert_true(ird.window > n);
	/* cut, and neither known */
	tree_put(&t, "/img", packed, len / 2);
	assert_int_equal(estimate_initrd_read(&ird, path, &e), 0);
	assert_true(ird.guessed);
	tree_put(&t, "/img",
		 "\xfd"
		 "7zXZ",
		 5);
	assert_int_equal(estimate_initrd_read(&ird, path, &e), 0);
	assert_true(ird.guessed);
	assert_int_equal(ird.unpacked, 20);
	assert_int_equal(estimate_initrd_read(&ird, "/nowhere", &e), -ENOENT);
	/* an archive that lies */
	memcpy(cpio + 54, "ffffffff", 8);
	tree_put(&t, "/img", cpio, n);
	assert_int_equal(estimate_initrd_read(&ird, path, &e), 0);
	assert_int_equal(ird.unpacked, 0);
	tree_remove(&t);
}

static u64 reserve_mib(const struct estimate_in *in)
{
	struct estimate_reserve r;
	u64 sum = 0;

	estimate_reserve(&r, in);
	for (unsigned i = 0; i < r.n; i++)
		sum += r.parts[i].bytes;
	assert_int_equal(sum, r.bytes);
	assert_int_equal(r.mib, (sum + MIB - 1) / MIB);
	return r.mib;
}

static void test_reserve(void **state)
{
	struct estimate_image image = { .init_size = 50 * MIB };
	struct estimate_initrd ird = { .packed = MIB, .unpacked = 2 * MIB, .window = MIB };
	struct estimate_map map = {
		.n = 1, .image_start = 0x1000000, .bss_start = 0x3400000, .image_end = 0x3800000
	};
	struct estimate_in in = { .image = &image,
				  .initrd = &ird,
				  .map = &map,
				  .same = true,
				  .ram_bytes = 4096 * MIB,
				  .cpus = 1,
				  .possible_cpus = 2 };
	u64 one = reserve_mib(&in), more;

	(void)state;
	assert_in_range(one, 60, 90);
	in.cpus = 9;
	assert_in_range(reserve_mib(&in), one + 8, one + 30);
	in.cpus = 1;
	/* a TiB is half a million of blocks */
	in.ram_bytes = (u64)1024 * 1024 * MIB;
	assert_in_range(reserve_mib(&in), one + 2, one + 4);
	in.ram_bytes = 4096 * MIB;
	/* what the kernel says of its headers counts where it is more */
	in.headers_bytes = 8 * MIB;
	assert_in_range(reserve_mib(&in), one + 7, one + 9);
	in.headers_bytes = 0;
	/* buffers that only kernels since 6.19 have */
	in.protection = true;
	memcpy(image.release, "6.18.9", 7);
	assert_int_equal(reserve_mib(&in), one);
	memcpy(image.release, "7.2.1", 6);
	assert_in_range(reserve_mib(&in), one + 4, one + 5);
	in.protection = false;
	/* the image's own span is smaller than what its header leads to expect */
	in.same = false;
	more = reserve_mib(&in);
	assert_true(more >= one);
	in.map = NULL;
	assert_int_equal(reserve_mib(&in), more);
	/* it must be there to be loaded, whatever it takes later */
	map.bss_start = map.image_end = map.image_start + MIB;
	in.map = &map;
	in.same = true;
	assert_in_range(reserve_mib(&in), 53, 57);
}

static void test_dump(void **state)
{
	struct estimate_pages p = { .ram = 1000000 };
	struct estimate_sample s = { .class = { [PC_FREE] = { 100, 0.5, 1000, 0.5, 10000 },
						[ESTIMATE_EARLY] = { 100, 0, 300, 1, 1000 } } };
	struct estimate_dump d;
	struct conf conf;

	(void)state;
	conf_defaults(&conf);
	p.class[PC_FREE] = 900000;
	p.class[ESTIMATE_EARLY] = 100000;
	estimate_dump(&d, &p, &s, &conf, 0, 1, 100);
	assert_int_equal(d.pages, 1000000);
	assert_in_range(d.bytes, 900000000 + 30000000 + 24000000, 956000000);
	assert_in_range((u64)d.seconds, 9 + 9, 9 + 11);
	estimate_dump(&d, &p, &s, &conf, 31, 1, 100);
	assert_int_equal(d.pages, 100000);
	assert_in_range(d.bytes, 30000000 + 2400000, 34000000);
	/* most of what was taken early is the memory map */
	s.map = (struct estimate_ratio){ 100, 0, 200, 1, 1000 };
	s.map_pages = 90000;
	s.map_plain = 250;
	estimate_dump(&d, &p, &s, &conf, 31, 1, 100);
	assert_in_range(d.bytes, 30000000 - 4500000 + 2400000, 29500000);
	conf.format = CONF_FORMAT_ELF;
	estimate_dump(&d, &p, &s, &conf, 17, 1, 100);
	assert_int_equal(d.pages, 100000);
}

static void test_target_room(void **state)
{
	static const struct {
		u64 free_mib, max_mib;
		bool enough;
		const char *text;
	} t[] = {
		{ 9000, UINT64_MAX >> 20, true, "9000 MiB free, enough for 5000 MiB at level 1" },
		{ 9000, 4095, false,
		  "9000 MiB free, in files of at most 4095 MiB, too little for 5000 MiB at level "
		  "1: it would be filtered more" },
		{ 4000, 4095, false,
		  "4000 MiB free, too little for 5000 MiB at level 1: it would be filtered more" },
		{ 9000, 2047, false,
		  "9000 MiB free, in files of at most 2047 MiB, too little for 5000 MiB at level "
		  "1, and for level 31" },
	};
	struct estimate_all *a = calloc(1, sizeof(*a));

	(void)state;
	assert_non_null(a);
	a->pages.source = "a test";
	a->conf.dump_level = 1;
	a->asked.bytes = (u64)5000 << 20;
	a->dumps[ESTIMATE_LEVELS - 1].bytes = (u64)3000 << 20;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct estimate_target *to = &a->targets[0];

		to->free_bytes = t[i].free_mib << 20;
		estimate_target_judge(a, to, t[i].max_mib << 20);
		assert_string_equal(to->text, t[i].text);
		assert_int_equal(to->enough, t[i].enough);
		assert_true(to->known);
	}
	free(a);
}

/* Nothing is there: it says so, and does not fall over. */
static void test_all_lacking(void **state)
{
	struct estimate_opts o = { .cpus = 1 };
	struct estimate_all *a = calloc(1, sizeof(*a));
	struct tree t;

	(void)state;
	assert_non_null(a);
	tree_make(&t);
	estimate_all(a, t.root, "6.1.0", &o);
	assert_int_equal(a->reserve.n, 0);
	assert_null(a->pages.source);
	assert_true(a->notes.n >= 4);
	tree_remove(&t);
	free(a);
}

/* As somebody who is not root sees it: kernel and initramfs, /proc/meminfo, no addresses. */
static void test_all_unprivileged(void **state)
{
	struct estimate_opts o = { .cpus = 1 };
	struct estimate_all *a = calloc(1, sizeof(*a));
	static u8 cpio[32768];
	u8 head[1024];
	struct tree t;

	(void)state;
	assert_non_null(a);
	tree_make(&t);
	make_image(head, 0x20f, 50 * MIB, "6.1.0");
	tree_put(&t, "/boot/vmlinuz-6.1.0", head, sizeof(head));
	tree_put(&t, "/var/lib/crashpod/initramfs-6.1.0.img", cpio, make_cpio(cpio));
	tree_put(&t, "/proc/meminfo", meminfo, strlen(meminfo));
	tree_put(&t, "/proc/iomem", "0-0 : System RAM\n", 17);
	tree_put(&t, "/sys/devices/system/cpu/possible", "0-3\n", 4);
	tree_put(&t, CONF_FILE, "ext4 UUID=none\ndump_level 17\n", 29);
	estimate_all(a, t.root, "6.1.0", &o);
	assert_true(a->same);
	assert_true(a->reserve.mib > 50);
	assert_string_equal(a->pages.source, "/proc/meminfo");
	assert_int_equal(a->sample.pages, 0);
	assert_int_equal(a->dumps[0].pages, 250000);
	assert_true(a->asked.bytes < a->dumps[0].bytes);
	assert_int_equal(a->ntargets, 1);
	assert_false(a->targets[0].known);
	assert_string_equal(a->targets[0].text, "free room unknown: not there, or not mounted");
	tree_remove(&t);
	free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_image),	    cmocka_unit_test(test_map),
		cmocka_unit_test(test_class),	    cmocka_unit_test(test_guess),
		cmocka_unit_test(test_initrd),	    cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_dump),	    cmocka_unit_test(test_target_room),
		cmocka_unit_test(test_all_lacking), cmocka_unit_test(test_all_unprivileged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
