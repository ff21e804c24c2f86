/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Seeds of the targets that read files or text; those that read memory are in fuzz_seeds_mem.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/io.h"
#include "../lib_core.h"
#include "../lib_kdump.h"
#include "../lib_scratch.h"
#include "fuzz_seeds.h"

/* A machine of 128 KiB with a page or two of most classes. */
static const char seed_core[] = "info NUMBER(SECTION_SIZE_BITS)=24\n"
				"info NUMBER(MAX_PHYSMEM_BITS)=36\n"
				"info LENGTH(mem_section)=16\n"
				"info SYMBOL(init_top_pgt)=ffffffff80001000\n"
				"info SYMBOL(mem_section)=ffffffff8000a000\n"
				"info SYMBOL(init_uts_ns)=ffffffff8000b000\n"
				"ram 0 0x20000\n"
				"tables 0x1000 0x8000\n"
				"vmemmap 0xffffea0000000000\n"
				"map 0xffffffff80000000 0 2M 2M\n"
				"memmap 0 0xc000 leaf=4K bytes=0x800\n"
				"sections roots 0xffffffff8000a000 0xa000\n"
				"text 0xb104 x86_64\n"
				"note CORE 1 336\n"
				"fill 0x10-0x1b byte=7\n"
				"page 0x10 type=buddy private=2\n"
				"page 0x14-0x15 flags=lru mapping=file\n"
				"page 0x16 flags=lru,private mapping=file\n"
				"page 0x17-0x18 mapping=anon\n"
				"page 0x19 flags=hwpoison\n";

/* What is different about each ELF seed. */
static const struct core_seed {
	const char *name, *kernel, *more;
} core_seeds[] = {
	{ "new", "include kernel-6.12.txt\n", "" },
	{ "old", "include kernel-6.1.txt\n", "" },
	{ "loads", "include kernel-6.12.txt\n",
	  "load 0 0x8000 va=0xffffffff80000000\nload 0x8000 0x7800\nload 0xf800 0x10800\n"
	  "load 0x4000 0x8000\nload 0x40000 64K filesz=0\n" },
	{ "cut", "include kernel-6.12.txt\n", "truncate in-load 0\n" },
	{ "no-info", "include kernel-6.12.txt\n", "no-vmcoreinfo\n" },
	{ "late-phdrs", "include kernel-6.1.txt\n", "elf phoff=end\n" },
	{ "incomplete", "include kernel-6.12.txt\n", "elf flags=1\n" },
};

static struct mkcore *core_make(const struct core_seed *c)
{
	char text[4096], dir[256];

	snprintf(text, sizeof(text), "%s%s", c->kernel, seed_core);
	scratch_beside(__FILE__, "../golden", dir, sizeof(dir));
	return mkcore_make(text, c->more, dir);
}

static u8 *core_bytes(const struct core_seed *c, size_t *size)
{
	struct mkcore *mk = core_make(c);
	struct fuzz_file f;
	struct stat st;
	u8 *data;

	fuzz_file_make(&f, NULL, 0);
	mkcore_write(mk, f.path);
	mkcore_free(mk);
	FUZZ_CHECK(fstat(f.fd, &st) == 0);
	*size = (size_t)st.st_size;
	data = malloc(*size);
	FUZZ_CHECK(data && io_pread_full(f.fd, data, *size, 0) == (ssize_t)*size);
	close(f.fd);
	return data;
}

void fuzz_seeds_elf(fuzz_seed_fn give, void *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(core_seeds); i++) {
		size_t size;
		u8 *data = core_bytes(&core_seeds[i], &size);

		give(arg, core_seeds[i].name, data, size);
		free(data);
	}
}

/* Each with another choice of output. */
void fuzz_seeds_whole(fuzz_seed_fn give, void *arg)
{
	static const u8 choices[] = { 0, 1, 0x40, 3, 4 | 8, 0x51, 0x62, 5 | 8 };
	char name[32];

	for (size_t i = 0; i < ARRAY_SIZE(core_seeds) * 2; i++) {
		const struct core_seed *c = &core_seeds[i / 2];
		size_t size;
		u8 *data = core_bytes(c, &size);

		data[9] = choices[(i + i / 8) % ARRAY_SIZE(choices)];
		snprintf(name, sizeof(name), "%s-%02x", c->name, data[9]);
		give(arg, name, data, size);
		free(data);
	}
}

static char *info_text(const struct mkcore *mk)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	FUZZ_CHECK(f);
	for (size_t i = 0; mkcore_info_line(mk, i); i++)
		fprintf(f, "%s\n", mkcore_info_line(mk, i));
	FUZZ_CHECK(fclose(f) == 0);
	return text;
}

char *fuzz_kernel_info(unsigned kind)
{
	static const char *const kernels[FUZZ_KERNELS] = { "include kernel-6.1.txt\n",
							   "include kernel-6.12.txt\n" };
	char dir[256];
	struct mkcore *mk;
	char *text;

	scratch_beside(__FILE__, "../golden", dir, sizeof(dir));
	mk = mkcore_make(kernels[kind],
			 "info NUMBER(SECTION_SIZE_BITS)=24\ninfo NUMBER(MAX_PHYSMEM_BITS)=36\n"
			 "info LENGTH(mem_section)=16\ninfo SYMBOL(mem_section)=ffffffff80004000\n",
			 dir);
	text = info_text(mk);
	mkcore_free(mk);
	return text;
}

void fuzz_seeds_vmcoreinfo(fuzz_seed_fn give, void *arg)
{
	char name[32];

	for (size_t i = 0; i < ARRAY_SIZE(core_seeds); i++) {
		struct mkcore *mk = core_make(&core_seeds[i]);
		char *text = info_text(mk);

		give(arg, core_seeds[i].name, (u8 *)text, strlen(text));
		free(text);
		mkcore_free(mk);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(fuzz_log_info); i++) {
		snprintf(name, sizeof(name), "log%u", i);
		give(arg, name, (const u8 *)fuzz_log_info[i], strlen(fuzz_log_info[i]));
	}
}

static const struct test_page kdump_pages[] = {
	{ 0, 0, 1 },
	{ 1, KDUMP_ZSTD, 2 },
	{ 2, KDUMP_ZLIB, 3 },
	{ 5, TEST_EXCLUDED, 0 },
	{ 6, TEST_MISSING, 0 },
	{ 64, KDUMP_ZSTD, 0 },
	{ 100, KDUMP_LZO, 1 },
	{ 127, 0, 0xff },
	{ 200, KDUMP_SNAPPY, 1 },
};

/* version, and bits of the header's status */
static const struct kdump_seed {
	const char *name;
	u32 version, status;
	size_t pages;
} kdump_seeds[] = {
	{ "v6", 6, KDUMP_ZSTD, 4 },
	{ "v6-all", 6, KDUMP_ZSTD, ARRAY_SIZE(kdump_pages) },
	{ "v6-incomplete", 6, KDUMP_ZSTD | KDUMP_INCOMPLETE, 6 },
	{ "v5", 5, KDUMP_ZLIB, 4 },
	{ "v4", 4, KDUMP_ZLIB, 3 },
	{ "v3", 3, KDUMP_ZLIB, 3 },
	{ "v1", 1, KDUMP_ZLIB, 3 },
};

static struct test_kdump kdump_make(const struct kdump_seed *k)
{
	struct test_kdump t = test_kdump_make(256, kdump_pages, k->pages,
					      "OSRELEASE=6.1\nPAGESIZE=4096\n");

	test_patch(&t, offsetof(struct kdump_header, version), 4, k->version);
	test_patch(&t, offsetof(struct kdump_header, status), 4, k->status);
	return t;
}

void fuzz_seeds_kdump(fuzz_seed_fn give, void *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(kdump_seeds); i++) {
		struct test_kdump t = kdump_make(&kdump_seeds[i]);

		give(arg, kdump_seeds[i].name, t.buf, t.len);
		test_kdump_free(&t);
	}
}

static void flat_give(fuzz_seed_fn give, void *arg, const char *name, const u8 *buf,
		      const struct test_flat_piece *p, size_t n, u8 partial)
{
	size_t len;
	u8 *stream = test_flatten(buf, p, n, &len);

	/* the input has a byte in place of the stream's header */
	stream[KDUMP_FLAT_HEADER_SIZE - 1] = partial;
	give(arg, name, stream + KDUMP_FLAT_HEADER_SIZE - 1, len - KDUMP_FLAT_HEADER_SIZE + 1);
	free(stream);
}

void fuzz_seeds_flat(fuzz_seed_fn give, void *arg)
{
	static const struct test_flat_piece parts[] = { { 0, 40 },  { 20, 40 }, { 100, 8 },
							{ 10, 15 }, { 0, 5 },	{ 58, 45 } };
	struct test_kdump t = kdump_make(&kdump_seeds[0]);
	const struct test_flat_piece whole[] = { { 0, 4096 },	  { 8192, t.len - 8192 },
						 { 4096, 4096 },  { 0, 464 },
						 { t.descs, 48 }, { t.bitmap2, 100 } };

	flat_give(give, arg, "parts", t.buf, parts, ARRAY_SIZE(parts), 0);
	flat_give(give, arg, "parts-partial", t.buf, parts, ARRAY_SIZE(parts), 1);
	flat_give(give, arg, "kdump", t.buf, whole, ARRAY_SIZE(whole), 0);
	flat_give(give, arg, "kdump-one", t.buf, &(struct test_flat_piece){ 0, t.len }, 1, 1);
	test_kdump_free(&t);
}

void fuzz_seeds_conf(fuzz_seed_fn give, void *arg)
{
	static const char *const texts[] = {
		"# all of it\next4 UUID=0123abcd-1234\npath /var/crash\ndump_level 31\n"
		"format kdump\ncompress zstd:3\nthreads 2\nverify full\nnaming rhel\nkeep "
		"5\ntimeout 600\n"
		"failure_action halt\nfinal_action poweroff\n",
		"xfs LABEL=dump\nraw /dev/vda3\nbtrfs PARTUUID=1-2 # second\npath /a/b\n",
		"core_collector makedumpfile -c -d 17 --message-level 1\next4 /dev/sda1\n",
		("core_collector makedumpfile -E -d 31 --num-threads=4\nnfs x\nthreads auto\n"
		 "format elf\ncompress zlib\n"),
	};
	static const char cmdline[] = "quiet crashpod.ext4=UUID=12 crashpod.dump_level=1 "
				      "\"crashpod.path=/x y\" crashpod.raw=/dev/vdb "
				      "crashpod.compress=\"zlib 3\"";
	char both[1024], name[8];

	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
		size_t n = strlen(texts[i]);

		snprintf(name, sizeof(name), "%u", i);
		memcpy(both, texts[i], n + 1);
		memcpy(both + n + 1, cmdline, sizeof(cmdline) - 1);
		give(arg, name, (u8 *)both, i % 2 ? n : n + sizeof(cmdline));
	}
}

void fuzz_seeds_record(fuzz_seed_fn give, void *arg)
{
	static const char record[] =
		"{\"version\": 1, \"program\": \"crashpod 0.1\", \"status\": \"incomplete\", "
		"\"reason\": \"disk <full>\", \"kernel\": \"6.1\", \"panic\": \"Kernel panic - "
		"x\", "
		"\"crash_time\": 1795571361, \"capture\": {\"boot_seconds\": 3.4}, \"notes\": "
		"[\"a\"], "
		"\"steps\": [{\"name\": \"dump\", \"target\": \"UUID=1\", \"start\": 0.4, "
		"\"seconds\": 2.2, \"result\": \"incomplete\", \"message\": \"m\"}], "
		"\"seconds\": 2.6, \"dump\": {\"format\": \"kdump\", \"compression\": \"zstd\", "
		"\"level_used\": 31, \"pages\": {\"ram\": 100, \"dumped\": 10, \"zero\": 1, "
		"\"free\": 90}, \"verify\": {\"depth\": \"full\", \"result\": \"sound\"}}}";
	static const char log[] = "[    1.5][    T1] BUG: x\n[    2.0] Kernel panic - x\n"
				  "[    2.1] CPU: 0 PID: 1 Comm: sh Not tainted\n"
				  "[    2.1] Hardware name: A, BIOS 1\n"
				  "[    2.2] RIP: 0010:f+0x1/0x2\n[    2.3] Call Trace:\n"
				  "[    2.3]  <TASK>\n[    2.3]  f+0x1/0x2\n[    2.3]  ? g+0x1\n"
				  "[    2.3]  </TASK>\n";
	char both[sizeof(record) + sizeof(log)];

	memcpy(both, record, sizeof(record));
	memcpy(both + sizeof(record), log, sizeof(log) - 1);
	give(arg, "both", (u8 *)both, sizeof(record) + sizeof(log) - 1);
	give(arg, "record", (u8 *)both, sizeof(record) - 1);
	give(arg, "log", (u8 *)both + sizeof(record) - 1, sizeof(log));
}
