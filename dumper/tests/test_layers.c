/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <linux/dm-ioctl.h>

#include "../base/dm.h"
#include "../base/layers.h"
#include "../base/lvmmeta.h"

#define HEAD LAYERS_HEAD "\n"
#define LEAF "leaf LVM2_member abc-def\n"
#define VG "VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVV"
#define LV "abcdefGHIJKLMNOPQRSTUVWXYZ123456"
#define LV_SHOWN "abcdef-GHIJ-KLMN-OPQR-STUV-WXYZ-123456"

static void test_reads(void **state)
{
	static const char text[] = HEAD "for LABEL=a disk\n"
					"md md127 1:2:3:4 raid1 2\n"
					"for UUID=1-2\n"
					"leaf LVM2_member pv-one\n"
					"leaf PARTUUID 12-34\n"
					"dm vg-crash LVM-x\n"
					"lvm 0011\n"
					"map 0 100 linear @0 2048\n"
					"map 100 50 striped 2 8 @1 0 @0 4096\n"
					"dm top -\n"
					"map 0 150 linear @2 0\n";
	struct layers l;

	(void)state;
	assert_int_equal(layers_parse(&l, text, sizeof(text) - 1, "UUID=1-2", NULL), 0);
	assert_int_equal(l.n, 4);
	assert_int_equal(l.nmaps, 3);
	assert_string_equal(l.node[0].uuid, "pv-one");
	assert_string_equal(l.node[1].name, "PARTUUID");
	assert_string_equal(l.node[2].name, "vg-crash");
	assert_string_equal(l.node[2].check, "0011");
	assert_int_equal(l.node[2].nmaps, 2);
	assert_string_equal(l.node[3].uuid, "");
	assert_int_equal(l.node[3].map, 2);
	assert_int_equal(l.maps[1].start, 100);
	layers_deinit(&l);
	assert_int_equal(layers_parse(&l, text, sizeof(text) - 1, "LABEL=a disk", NULL), 0);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.node[0].members, 2);
	assert_string_equal(l.node[0].level, "raid1");
	layers_deinit(&l);
	assert_int_equal(layers_parse(&l, text, sizeof(text) - 1, "UUID=3", NULL), -ENOENT);
}

static void test_rejects(void **state)
{
	static const struct {
		const char *text, *msg;
	} t[] = {
		{ "crashpod-layers 2\n", "line 1: not 'crashpod-layers 1'" },
		{ HEAD "for s", "line 2: it has no end" },
		{ HEAD "\n", "line 2: an empty line" },
		{ HEAD LEAF, "line 2: before the first 'for'" },
		{ HEAD "for s\nleaf a\n", "line 3: not 'leaf" },
		{ HEAD "for s\nleaf a b c\n", "line 3: not 'leaf" },
		{ HEAD "for s\nleaf a\tb\n", "line 3: a control character" },
		{ HEAD "for s\nloop a b\n", "line 3: an unknown word" },
		{ HEAD "for s\nmd ../x u raid1 2\n", "line 3: not 'md" },
		{ HEAD "for s\nmd md/x u raid1 2\n", "line 3: not 'md" },
		{ HEAD "for s\nmd sda u raid1 2\n", "line 3: not 'md" },
		{ HEAD "for s\nmd md0 u raid1 9999\n", "line 3: not 'md" },
		{ HEAD "for s\ndm a/b -\nmap 0 1 zero\n", "line 3: not 'dm" },
		{ HEAD "for s\ndm a -\n", "the dm before it has no map" },
		{ HEAD "for s\ndm a -\n" LEAF, "line 4: the dm before it has no map" },
		{ HEAD "for s\nmap 0 1 zero\n", "line 3: map belongs to the dm" },
		{ HEAD "for s\nlvm 1\n", "line 3: lvm belongs to the dm" },
		{ HEAD "for s\ndm a -\nmap 1 1 zero\n", "line 4: maps leave a gap" },
		{ HEAD "for s\ndm a -\nmap 0 0 zero\n", "line 4: maps leave a gap" },
		{ HEAD "for s\ndm a -\nmap 0 9223372036854775808 zero\n", "line 4: not 'map" },
		{ HEAD "for s\ndm a -\nmap 0 1 cache @0 0\n", "line 4: a target type" },
		{ HEAD "for s\n" LEAF "dm a -\nmap 0 1 linear @1 0\n", "line 5: it maps a device" },
		{ HEAD "for s\n" LEAF "dm a -\nmap 0 1 linear @x 0\n", "line 5: it maps a device" },
		{ HEAD "for s\n" LEAF "dm a -\nmap 0 1 linear @ 0\n", "line 5: it maps a device" },
		/* of a section that is another target's as well */
		{ HEAD "for s\n" LEAF "for t\nleaf a\n", "line 5: not 'leaf" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		/* without the NUL, so that reading too far is seen */
		size_t len = strlen(t[i].text);
		char *exact = malloc(len);
		struct err e = { 0 };
		struct layers l;

		assert_non_null(exact);
		memcpy(exact, t[i].text, len);
		assert_int_equal(layers_parse(&l, exact, len, "s", &e), -EINVAL);
		if (!strstr(e.msg, t[i].msg))
			fail_msg("%zu: %s", i, e.msg);
		free(exact);
	}
}

static void test_too_many(void **state)
{
	size_t cap = LAYERS_BYTES_MAX, n;
	char *text = malloc(cap);
	struct err e = { 0 };
	struct layers l;

	(void)state;
	assert_non_null(text);
	n = (size_t)snprintf(text, cap, HEAD "for s\n");
	for (unsigned i = 0; i <= LAYERS_MAX; i++)
		n += (size_t)snprintf(text + n, cap - n, LEAF);
	assert_int_equal(layers_parse(&l, text, n, "s", &e), -EINVAL);
	assert_non_null(strstr(e.msg, "too many devices"));
	n = (size_t)snprintf(text, cap, HEAD "for s\ndm a -\n");
	for (unsigned i = 0; i <= LAYERS_MAPS_MAX; i++)
		n += (size_t)snprintf(text + n, cap - n, "map %u 1 zero\n", i);
	assert_int_equal(layers_parse(&l, text, n, "s", &e), -EINVAL);
	assert_non_null(strstr(e.msg, "too many maps"));
	assert_int_equal(layers_parse(&l, text, LAYERS_BYTES_MAX + 1, "s", &e), -EINVAL);
	free(text);
}

static int device(void *arg, unsigned n, char *out, size_t cap)
{
	int len = snprintf(out, cap, "254:%u", n);

	(void)arg;
	return n > 7 ? -ENODEV : (size_t)len < cap ? 0 : -ENAMETOOLONG;
}

static void test_args(void **state)
{
	static const struct {
		const char *args, *want;
		int rc;
	} t[] = {
		{ "@0 2048", "254:0 2048", 0 },
		{ "2 128 @1 0 @2 0", "2 128 254:1 0 254:2 0", 0 },
		{ "a@1 @", NULL, -ENODEV },
		{ "a@1 b", "a@1 b", 0 },
		{ "", "", 0 },
		{ "@8 0", NULL, -ENODEV },
		{ "@1 1234567890123456789012345678901234567890", NULL, -ENAMETOOLONG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct layer_map m = { .args = t[i].args, .args_len = strlen(t[i].args) };
		char out[32];

		assert_int_equal(layers_args(&m, device, NULL, out, sizeof(out)), t[i].rc);
		if (!t[i].rc)
			assert_string_equal(out, t[i].want);
	}
}

static void test_dm_pack(void **state)
{
	static const struct dm_line lines[] = {
		{ 0, 100, "linear", "254:1 2048" },
		{ 100, 7, "zero", "" },
	};
	static char huge[DM_TABLE_BYTES_MAX + 2];
	struct dm_line bad = { 0, 1, "linear", huge };
	struct dm_target_spec spec;
	struct dm_ioctl h;
	size_t len;
	u8 *buf;

	(void)state;
	assert_int_equal(dm_pack("name", lines, 2, &buf, &len), 0);
	memcpy(&h, buf, sizeof(h));
	assert_int_equal(h.data_size, len);
	assert_int_equal(h.target_count, 2);
	assert_string_equal(h.name, "name");
	memcpy(&spec, buf + h.data_start, sizeof(spec));
	assert_string_equal((char *)buf + h.data_start + sizeof(spec), "254:1 2048");
	assert_int_equal(spec.next % 8, 0);
	assert_int_equal(h.data_start + 2 * sizeof(spec) + 16 + 8, len);
	memcpy(&spec, buf + h.data_start + spec.next, sizeof(spec));
	assert_int_equal(spec.sector_start, 100);
	assert_string_equal(spec.target_type, "zero");
	free(buf);
	memset(huge, 'x', sizeof(huge) - 1);
	assert_int_equal(dm_pack("name", &bad, 1, &buf, &len), -E2BIG);
	bad = (struct dm_line){ 0, 1, "a-type-that-is-too-long", "" };
	assert_int_equal(dm_pack("name", &bad, 1, &buf, &len), -E2BIG);
}

/* What the kernel gives has next counted from the head's end. */
static void test_dm_next(void **state)
{
	static const struct {
		u32 next;
		const char *args;
		size_t cut; /* bytes after the first line's arguments */
		int rc;
	} t[] = {
		{ 56, "254:0 0", 48, 1 },
		{ 0, "254:0 0", 48, -EINVAL },	     /* goes round */
		{ 1 << 30, "254:0 0", 48, -EINVAL }, /* out of the buffer */
		{ 56, "254:0 0", 0, -EINVAL },	     /* no end of the string */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		size_t at = sizeof(struct dm_ioctl), text = strlen(t[i].args);
		size_t len = at + sizeof(struct dm_target_spec) + text + t[i].cut, off = 0;
		struct dm_target_spec spec = { .length = 9, .next = t[i].next };
		struct dm_table table = { .buf = calloc(1, len), .len = len, .n = 1 };
		struct dm_line line;

		assert_non_null(table.buf);
		strcpy(spec.target_type, "linear");
		memcpy(table.buf + at, &spec, sizeof(spec));
		memcpy(table.buf + at + sizeof(spec), t[i].args, text);
		assert_int_equal(dm_table_next(&table, &off, &line), t[i].rc);
		if (t[i].rc == 1) {
			assert_int_equal(line.length, 9);
			assert_string_equal(line.args, t[i].args);
		}
		dm_table_deinit(&table);
		assert_null(table.buf);
	}
}

static const char *lvm_text(char *buf, size_t cap, const char *pv_id, unsigned extent,
			    unsigned transaction, const char *other)
{
	snprintf(
		buf, cap,
		"vg {\nid = \"x\"\nseqno = %u\nextent_size = 8192\nphysical_volumes {\n"
		"pv0 {\nid = \"%s\"\ndevice = \"/dev/vdb\"\npe_start = 2048\n}\n"
		"pv1 {\nid = \"%s\"\npe_start = 2048\n}\n}\nlogical_volumes {\n%s"
		"crash {\nid = \"" LV_SHOWN "\"\nstatus = [\"READ\", \"}\"]\n"
		"segment1 {\ntype = \"striped\"\ntransaction_id = %u\nstripes = [\n\"pv0\", %u\n]\n"
		"}\n}\n}\n}\n",
		transaction, pv_id, other, *other ? "more {\nid = \"y\"\n}\n" : "", transaction,
		extent);
	return buf;
}

static void test_lvm_digest(void **state)
{
	static const struct {
		const char *pv_id;
		unsigned extent, transaction;
		const char *other;
		bool same;
	} t[] = {
		{ "pv-a", 7, 1, "", true },	{ "pv-a", 7, 2, "", true },
		{ "pv-a", 7, 1, "pv-z", true }, { "pv-a", 8, 1, "", false },
		{ "pv-b", 7, 1, "", false },
	};
	char text[1024], first[LVMMETA_CHECK_BYTES], got[LVMMETA_CHECK_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		lvm_text(text, sizeof(text), t[i].pv_id, t[i].extent, t[i].transaction, t[i].other);
		assert_int_equal(
			lvmmeta_digest(text, strlen(text), "LVM-" VG LV "-tpool", i ? got : first),
			0);
		if (i && (strcmp(got, first) == 0) != t[i].same)
			fail_msg("%zu: %s and %s", i, first, got);
	}
	assert_int_equal(lvmmeta_digest(text, strlen(text), "LVM-" VG VG, got), -ENOENT);
	assert_int_equal(lvmmeta_digest(text, strlen(text), "mpath-x", got), -EINVAL);
	/* cut anywhere: no answer from beyond the end, and none but the right one */
	lvm_text(text, sizeof(text), "pv-a", 7, 1, "");
	for (size_t n = 0, len = strlen(text); n < len; n++) {
		char *cut = malloc(n + 1);

		assert_non_null(cut);
		memcpy(cut, text, n);
		if (lvmmeta_digest(cut, n, "LVM-" VG LV, got) == 0)
			assert_string_equal(got, first);
		free(cut);
	}
}

/* A physical volume with its text in the ring, from sector 8 on; it wraps where wrap is set. */
static void put_le(u8 *p, u64 v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (u8)(v >> (8 * i));
}

static void test_lvm_device(void **state)
{
	static const struct {
		size_t text_at;
		u64 size_said;
		int rc;
	} t[] = {
		{ 512, 0, 0 },		{ 3800, 0, 0 }, /* in two parts */
		{ 100, 0, -EINVAL },			/* in the head */
		{ 4096, 0, -EINVAL },			/* behind the area */
		{ 512, 5000, -EINVAL },			/* longer than the area */
		{ 0, 0, -ENODATA },
	};
	char text[1024], path[] = "/tmp/crashpod-lvm.XXXXXX", want[LVMMETA_CHECK_BYTES];
	char got[LVMMETA_CHECK_BYTES];
	int fd = mkstemp(path);
	size_t len;

	(void)state;
	assert_true(fd >= 0);
	len = strlen(lvm_text(text, sizeof(text), "pv-a", 7, 1, ""));
	assert_int_equal(lvmmeta_digest(text, len, "LVM-" VG LV, want), 0);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		static u8 disk[16384];
		u8 *label = disk + 512, *mda = disk + 4096;

		memset(disk, 0, sizeof(disk));
		memcpy(label, "LABELONE", 8);
		put_le(label + 20, 32, 4);
		memcpy(label + 24, "LVM2 001", 8);
		put_le(label + 72, 1 << 20, 8); /* data, then the end of that list */
		put_le(label + 104, 4096, 8);
		put_le(label + 112, 4096, 8);
		memcpy(mda + 4, " LVM2 x[5A%r0N*>", 16);
		put_le(mda + 24, 4096, 8);
		put_le(mda + 32, 4096, 8);
		put_le(mda + 40, t[i].text_at, 8);
		put_le(mda + 48, t[i].size_said ? t[i].size_said : len, 8);
		for (size_t n = 0; n < len; n++) {
			size_t at = t[i].text_at + n;

			mda[at < 4096 ? at : at - 4096 + 512] = (u8)text[n];
		}
		if (!t[i].text_at) {
			memset(mda + 40, 0, 16);
			memcpy(mda + 4, " LVM2 x[5A%r0N*>", 16);
			put_le(mda + 24, 4096, 8);
			put_le(mda + 32, 4096, 8);
		}
		assert_int_equal(pwrite(fd, disk, sizeof(disk), 0), sizeof(disk));
		assert_int_equal(lvmmeta_check(path, "LVM-" VG LV, got, NULL), t[i].rc);
		if (!t[i].rc)
			assert_string_equal(got, want);
	}
	close(fd);
	unlink(path);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),	   cmocka_unit_test(test_rejects),
		cmocka_unit_test(test_too_many),   cmocka_unit_test(test_args),
		cmocka_unit_test(test_dm_pack),	   cmocka_unit_test(test_dm_next),
		cmocka_unit_test(test_lvm_digest), cmocka_unit_test(test_lvm_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
