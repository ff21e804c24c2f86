/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../dmesg.h"
#include "lib_kernel.h"

/* Where things lie in the fake kernel. The offsets are no real kernel's, to show that it is the
 * vmcoreinfo that is believed. */
#define PRB_PTR (FAKE_VA + FAKE_FREE)
#define RB (FAKE_VA + 0x5000)
#define DESCS (FAKE_VA + 0x6000)
#define INFOS (FAKE_VA + 0x8000)
#define DATA (FAKE_VA + 0xa000)
#define DESC_SIZE 40
#define INFO_SIZE 96
#define COUNT_BITS 3
#define SIZE_BITS 13

#define PRB_KEYS                                        \
	"OFFSET(printk_ringbuffer.desc_ring)=8\n"       \
	"OFFSET(printk_ringbuffer.text_data_ring)=72\n" \
	"OFFSET(prb_desc_ring.count_bits)=4\n"          \
	"OFFSET(prb_desc_ring.descs)=8\n"               \
	"OFFSET(prb_desc_ring.infos)=24\n"              \
	"OFFSET(prb_desc_ring.head_id)=32\n"            \
	"OFFSET(prb_desc_ring.tail_id)=40\n"            \
	"OFFSET(prb_desc.state_var)=8\n"                \
	"OFFSET(prb_desc.text_blk_lpos)=16\n"           \
	"OFFSET(prb_data_blk_lpos.begin)=0\n"           \
	"OFFSET(prb_data_blk_lpos.next)=8\n"            \
	"SIZE(printk_info)=96\n"                        \
	"OFFSET(printk_info.ts_nsec)=16\n"              \
	"OFFSET(printk_info.text_len)=24\n"             \
	"OFFSET(printk_info.caller_id)=28\n"            \
	"OFFSET(prb_data_ring.size_bits)=4\n"           \
	"OFFSET(prb_data_ring.data)=16\n"               \
	"OFFSET(atomic_long_t.counter)=0\n"
#define PRB_INFO "SYMBOL(prb)=ffffffff80004000\nSIZE(prb_desc)=40\n" PRB_KEYS

#define COMMITTED (1ull << 62)
#define FINALIZED (2ull << 62)
#define REUSABLE (3ull << 62)
#define ID_MASK (~(3ull << 62))

struct rec {
	const char *text; /* NULL: a record without a block of text */
	u64 ts_nsec;
	u64 state;
};

/* Writes the records into the ring with ids from first on, text from position lpos on. */
static struct fake_kernel *prb_make(const char *info, const struct rec *r, size_t n, u64 first,
				    u64 lpos)
{
	struct fake_kernel *fk = fake_kernel_new(info);
	u64 size = 1 << SIZE_BITS;

	fake_put64(fk, PRB_PTR, RB);
	fake_put32(fk, RB + 8 + 4, COUNT_BITS);
	fake_put64(fk, RB + 8 + 8, DESCS);
	fake_put64(fk, RB + 8 + 24, INFOS);
	fake_put64(fk, RB + 8 + 32, (first + n - 1) & ID_MASK);
	fake_put64(fk, RB + 8 + 40, first & ID_MASK);
	fake_put32(fk, RB + 72 + 4, SIZE_BITS);
	fake_put64(fk, RB + 72 + 16, DATA);
	for (size_t i = 0; i < n; i++) {
		u64 id = (first + i) & ID_MASK, slot = id % (1 << COUNT_BITS);
		size_t len = r[i].text ? strlen(r[i].text) : 0;
		u64 block = align_up(8 + len, 8), begin = lpos;

		/* A block that would pass the end of the ring lies at its start. */
		if (begin % size + block > size)
			lpos = align_up(lpos, size);
		if (r[i].text) {
			fake_put64(fk, DATA + lpos % size, id);
			fake_put(fk, DATA + lpos % size + 8, r[i].text, len);
			lpos += block;
		}
		fake_put64(fk, DESCS + slot * DESC_SIZE + 8, id | r[i].state);
		fake_put64(fk, DESCS + slot * DESC_SIZE + 16, r[i].text ? begin : 3);
		fake_put64(fk, DESCS + slot * DESC_SIZE + 24, r[i].text ? lpos : 3);
		fake_put64(fk, INFOS + slot * INFO_SIZE + 16, r[i].ts_nsec);
		fake_put16(fk, INFOS + slot * INFO_SIZE + 24, (u16)len);
		/* always there, whether the kernel prints it or not: not shown */
		fake_put32(fk, INFOS + slot * INFO_SIZE + 28, 0x80000007);
	}
	return fk;
}

static void expect_text(struct fake_kernel *fk, int rc, const char *text, const char *msg)
{
	struct err e = { 0 };
	char *got = NULL;
	size_t len = 0;
	u64 cut = 1;

	assert_int_equal(dmesg_text(&fk->core, 1 << 20, &got, &len, &cut, &e), rc);
	assert_string_equal(got ? got : "", text);
	assert_int_equal(len, strlen(text));
	assert_int_equal(cut, 0);
	if (msg && !strstr(e.msg, msg))
		fail_msg("\"%s\" is not in \"%s\"", msg, e.msg);
	free(got);
	fake_kernel_free(fk);
}

static const struct rec three[] = {
	{ "Linux version", 0, FINALIZED },
	{ "first\nsecond\tx", 1234567890, FINALIZED },
	{ "the end", 100000000000001, COMMITTED },
};
static const char three_text[] = "[    0.000000] Linux version\n"
				 "[    1.234567] first\n"
				 "               second\tx\n"
				 "[100000.000000] the end\n";

static void test_ring(void **state)
{
	(void)state;
	expect_text(prb_make(PRB_INFO, three, 3, 0, 0), 0, three_text, NULL);
	/* Ids and positions wrap, as real ones do soon after boot. */
	expect_text(prb_make(PRB_INFO, three, 3, ID_MASK - 1, -8ull), 0, three_text, NULL);
	/* The second block would pass the end of the ring. */
	expect_text(prb_make(PRB_INFO, three, 3, 6, (1 << SIZE_BITS) - 40), 0, three_text, NULL);
}

static void test_ring_states(void **state)
{
	static const struct rec r[] = {
		{ "gone", 1000, REUSABLE },
		{ "being written", 1000, 0 },
		{ "kept", 1000, FINALIZED },
		{ NULL, 1000, FINALIZED },
		{ "\x1b[31m\\\r\xff", 1000, COMMITTED },
	};

	(void)state;
	expect_text(prb_make(PRB_INFO, r, ARRAY_SIZE(r), 0, 0), 0,
		    "[    0.000001] kept\n\n[    0.000001] \\x1b[31m\\\\x0d\\xff\n", NULL);
}

static void test_ring_long_text(void **state)
{
	char text[3001], want[3100];
	struct rec r = { text, 5000000, FINALIZED };

	(void)state;
	memset(text, 'x', 3000);
	text[3000] = '\0';
	snprintf(want, sizeof(want), "[    0.005000] %s\n", text);
	expect_text(prb_make(PRB_INFO, &r, 1, 0, 0), 0, want, NULL);
}

/* Nothing of a record reaches a terminal as more than text: NUL, ESC, DEL, C1 as a byte and as
 * UTF-8, a line separator, bytes that are no UTF-8. */
static void test_ring_controls(void **state)
{
	static const struct rec r = { "a_b\x1b]0;x\x07\x7f\x9b\xc2\x9b\xe2\x80\xa8\xc0\xaf\b", 0,
				      FINALIZED };
	struct fake_kernel *fk = prb_make(PRB_INFO, &r, 1, 0, 0);

	(void)state;
	fake_put(fk, DATA + 8 + 1, "", 1);
	expect_text(fk, 0,
		    "[    0.000000] a\\x00b\\x1b]0;x\\x07\\x7f\\x9b\\xc2\\x9b\\xe2\\x80\\xa8"
		    "\\xc0\\xaf\\x08\n",
		    NULL);
}

/* One field of a sound ring is overwritten. */
static void test_ring_hostile(void **state)
{
	static const struct {
		u64 va, value;
		int rc;
		const char *text, *msg;
	} t[] = {
		{ PRB_PTR, 0x1000, -EFAULT, "", "printk ring: struct printk_ringbuffer" },
		{ PRB_PTR, FAKE_VA + FAKE_SIZE, -ENXIO, "", "printk_ringbuffer" },
		{ RB + 8 + 4, 40, -EINVAL, "", "printk ring: 2^40 descriptors" },
		{ RB + 8 + 4, 0, -EINVAL, "", "printk ring: 2^0 descriptors" },
		{ RB + 72 + 4, 64, -EINVAL, "", "printk ring: 2^64 bytes of text" },
		/* tail far from head: the ring's 8 descriptors are tried, and the walk ends */
		{ RB + 8 + 40, 0x123456789, 0, three_text, NULL },
		/* a block smaller than its own id */
		{ DESCS + 2 * DESC_SIZE + 24, 54, 0,
		  "[    0.000000] Linux version\n[    1.234567] first\n               second\tx\n"
		  "[100000.000000] \n",
		  NULL },
		/* a state word of another id */
		{ DESCS + DESC_SIZE + 8, FINALIZED | 77, 0,
		  "[    0.000000] Linux version\n[100000.000000] the end\n", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct fake_kernel *fk = prb_make(PRB_INFO, three, 3, 0, 0);

		if (t[i].va == RB + 8 + 4 || t[i].va == RB + 72 + 4)
			fake_put32(fk, t[i].va, (u32)t[i].value);
		else
			fake_put64(fk, t[i].va, t[i].value);
		expect_text(fk, t[i].rc, t[i].text, t[i].msg);
	}
}

/* What can be read is given out, and the failure told. */
static void test_ring_bad_page(void **state)
{
	struct fake_kernel *fk = prb_make(PRB_INFO, three, 3, 0, 0);

	(void)state;
	fk->bad_pfn = (DATA - FAKE_VA) >> PAGE_SHIFT;
	expect_text(fk, -EIO, "[    0.000000] \n[    1.234567] \n[100000.000000] \n",
		    "3 reads of the log failed, the first: read 0xffffffff8000a008: bad page 0xa");
}

static void test_keys(void **state)
{
	static const struct {
		const char *info;
		int rc;
		const char *msg;
	} t[] = {
		{ NULL, -ENOENT, "the log cannot be found: no vmcoreinfo" },
		{ "OSRELEASE=6.1\n", -ENOENT, "neither SYMBOL(prb) nor SYMBOL(log_buf)" },
		{ "SYMBOL(prb)=ffffffff80004000\n" PRB_KEYS, -ENOENT, "SIZE(prb_desc)" },
		{ "SYMBOL(prb)=ffffffff80004000\nSIZE(prb_desc)=5000\n" PRB_KEYS, -EINVAL,
		  "SIZE(prb_desc) is 5000" },
		{ "SYMBOL(prb)=ffffffff80004000\nSIZE(prb_desc)=-1\n" PRB_KEYS, -EINVAL,
		  "SIZE(prb_desc)" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		expect_text(prb_make(t[i].info, three, 3, 0, 0), t[i].rc, "", t[i].msg);
}

#define OLD_SYMBOLS                                                                \
	"SYMBOL(log_buf)=ffffffff80004000\nSYMBOL(log_buf_len)=ffffffff80004008\n" \
	"SYMBOL(log_first_idx)=ffffffff80004010\nSYMBOL(log_next_idx)=ffffffff80004018\n"
#define OLD_INFO                                                                        \
	OLD_SYMBOLS                                                                     \
	"SIZE(printk_log)=16\nOFFSET(printk_log.ts_nsec)=0\nOFFSET(printk_log.len)=8\n" \
	"OFFSET(printk_log.text_len)=10\nOFFSET(printk_log.dict_len)=12\n"
#define OLD_CALLER                                                                      \
	OLD_SYMBOLS                                                                     \
	"SIZE(printk_log)=24\nOFFSET(printk_log.ts_nsec)=0\nOFFSET(printk_log.len)=8\n" \
	"OFFSET(printk_log.text_len)=10\nOFFSET(printk_log.caller_id)=16\n"
#define OLD_BUF_LEN 128

static void old_frame(struct fake_kernel *fk, u32 first, u32 next)
{
	fake_put64(fk, FAKE_VA + 0x4000, DATA);
	fake_put32(fk, FAKE_VA + 0x4008, OLD_BUF_LEN);
	fake_put32(fk, FAKE_VA + 0x4010, first);
	fake_put32(fk, FAKE_VA + 0x4018, next);
}

static void old_put(struct fake_kernel *fk, u32 at, u64 ts_nsec, u16 len, const char *text)
{
	fake_put64(fk, DATA + at, ts_nsec);
	fake_put16(fk, DATA + at + 8, len);
	fake_put16(fk, DATA + at + 10, (u16)strlen(text));
	fake_put(fk, DATA + at + 16, text, strlen(text));
}

/* Two records before the mark at the end of the buffer, one at its start. */
static struct fake_kernel *old_make(const char *info)
{
	struct fake_kernel *fk = fake_kernel_new(info);

	old_frame(fk, 40, 32);
	old_put(fk, 40, 1000000, 24, "one");
	/* a dictionary follows the text and is no part of it */
	fake_put16(fk, DATA + 40 + 12, 5);
	fake_put(fk, DATA + 40 + 16 + 3, "A=dev", 5);
	old_put(fk, 64, 2000000, 32, "two\nlines");
	old_put(fk, 96, 0, 0, "");
	old_put(fk, 0, 3000000, 32, "three");
	return fk;
}

static const char old_text[] = "[    0.001000] one\n[    0.002000] two\n               lines\n"
			       "[    0.003000] three\n";

static void test_old(void **state)
{
	struct fake_kernel *fk;

	(void)state;
	expect_text(old_make(OLD_INFO), 0, old_text, NULL);
	fk = fake_kernel_new(OLD_CALLER);
	old_frame(fk, 0, 32);
	old_put(fk, 0, 4000000, 32, "");
	fake_put16(fk, DATA + 10, 3);
	fake_put32(fk, DATA + 16, 0x80000002);
	fake_put(fk, DATA + 24, "who", 3);
	expect_text(fk, 0, "[    0.004000][    C2] who\n", NULL);
}

static void test_old_hostile(void **state)
{
	static const struct {
		u64 va;
		u16 value;
		const char *text, *msg;
	} t[] = {
		{ DATA + 40 + 8, 8, "", "record at 40 has 8 bytes, 3 of text" },
		{ DATA + 40 + 10, 9, "", "record at 40 has 24 bytes, 9 of text" },
		{ DATA + 64 + 8, 4096, "[    0.001000] one\n", "record at 64 has 4096 bytes" },
		{ DATA + 8, 0, "[    0.001000] one\n[    0.002000] two\n               lines\n",
		  "empty record at 0" },
		{ DATA + 8, 40, old_text, "record passes the end at 32" },
		{ FAKE_VA + 0x4010, 4000, "", "from 4000 to 32 in a buffer of 128" },
		{ FAKE_VA + 0x4008, 4, "", "in a buffer of 4" },
		{ FAKE_VA + 0x4010, 120, "", "record at 120 of 128" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct fake_kernel *fk = old_make(OLD_INFO);

		fake_put16(fk, t[i].va, t[i].value);
		expect_text(fk, -EINVAL, t[i].text, t[i].msg);
	}
}

static void test_keeps_newest(void **state)
{
	struct fake_kernel *fk = prb_make(PRB_INFO, three, 3, 0, 0);
	char *text = NULL;
	size_t len = 0;
	u64 cut = 0;

	(void)state;
	assert_int_equal(dmesg_text(&fk->core, 60, &text, &len, &cut, NULL), 0);
	assert_string_equal(text, "               second\tx\n[100000.000000] the end\n");
	assert_int_equal(cut, strlen(three_text) - strlen(text));
	free(text);
	fake_kernel_free(fk);
}

static int full_sink(void *arg, const char *text, size_t len)
{
	(void)text;
	(void)len;
	return ++*(unsigned *)arg == 2 ? -ENOSPC : 0;
}

static void test_sink_error_ends_it(void **state)
{
	struct fake_kernel *fk = prb_make(PRB_INFO, three, 3, 0, 0);
	struct err e = { 0 };
	unsigned calls = 0;

	(void)state;
	assert_int_equal(dmesg_write(&fk->core, full_sink, &calls, &e), -ENOSPC);
	assert_int_equal(calls, 2);
	assert_string_equal(e.msg, "write the log: No space left on device");
	fake_kernel_free(fk);
}

static void test_panic_line(void **state)
{
	static const struct {
		const char *log, *line;
	} t[] = {
		{ "[    1.0] hello\n", NULL },
		{ "", NULL },
		{ "[    7.5] sysrq: Trigger a crash\n"
		  "[    7.6] Kernel panic - not syncing: sysrq triggered crash\n[    7.7] CPU: 0\n",
		  "Kernel panic - not syncing: sysrq triggered crash" },
		{ "[    1.0] BUG: kernel NULL pointer dereference, address: 0000000000000000\n"
		  "[    1.1] Oops: 0002 [#1] SMP\n"
		  "[    1.2] Kernel panic - not syncing: Fatal exception in interrupt\n",
		  "BUG: kernel NULL pointer dereference, address: 0000000000000000" },
		{ "[    1.0] Kernel panic - not syncing: Fatal exception\n",
		  "Kernel panic - not syncing: Fatal exception" },
		{ "[    1.0][   T12] BUG: first\n[    2.0][    C1] BUG: last", "BUG: last" },
		{ "[    1.0] sysrq: Trigger a crash\n[    1.1] Kernel panic - not syncing:\n"
		  "[    1.2] sysrq triggered crash\n",
		  "Kernel panic - not syncing: sysrq triggered crash" },
		{ "[    1.1] Kernel panic - not syncing:\n", "Kernel panic - not syncing:" },
		{ "[    1.0] a line that tells of BUG: x\n", NULL },
		{ "[    1.0] SysRq : Trigger a crash\n[    1.1] BUG: unable to handle kernel "
		  "NULL\n",
		  "SysRq : Trigger a crash" },
		{ "[    1.0] [BUG: not a stamp]\n[", NULL },
	};
	char line[80], small[8];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		int rc = dmesg_panic_line(t[i].log, strlen(t[i].log), line, sizeof(line));

		assert_int_equal(rc, t[i].line ? 0 : -ENOENT);
		if (t[i].line)
			assert_string_equal(line, t[i].line);
	}
	assert_int_equal(dmesg_panic_line("BUG: abcdef", 11, small, sizeof(small)), 0);
	assert_string_equal(small, "BUG: ab");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_ring_states),
		cmocka_unit_test(test_ring_long_text),
		cmocka_unit_test(test_ring_controls),
		cmocka_unit_test(test_ring_hostile),
		cmocka_unit_test(test_ring_bad_page),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_old),
		cmocka_unit_test(test_old_hostile),
		cmocka_unit_test(test_keeps_newest),
		cmocka_unit_test(test_sink_error_ends_it),
		cmocka_unit_test(test_panic_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
