/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mapped memory that raises SIGBUS: a file that has become shorter than its mapping. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../core.h"
#include "../dump.h"
#include "../probe.h"
#include "lib_core.h"
#include "lib_scratch.h"

#define PAGES 8
#define GOOD 3 /* of them */

static struct scratch scratch;

/* PAGES pages of which the first GOOD are left. */
static u8 *map_cut(void)
{
	FILE *f = tmpfile();
	u8 *p;

	assert_non_null(f);
	assert_int_equal(ftruncate(fileno(f), PAGES * PAGE_SIZE), 0);
	p = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ, MAP_SHARED, fileno(f), 0);
	assert_true(p != MAP_FAILED);
	assert_int_equal(ftruncate(fileno(f), GOOD * PAGE_SIZE), 0);
	fclose(f);
	return p;
}

static void test_bytes(void **state)
{
	static const struct {
		size_t from, len, good;
	} t[] = {
		{ 0, 0, 0 },
		{ 0, 1, 1 },
		{ 0, GOOD * PAGE_SIZE, GOOD * PAGE_SIZE },
		{ 0, GOOD * PAGE_SIZE + 1, GOOD * PAGE_SIZE },
		{ 0, PAGES * PAGE_SIZE, GOOD * PAGE_SIZE },
		{ 100, PAGES * PAGE_SIZE - 100, GOOD * PAGE_SIZE - 100 },
		/* the last byte lies in a line that begins before the page's end */
		{ GOOD * PAGE_SIZE - 40, 41, 40 },
		{ GOOD * PAGE_SIZE, 8, 0 },
		{ GOOD * PAGE_SIZE + 5, 8, 0 },
	};
	u8 *p = map_cut();

	(void)state;
	assert_int_equal(probe_init(), 0);
	/* twice: the signal is not blocked by the first */
	for (size_t i = 0; i < 2 * ARRAY_SIZE(t); i++)
		assert_int_equal(probe_bytes(p + t[i / 2].from, t[i / 2].len), t[i / 2].good);
	munmap(p, PAGES * PAGE_SIZE);
}

/* A SIGBUS that no probe waits for ends the process, as ever. */
static void test_others(void **state)
{
	u8 *p = map_cut();
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		if (probe_init() || probe_bytes(p, PAGES * PAGE_SIZE) != GOOD * PAGE_SIZE)
			_exit(1);
		_exit(*(volatile u8 *)(p + GOOD * PAGE_SIZE));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGBUS);
	munmap(p, PAGES * PAGE_SIZE);
}

/* A dump goes on past what cannot be read, and counts it. */
static void test_dump(void **state)
{
	static const struct {
		unsigned flags, threads;
	} t[] = { { CORE_MAP, 1 }, { CORE_MAP, 3 }, { CORE_NO_MAP, 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct mkcore *mk = mkcore_make("info OSRELEASE=test\n"
						"ram 0x100000 32K\n"
						"ram 0x200000 256K\n"
						"fill 0x100-0x107 seeds=1\n"
						"fill 0x200-0x23f seeds=1\n",
						NULL, ".");
		char vmcore[256], out[256];
		struct dump_stats st;
		struct dump_opts o;
		struct core *core;
		struct err e = { 0 };

		mkcore_write(mk, scratch_path(&scratch, vmcore, sizeof(vmcore), "vmcore"));
		mkcore_free(mk);
		scratch_path(&scratch, out, sizeof(out), "out");
		assert_int_equal(core_open(&core, vmcore, t[i].flags, &e), 0);
		/* the first begins at 4 KiB of the file, the second behind it; 20 pages stay */
		assert_int_equal(truncate(vmcore, 0x1000 + 20 * PAGE_SIZE), 0);
		dump_opts_init(&o);
		o.threads = t[i].threads;
		assert_int_equal(dump_run(core, out, &o, &st, &e), DUMP_COMPLETE);
		assert_int_equal(st.pages.dumped, 20);
		assert_int_equal(st.pages.unreadable, 8 + 64 - 20);
		assert_non_null(strstr(st.reason, "52 pages could not be read"));
		core_close(core);
		scratch_unlink(&scratch, "out");
	}
}

static int setup(void **state)
{
	(void)state;
	scratch_make(&scratch);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_rm(&scratch);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_dump),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
