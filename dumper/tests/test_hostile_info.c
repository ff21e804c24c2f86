/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dumps of a vmcore whose VMCOREINFO lies. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib_hostile.h"

/* The place of a note's bytes in the file. */
static off_t find_note(size_t *len)
{
	static u8 head[1 << 20];
	int fd = open(hostile.vmcore, O_RDONLY);
	ssize_t n = pread(fd, head, sizeof(head), 0);
	u8 *p = memmem(head, (size_t)n, "VMCOREINFO", 11);
	u32 size;

	close(fd);
	assert_non_null(p);
	memcpy(&size, p - 8, 4);
	*len = size;
	return p + 12 - head;
}

static void write_at(off_t at, const void *data, size_t len)
{
	int fd = open(hostile.vmcore, O_WRONLY);

	assert_int_equal(pwrite(fd, data, len, at), len);
	close(fd);
}

static void test_vmcoreinfo_random(void **state)
{
	u64 x = 1;

	(void)state;
	for (unsigned seed = 0; seed < 24; seed++) {
		char text[8192];
		struct hostile_want w;
		size_t len;
		off_t at;

		hostile_start("small.txt", NULL);
		at = find_note(&len);
		assert_true(len < sizeof(text));
		for (size_t i = 0; i < len; i++) {
			u8 c = (u8)hostile_random(&x);

			/* bytes; letters in lines; the same with an equals sign now and then */
			text[i] = (char)(seed % 3 ? (c < 8 ? '\n' : 'A' + c % 26) : c);
			if (seed % 3 == 2 && c > 250)
				text[i] = '=';
		}
		write_at(at, text, len);
		w = hostile_all_of(
			"everything is dumped: pages cannot be classified: VMCOREINFO: no ");
		hostile_check("random VMCOREINFO", &w);
		golden_close(&hostile.g, &hostile.scratch);
	}
}

static void test_keys_missing(void **state)
{
	static const char *const files[] = { "linux-6.1.txt", "linux-6.12.txt", "linux-7.1.txt" };

	(void)state;
	for (size_t f = 0; f < ARRAY_SIZE(files); f++) {
		bool more = true;

		for (size_t i = 0; more; i++) {
			struct hostile_want w = { ANY, ANY, ANY, ANY, NULL };
			char what[160] = "forget ";
			const char *key;

			hostile_start(files[f], NULL);
			key = mkcore_info_line(hostile.g.mk, i);
			if (key)
				snprintf(what, sizeof(what), "forget %.*s", (int)strcspn(key, "="),
					 key);
			more = key;
			if (more) {
				struct mkcore *mk;
				char dir[256];

				scratch_beside(__FILE__, "golden", dir, sizeof(dir));
				mk = mkcore_load(dir, files[f], what);
				mkcore_write(mk, hostile.vmcore);
				mkcore_free(mk);
				hostile_check(what, &w);
			}
			golden_close(&hostile.g, &hostile.scratch);
		}
	}
}

/* Each number becomes another; in the second round the key comes twice, the lie first. */
static void check_absurd(const char *key, const char *value, bool twice)
{
	struct hostile_want w = { ANY, ANY, ANY, ANY, NULL };
	char what[200], dir[256], line[64];
	struct mkcore *mk;
	size_t len;

	snprintf(what, sizeof(what), "lie %s=%s", key, value);
	scratch_beside(__FILE__, "golden", dir, sizeof(dir));
	mk = mkcore_load(dir, "small.txt", twice ? NULL : what);
	mkcore_write(mk, hostile.vmcore);
	mkcore_free(mk);
	if (twice) {
		static u8 head[1 << 20];
		int fd = open(hostile.vmcore, O_RDWR);
		ssize_t n = pread(fd, head, sizeof(head), 0);
		u8 *p = memmem(head, (size_t)n, "BUILD-ID=", 9);

		/* the line takes the place of one of 49 bytes that nothing needs */
		assert_non_null(p);
		len = (size_t)snprintf(line, sizeof(line), "%s=%s\n", key, value);
		if (len < 47) {
			memset(line + len, 'X', 49 - len);
			line[len + 1] = '=';
			assert_int_equal(pwrite(fd, line, 49, p - head), 49);
		}
		close(fd);
	}
	hostile_check(what, &w);
}

static void test_keys_absurd(void **state)
{
	static const char *const values[] = {
		"0", "-1", "9223372036854775808", "18446744073709551615", "junk", ""
	};
	char keys[64][80];
	size_t n = 0;

	(void)state;
	hostile_start("small.txt", NULL);
	for (const char *line; (line = mkcore_info_line(hostile.g.mk, n)); n++)
		snprintf(keys[n], sizeof(keys[n]), "%.*s", (int)strcspn(line, "="), line);
	for (size_t i = 0; i < n; i++) {
		for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
			check_absurd(keys[i], values[v], false);
			check_absurd(keys[i], values[v], true);
		}
	}
	golden_close(&hostile.g, &hostile.scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_vmcoreinfo_random, hostile_clean),
		cmocka_unit_test_teardown(test_keys_missing, hostile_clean),
		cmocka_unit_test_teardown(test_keys_absurd, hostile_clean),
	};

	return cmocka_run_group_tests(tests, hostile_setup, hostile_teardown);
}
