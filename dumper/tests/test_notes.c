/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../notes.h"

/* A note as its header says it is, and as it is. */
struct piece {
	u32 namesz, descsz, type;
	const char *name; /* padded to 4 bytes */
	const char *desc;
};

static size_t build(u8 *to, const struct piece *p, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		u32 head[3] = { p[i].namesz, p[i].descsz, p[i].type };

		memcpy(to + at, head, sizeof(head));
		at += sizeof(head);
		if (p[i].name) {
			memcpy(to + at, p[i].name, strlen(p[i].name));
			at += align_up(strlen(p[i].name) + 1, 4);
		}
		if (p[i].desc) {
			memcpy(to + at, p[i].desc, strlen(p[i].desc));
			at += align_up(strlen(p[i].desc), 4);
		}
	}
	return at;
}

static void test_walk(void **state)
{
	static const struct piece p[] = {
		{ 5, 6, 1, "CORE", "first!" },
		{ 11, 4, 0, "VMCOREINFO", "A=B\n" },
		/* a name without its NUL, and no name */
		{ 3, 4, 9, "ABC", "data" },
		{ 0, 4, 7, NULL, "none" },
		{ 5, 0, 1, "CORE", NULL },
		{ 5, 4, 2, "CORE", "regs" },
	};
	u8 buf[512] = { 0 };
	size_t len = build(buf, p, ARRAY_SIZE(p)), seen = 0;
	struct notes_iter it;
	struct note n;

	(void)state;
	notes_begin(&it, buf, len);
	while (notes_next(&it, &n, NULL) == 1) {
		assert_int_equal(n.type, p[seen].type);
		assert_int_equal(n.desc_len, p[seen].descsz);
		assert_ptr_equal(n.desc, buf + n.desc_off);
		if (p[seen].desc)
			assert_memory_equal(n.desc, p[seen].desc, n.desc_len);
		seen++;
	}
	assert_int_equal(seen, ARRAY_SIZE(p));
	assert_int_equal(notes_count_prstatus(buf, len), 2);
	assert_int_equal(notes_find(buf, len, "VMCOREINFO", &n, NULL), 1);
	assert_memory_equal(n.desc, "A=B\n", 4);
	assert_int_equal(notes_find(buf, len, "ABC", &n, NULL), 1);
	assert_int_equal(notes_find(buf, len, "AB", &n, NULL), 0);
	assert_int_equal(notes_find(buf, len, "COREX", &n, NULL), 0);
	/* the kernel's padding after the last one ends the walk */
	assert_int_equal(notes_find(buf, sizeof(buf), "NONE", &n, NULL), 0);
}

static void test_hostile(void **state)
{
	static const struct {
		struct piece p;
		size_t len; /* of the notes */
		int rc;
		const char *msg;
	} t[] = {
		{ { 5, 4, 1, "CORE", "data" }, 0, 0, "" },
		{ { 5, 4, 1, "CORE", "data" }, 11, 0, "" },
		{ { 5, 4, 1, "CORE", "data" },
		  12,
		  -EINVAL,
		  "ELF note at 0: name of 5 bytes, 0 left" },
		{ { 5, 4, 1, "CORE", "data" },
		  19,
		  -EINVAL,
		  "ELF note at 0: name of 5 bytes, 7 left" },
		{ { 5, 4, 1, "CORE", "data" },
		  23,
		  -EINVAL,
		  "ELF note at 0: 4 bytes of data, 3 left" },
		{ { 5, 4, 1, "CORE", "data" }, 24, 1, "" },
		/* data whose padding is not there */
		{ { 5, 3, 1, "CORE", "dat" }, 23, 1, "" },
		{ { 0xffffffff, 4, 1, "CORE", "data" },
		  24,
		  -EINVAL,
		  "ELF note at 0: name of 4294967295 bytes, 12 left" },
		{ { 0xfffffffd, 4, 1, "CORE", "data" },
		  24,
		  -EINVAL,
		  "ELF note at 0: name of 4294967293 bytes, 12 left" },
		{ { 5, 0xffffffff, 1, "CORE", "data" },
		  24,
		  -EINVAL,
		  "ELF note at 0: 4294967295 bytes of data, 4 left" },
		{ { 5, 0xfffffffc, 1, "CORE", "data" },
		  24,
		  -EINVAL,
		  "ELF note at 0: 4294967292 bytes of data, 4 left" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		u8 all[64] = { 0 }, *buf = malloc(t[i].len ? t[i].len : 1);
		struct notes_iter it;
		struct err e = { 0 };
		struct note n;

		/* buf is exactly as long as it is said to be: ASan sees a read past it */
		build(all, &t[i].p, 1);
		memcpy(buf, all, t[i].len);
		notes_begin(&it, buf, t[i].len);
		assert_int_equal(notes_next(&it, &n, &e), t[i].rc);
		assert_string_equal(e.msg, t[i].msg);
		if (t[i].rc == 1)
			assert_int_equal(notes_next(&it, &n, &e), 0);
		notes_count_prstatus(buf, t[i].len);
		free(buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_walk),
					    cmocka_unit_test(test_hostile) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
