/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../crashkernel.h"
#include "../sha256_int.h"

#define MIB ((u64)1 << 20)

static void test_read(void **state)
{
	static const struct {
		const char *line;
		u64 ram_mib, mib;
		const char *word;
	} t[] = {
		{ "ro quiet", 4096, 0, "" },
		{ "ro crashkernel=128M quiet", 4096, 128, "crashkernel=128M" },
		{ "crashkernel=131072K", 4096, 128, "crashkernel=131072K" },
		{ "crashkernel=1G\n", 4096, 1024, "crashkernel=1G" },
		{ "crashkernel=128M@16M", 4096, 128, "crashkernel=128M@16M" },
		{ "crashkernel=64M crashkernel=96M", 4096, 96, "crashkernel=96M" },
		{ "crashkernel=512M,high crashkernel=72M,low", 4096, 512, "crashkernel=512M,high" },
		{ "crashkernel=100M crashkernel=2G,cma", 4096, 100, "crashkernel=100M" },
		{ "GRUB=\"crashkernel=80M\"", 4096, 80, "crashkernel=80M" },
		{ "# GRUB=\"crashkernel=80M\"\nX=1", 4096, 0, "" },
		{ "crashkernel=1G-4G:192M,4G-64G:256M,64G-:512M", 2048, 192,
		  "crashkernel=1G-4G:192M,4G-64G:256M,64G-:512M" },
		{ "crashkernel=1G-4G:192M,4G-64G:256M,64G-:512M", 4096, 256,
		  "crashkernel=1G-4G:192M,4G-64G:256M,64G-:512M" },
		{ "crashkernel=1G-4G:192M,64G-:512M@16M", 65536, 512,
		  "crashkernel=1G-4G:192M,64G-:512M@16M" },
		{ "crashkernel=1G-4G:192M", 512, 0, "crashkernel=1G-4G:192M" },
		/* not understood is not enough */
		{ "crashkernel=auto", 4096, 0, "crashkernel=auto" },
		{ "crashkernel=12x", 4096, 0, "crashkernel=12x" },
		{ "crashkernel=99999999999999999999T", 4096, 0,
		  "crashkernel=99999999999999999999T" },
		{ "crashkernel=1G-4G", 2048, 0, "crashkernel=1G-4G" },
		{ "nocrashkernel=1G", 4096, 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char word[CRASHKERNEL_WORD];

		assert_int_equal(crashkernel_read(t[i].line, t[i].ram_mib * MIB, word),
				 t[i].mib * MIB);
		assert_string_equal(word, t[i].word);
	}
}

static void test_read_long(void **state)
{
	char line[2 * CRASHKERNEL_WORD], word[CRASHKERNEL_WORD];

	(void)state;
	memset(line, '1', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	memcpy(line, "crashkernel=", 12);
	assert_int_equal(crashkernel_read(line, MIB, word), 0);
	assert_int_equal(strlen(word), CRASHKERNEL_WORD - 1);
}

static void test_replace(void **state)
{
	static const struct {
		const char *line, *out;
	} t[] = {
		{ "", "crashkernel=9M" },
		{ "ro quiet", "ro quiet crashkernel=9M" },
		{ "ro quiet \n", "ro quiet crashkernel=9M \n" },
		{ "X=\"\"", "X=\"crashkernel=9M\"" },
		{ "X=\"quiet\"", "X=\"quiet crashkernel=9M\"" },
		{ "X=\"crashkernel=auto\"", "X=\"crashkernel=9M\"" },
		{ "ro crashkernel=1M quiet", "ro crashkernel=9M quiet" },
		{ "crashkernel=1M,high crashkernel=1M,low", "crashkernel=9M crashkernel=1M,low" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char *out = crashkernel_replace(t[i].line, "crashkernel=9M");

		assert_non_null(out);
		assert_string_equal(out, t[i].out);
		free(out);
	}
}

typedef void blocks_fn(u32 state[static 8], const u8 *p, size_t blocks);

/* In pieces of that many bytes. */
static void sum_by(char sum[static SHA256_TEXT], blocks_fn *blocks, const u8 *p, size_t len,
		   size_t piece)
{
	struct sha256 s;

	sha256_begin(&s);
	s.blocks = blocks;
	for (size_t at = 0; at < len; at += piece)
		sha256_add(&s, p + at, MIN(piece, len - at));
	sha256_end(&s, sum);
}

/* FIPS 180-4's examples, and every length around a block against the same bytes given one by one;
 * in C, and by the CPU where it can. */
static void test_sha256(void **state)
{
	static const struct {
		const char *text, *sum;
	} t[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	static const char million[] =
		"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
	static const size_t pieces[] = { 1, 63, 64, 65, 200, 1000000 };
	blocks_fn *const ways[] = { sha256_blocks_c, sha256_blocks_ni };
	char sum[SHA256_TEXT], again[SHA256_TEXT];
	u8 bytes[290], *as = malloc(1000000);

	(void)state;
	assert_non_null(as);
	memset(as, 'a', 1000000);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (u8)(i * 7 + 3);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		sha256_text(sum, t[i].text, strlen(t[i].text));
		assert_string_equal(sum, t[i].sum);
	}
	for (unsigned way = 0; way < (sha256_has_ni() ? 2 : 1); way++) {
		for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
			sum_by(sum, ways[way], as, 1000000, pieces[i]);
			assert_string_equal(sum, million);
		}
		for (size_t n = 0; n <= sizeof(bytes); n++) {
			sum_by(sum, ways[way], bytes, n, sizeof(bytes));
			sum_by(again, sha256_blocks_c, bytes, n, 1);
			assert_string_equal(sum, again);
		}
	}
	free(as);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_long),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_sha256),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
