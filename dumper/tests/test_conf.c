/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../base/conf.h"

struct said {
	char text[4096]; /* lines, each with '\n' */
};

static void collect(void *arg, const char *line)
{
	struct said *s = arg;
	size_t n = strlen(s->text);

	snprintf(s->text + n, sizeof(s->text) - n, "%s\n", line);
}

static void print(const struct conf *c, char *buf, size_t cap)
{
	assert_true(conf_print(c, buf, cap) < cap);
}

/* Each line of want must be among the normalised text; the rest must be the defaults, which is
 * seen from the number of lines. */
static void assert_lines(const struct conf *c, const char *want)
{
	char got[4096] = "\n", one[512];

	print(c, got + 1, sizeof(got) - 1);
	while (*want) {
		size_t n = strcspn(want, "\n");

		snprintf(one, sizeof(one), "\n%.*s\n", (int)n, want);
		if (!strstr(got, one))
			fail_msg("no line '%.*s' in:%s", (int)n, want, got);
		want += n + (want[n] == '\n');
	}
}

static void test_defaults(void **state)
{
	struct conf c;
	char text[1024];

	(void)state;
	conf_defaults(&c);
	print(&c, text, sizeof(text));
	assert_string_equal(text,
			    "path /var/crash\ndump_level 31\nformat kdump\ncompress zstd\n"
			    "threads auto\nverify structure\nnaming debian\nkeep 0\ntimeout 3600\n"
			    "failure_action reboot\nfinal_action reboot\n");
}

static const struct {
	const char *text, *want;
} accepted[] = {
	{ "", "path /var/crash" },
	{ "dump_level 1", "dump_level 1" },
	{ "dump_level\t17\r\n", "dump_level 17" },
	{ "  dump_level   17   # why\n", "dump_level 17" },
	{ "# path /x\n\n#\n \t \n", "path /var/crash" },
	{ "path /a//b/\n", "path /a/b" },
	{ "path /\n", "path /" },
	{ "path /a/b#c\n", "path /a/b#c" },
	{ "path /..a/b..\n", "path /..a/b.." },
	{ "format elf\n", "format elf" },
	{ "compress zstd:3\n", "compress zstd:3" },
	{ "compress zstd:-5\n", "compress zstd:-5" },
	{ "compress zlib:9\n", "compress zlib:9" },
	{ "compress none\n", "compress none" },
	{ "threads 4\n", "threads 4" },
	{ "threads 256\n", "threads 256" },
	{ "threads auto\n", "threads auto" },
	{ "naming rhel\nkeep 5\ntimeout 10\n", "naming rhel\nkeep 5\ntimeout 10" },
	{ "verify none\n", "threads auto\nverify none\nnaming debian" },
	{ "verify full\n", "threads auto\nverify full\nnaming debian" },
	{ "failure_action halt\nfinal_action poweroff\n",
	  "failure_action halt\nfinal_action poweroff" },
	{ "ext4 UUID=0a\nxfs LABEL=my disk\nraw /dev/sda3\nbtrfs PARTLABEL=x y\n"
	  "ext2 PARTUUID=9-1\next3 /dev/vda1\n",
	  "ext4 UUID=0a\nxfs LABEL=my disk\nraw /dev/sda3\nbtrfs PARTLABEL=x y\n"
	  "ext2 PARTUUID=9-1\next3 /dev/vda1" },
	{ "ext4 /dev/disk/by-label/my\\x20disk\nxfs /dev/disk/by-partlabel/x\n",
	  "ext4 /dev/disk/by-label/my\\x20disk\nxfs /dev/disk/by-partlabel/x" },
	{ "core_collector makedumpfile -c -d 17", "compress zlib\ndump_level 17" },
	{ "core_collector /usr/sbin/makedumpfile -zd1 --num-threads 2",
	  "compress zstd\ndump_level 1\nthreads 2" },
	{ "core_collector makedumpfile -E -d31 --num-threads=3 --message-level 7",
	  "format elf\ndump_level 31\nthreads 3" },
	{ "core_collector makedumpfile -cd 3", "compress zlib\ndump_level 3" },
	{ "core_collector makedumpfile", "compress zstd\ndump_level 31" },
};

static void test_accepts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(accepted); i++) {
		struct said s = { "" };
		struct conf c;

		conf_defaults(&c);
		if (conf_parse(&c, accepted[i].text, strlen(accepted[i].text), "f", collect, &s))
			fail_msg("'%s': %s", accepted[i].text, s.text);
		assert_string_equal(s.text, "");
		assert_lines(&c, accepted[i].want);
	}
}

/* Every problem is reported with its line, and changes nothing. */
static const struct {
	const char *text, *msg;
} rejected[] = {
	{ "dump_levle 31", "f:1: unknown directive 'dump_levle'\n" },
	{ "\nnfs host:/x", "f:2: unknown directive 'nfs': network targets" },
	{ "kdump_post /x", "runs no scripts" },
	{ "extra_modules x", "--add-modules" },
	{ "keep", "f:1: keep: a value is missing\n" },
	{ "dump_level 32", "dump_level: 32 is not between 0 and 31" },
	{ "dump_level -1", "dump_level: -1 is not between 0 and 31" },
	{ "dump_level 1x", "'1x' is not a number" },
	{ "dump_level +1", "'+1' is not a number" },
	{ "dump_level 0x1", "'0x1' is not a number" },
	{ "dump_level 99999999999999999999", "is not a number" },
	{ "dump_level 31 17", "is not a number" },
	{ "threads 0", "threads: 0 is not between" },
	{ "threads 257", "threads: 257 is not between 1 and 256" },
	{ "timeout 9", "timeout: 9 is not between 10 and" },
	{ "format lkcd", "'lkcd' is none of kdump, elf" },
	{ "compress lzo", "'lzo' is none of zstd[:N], zlib[:N], none" },
	{ "compress zstd:20", "20 is not between -7 and 19" },
	{ "compress zstd:0", "there is no level 0" },
	{ "compress zlib:", "is not a number" },
	{ "compress zlib:-1", "-1 is not between 1 and 9" },
	{ "compress none:1", "none takes no level" },
	{ "naming suse", "none of debian, rhel" },
	{ "verify deep", "verify: 'deep' is none of none, structure, full" },
	{ "failure_action shell", "'shell' is not supported" },
	{ "failure_action dump_to_rootfs", "'dump_to_rootfs' is not supported" },
	{ "final_action explode", "none of reboot, poweroff, halt" },
	{ "path var/crash", "does not begin with '/'" },
	{ "path /a/../b", "'.' or '..'" },
	{ "path /a/./b", "'.' or '..'" },
	{ "path /..", "'.' or '..'" },
	{ "path /a /", "ends in a blank" },
	{ "path /caf\xc3\xa9", "not printable" },
	{ "ext4 sda1", "is not UUID=, LABEL=" },
	{ "ext4 UUID=", "nothing after UUID=" },
	{ "ext4 UUID=a b", "blanks in" },
	{ "ext4 /dev/", "is not UUID=" },
	{ "ext4 /dev/../etc", "has '..'" },
	{ "ext4 /dev/mapper/..", "has '..'" },
	{ "ext4 /dev/mapper/vg-crash", "f:1: ext4: /dev/mapper/vg-crash: a name that" },
	{ "xfs /dev/dm-0", "may give to another" },
	{ "\next4 /dev/disk/by-id/ata-x-part1", "f:2: ext4: /dev/disk/by-id/ata-x-part1: a link" },
	{ "raw /dev/disk/by-path/pci-0-part1", "the capture kernel has not: use UUID=" },
	{ "raw UUID=1234", "f:1: raw: 'UUID=1234' names a file system: use PARTUUID=" },
	{ "raw /dev/disk/by-label/x", "names a file system: use PARTUUID=" },
	{ "ext4 /dev/disk/by-label/", "nothing after /dev/disk/by-label/" },
	{ "ext4 /dev/disk/by-label/a b", "blanks in" },
	{ "ext4 /dev/disk/by-label/a\\x00b", "is not a link that udev makes" },
	{ "ext4 /dev/disk/by-uuid/a/b", "is not a link that udev makes" },
	{ "minix /dev/vda1", "only ext2 ext3 ext4 xfs btrfs f2fs vfat exfat and raw are targets" },
	{ "ext4 \"LABEL=x\"", "without quotes" },
	{ "ext4 LABEL=\x01", "not printable" },
	{ "ntfs /dev/sda1", "unknown directive 'ntfs'" },
	{ "core_collector cp", "'cp' is not makedumpfile" },
	{ "core_collector makedumpfile -d 99", "core_collector: dump_level: 99 is not" },
	{ "core_collector makedumpfile -d", "-d needs" },
	{ "core_collector makedumpfile -F -d 1", "option '-F' is not known" },
	{ "core_collector makedumpfile --split", "option '--split' is not known" },
	{ "core_collector makedumpfile -c -z", "compress was already set" },
	{ "core_collector makedumpfile vmcore", "option 'vmcore' is not known" },
};

static void test_rejects(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rejected); i++) {
		struct said s = { "" };
		struct conf c, defaults;

		conf_defaults(&c);
		conf_defaults(&defaults);
		assert_int_equal(conf_parse(&c, rejected[i].text, strlen(rejected[i].text), "f",
					    collect, &s),
				 1);
		if (!strstr(s.text, rejected[i].msg))
			fail_msg("'%s' gives '%s', not '%s'", rejected[i].text, s.text,
				 rejected[i].msg);
		assert_memory_equal(&c, &defaults, sizeof(c));
	}
}

static void check_collector(const char *tag, const char *said)
{
	struct said s = { "" };
	struct conf c;
	char text[256];

	conf_defaults(&c);
	c.compress = CONF_COMPRESS_NONE;
	snprintf(text, sizeof(text), "core_collector makedumpfile %s --message-level 7 -d 1", tag);
	assert_int_equal(conf_parse(&c, text, strlen(text), "f", collect, &s), 0);
	assert_string_equal(s.text, said);
	assert_lines(&c, "compress zstd\ndump_level 1");
}

/* What RHEL's own kdump.conf says is taken, and what is done instead is told. */
static void test_notes(void **state)
{
	(void)state;
	check_collector("-l", "f:1: note: core_collector: there is no lzo (-l) here: "
			      "zstd is used\n");
	check_collector("-p", "f:1: note: core_collector: there is no snappy (-p) here: "
			      "zstd is used\n");
}

static void test_duplicates(void **state)
{
	static const char text[] = "keep 1\nkeep 2\ndump_level 3\n"
				   "core_collector makedumpfile -d 5\n"
				   "failure_action halt\nfinal_action halt\n";
	struct said s = { "" };
	struct conf c;

	(void)state;
	conf_defaults(&c);
	assert_int_equal(conf_parse(&c, text, strlen(text), "f", collect, &s), 2);
	assert_string_equal(s.text, "f:2: keep was already set by line 1\n"
				    "f:4: core_collector: dump_level was already set by line 3\n");
	assert_lines(&c, "keep 1\ndump_level 3");
}

static void test_too_many_targets(void **state)
{
	struct said s = { "" };
	struct conf c;
	char text[1024] = "";

	(void)state;
	for (unsigned i = 0; i < CONF_TARGETS_MAX + 2; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "ext4 /dev/x%u\n", i);
	conf_defaults(&c);
	assert_int_equal(conf_parse(&c, text, strlen(text), "f", collect, &s), 2);
	assert_non_null(strstr(s.text, "f:9: ext4: more than 8 targets"));
	assert_int_equal(c.ntargets, CONF_TARGETS_MAX);
}

/* NUL bytes, a line that never ends, a last line without its newline. */
static void test_odd_bytes(void **state)
{
	static const char nul[] = "keep 1\0 2\ntimeout 60";
	size_t len = 100000;
	char *text = test_malloc(len + 8);
	struct said s = { "" };
	struct conf c;

	(void)state;
	conf_defaults(&c);
	assert_int_equal(conf_parse(&c, nul, sizeof(nul) - 1, "f", collect, &s), 1);
	assert_non_null(strstr(s.text, "f:1: the line has bytes that are not printable"));
	assert_lines(&c, "keep 0\ntimeout 60");

	memset(text, 'x', len);
	memcpy(text + len, "\nkeep 7", 7);
	s.text[0] = '\0';
	assert_int_equal(conf_parse(&c, text, len + 7, "f", collect, &s), 1);
	assert_string_equal(s.text, "f:1: the line is too long\n");
	assert_lines(&c, "keep 7");
	test_free(text);
}

/* Paths around the limit, with one part and with a last part of every length. */
static void test_long_paths(void **state)
{
	char text[600];

	(void)state;
	for (size_t len = 200; len < 300; len++) {
		for (size_t slash = len - 12; slash < len; slash++) {
			struct said s = { "" };
			struct conf c;
			unsigned bad;

			memset(text, 'x', sizeof(text));
			memcpy(text, "path /", 6);
			text[5 + slash] = '/';
			conf_defaults(&c);
			bad = conf_parse(&c, text, 5 + len, "f", collect, &s);
			assert_int_equal(bad, len - (slash == len - 1) >= CONF_NAME_MAX);
			assert_true(strlen(c.path) < CONF_NAME_MAX);
			if (bad)
				assert_string_equal(s.text, "f:1: path: longer than 255 bytes\n");
		}
	}
}

static const struct {
	const char *cmdline, *want, *msg;
	unsigned problems;
} words[] = {
	{ "quiet nr_cpus=1 panic=5\n", "ext4 /dev/a\nkeep 3", "", 0 },
	{ "crashpod.keep=9 crashpod.dump_level=1\n", "keep 9\ndump_level 1", "", 0 },
	{ "x crashpod.path=\"/a b/c\" y", "path /a b/c", "", 0 },
	{ "\"crashpod.path=/a b\" crashpod.keep=1", "path /a b\nkeep 1", "", 0 },
	{ "crashpod.xfs=UUID=1 crashpod.raw=/dev/b", "xfs UUID=1\nraw /dev/b", "", 0 },
	{ "crashpod.xfs=\"LABEL=a b\"", "xfs LABEL=a b", "", 0 },
	{ "crashpod.xfs=bad", "ext4 /dev/a", "command line: xfs: 'bad'", 1 },
	{ "crashpod.keep", "keep 3", "command line: keep: a value is missing", 1 },
	{ "crashpod.kepe=1", "keep 3", "command line: unknown directive 'kepe'", 1 },
	{ "crashpod.keep=1 crashpod.keep=2", "keep 1", "keep is set twice", 1 },
	{ "acrashpod.keep=1 crashpodkeep=2", "keep 3", "", 0 },
	{ "crashpod.core_collector=\"makedumpfile -c -d 2\"", "compress zlib\ndump_level 2", "",
	  0 },
	{ "a=\"crashpod.keep=1 crashpod.keep=2", "keep 3", "", 0 },
	{ "crashpod.path=\"/a #b\"", "path /var/crash", "path: '#' after a blank", 1 },
	{ "crashpod.path=#", "path /var/crash", "path: '#' after a blank", 1 },
	{ "crashpod.=1", "keep 3", "unknown directive ''", 1 },
};

static void test_cmdline(void **state)
{
	static const char file[] = "ext4 /dev/a\nkeep 3\n";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct said s = { "" };
		struct conf c;

		conf_defaults(&c);
		assert_int_equal(conf_parse(&c, file, strlen(file), "f", collect, &s), 0);
		assert_int_equal(conf_cmdline(&c, words[i].cmdline, collect, &s),
				 words[i].problems);
		if (!strstr(s.text, words[i].msg) || (!*words[i].msg && *s.text))
			fail_msg("'%s' gives '%s'", words[i].cmdline, s.text);
		assert_lines(&c, words[i].want);
	}
}

/* A target of the command line replaces those of the file. */
static void test_cmdline_replaces_targets(void **state)
{
	static const char file[] = "ext4 /dev/a\next4 /dev/b\n";
	struct conf c;

	(void)state;
	conf_defaults(&c);
	conf_parse(&c, file, strlen(file), "f", NULL, NULL);
	conf_cmdline(&c, "crashpod.xfs=/dev/c crashpod.ext2=/dev/d", NULL, NULL);
	assert_int_equal(c.ntargets, 2);
	assert_string_equal(c.targets[0].device, "/dev/c");
	assert_string_equal(c.targets[1].device, "/dev/d");
}

/* What is printed reads back to the same; a small buffer gets a part and the full size. */
static void test_print_round_trip(void **state)
{
	static const char file[] = "ext4 LABEL=a b\nraw /dev/b\npath /x\ncompress zstd:-3\nkeep 2\n"
				   "threads 7\nnaming rhel\nformat elf\nfinal_action halt\n";
	struct conf c, back;
	char text[1024], small[16];
	size_t n;

	(void)state;
	conf_defaults(&c);
	assert_int_equal(conf_parse(&c, file, strlen(file), "f", NULL, NULL), 0);
	n = conf_print(&c, text, sizeof(text));
	assert_int_equal(n, strlen(text));
	conf_defaults(&back);
	assert_int_equal(conf_parse(&back, text, n, "g", NULL, NULL), 0);
	assert_memory_equal(&c, &back, sizeof(c));
	assert_int_equal(conf_print(&c, small, sizeof(small)), n);
	assert_int_equal(strlen(small), sizeof(small) - 1);
	assert_int_equal(conf_print(&c, NULL, 0), n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_accepts),
		cmocka_unit_test(test_rejects),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_too_many_targets),
		cmocka_unit_test(test_odd_bytes),
		cmocka_unit_test(test_long_paths),
		cmocka_unit_test(test_cmdline),
		cmocka_unit_test(test_cmdline_replaces_targets),
		cmocka_unit_test(test_print_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
