/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is shown of a dump: the facts of its log, the shares of its memory, and that nothing that is
 * in a hostile record or log gets out of its place on a terminal or a page. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../dumper/dump.h"
#include "../../dumper/tests/lib_golden.h"
#include "../../init/tests/tempdir.h"
#include "../figures.h"
#include "../show.h"
#include "made_elf.h"

#define ID "0123456789abcdef0123456789abcdef01234567" /* the golden dump's */

/* frames are joined by blanks. */
static const struct {
	const char *panic, *log;
	double uptime; /* < 0: not known */
	const char *task, *hardware, *rip, *frames;
	unsigned unsure;
} logs[] = {
	{ "Kernel panic - not syncing: sysrq triggered crash",
	  "[    0.000000] DMI: Old name\n"
	  "[   11.844730] sysrq: Trigger a crash\n"
	  "[   11.845440] Kernel panic - not syncing: sysrq triggered crash\n"
	  "[   11.845676] CPU: 1 PID: 132 Comm: sh Kdump: loaded Not tainted 6.1.0 #1\n"
	  "[   11.845960] Hardware name: QEMU, BIOS 1\n"
	  "[   11.846246] Call Trace:\n[   11.846774]  <TASK>\n[   11.846912]  "
	  "dump_stack_lvl+0x44/0x5c\n"
	  "[   11.847264]  ? _printk+0x68/0x83\n[   11.847758]  ksys_write+0x6b/0xf0\n"
	  "[   11.847758] RIP: 0033:0x4b0642\n[   11.847758]  </TASK>\n[   11.9]  after+0x1/0x2\n",
	  11.84544, "CPU: 1 PID: 132 Comm: sh", "QEMU, BIOS 1", "",
	  "dump_stack_lvl+0x44/0x5c ksys_write+0x6b/0xf0", 1 },
	/* an oops: its own trace, not the one of an older warning; who printed is in the stamp */
	{ "BUG: kernel NULL pointer dereference, address: 0000000000000000",
	  "[    3.000000][    T1] WARNING: CPU: 0 PID: 1 at x\n"
	  "[    3.000000][    T1] RIP: 0010:old+0x1/0x2\n"
	  "[    3.100000][    T1] Call Trace:\n[    3.200000][    T1]  old+0x1/0x2\n"
	  "[    3.300000][    T1] ---[ end trace 0 ]---\n"
	  "[   61.000000][  T200] BUG: kernel NULL pointer dereference, address: 0000000000000000\n"
	  "[   61.000001][  T200] Oops: 0002 [#1] SMP\n"
	  "[   61.000002][  T200] CPU: 3 PID: 200 Comm: insmod Tainted: G 6.12\n"
	  "[   61.000003][  T200] RIP: 0010:bad_init+0x5/0x10 [bad]\n"
	  "[   61.000004][  T200] Call Trace:\n[   61.000005][  T200]  <IRQ>\n"
	  "[   61.000005][  T200]  do_one_initcall+0x1/0x2\n[   61.000006][  T200]  </IRQ>\n"
	  "[   61.000007][  T200] ---[ end trace 1 ]---\n"
	  "[   61.000008][  T200] RIP: 0010:bad_init+0x5/0x10 [bad]\n"
	  "[   61.000009][  T200] Kernel panic - not syncing: Fatal exception\n",
	  61, "CPU: 3 PID: 200 Comm: insmod", "", "bad_init+0x5/0x10 [bad]",
	  "<IRQ> do_one_initcall+0x1/0x2 </IRQ>", 0 },
	{ "Kernel panic - not syncing: sysrq triggered crash",
	  "[    7.500000] Kernel panic - not syncing:\n[    7.500000] sysrq triggered crash\n", 7.5,
	  "", "", "", "", 0 },
	{ "Kernel panic - not syncing: x", "no stamp\nKernel panic - not syncing: x", -1, "", "",
	  "", "", 0 },
	{ "", "", -1, "", "", "", "", 0 },
	{ "", "[", -1, "", "", "", "", 0 },
	{ "x", "\n\n[ 5.0] Call Trace:", -1, "", "", "", "", 0 },
};

static void test_log(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
		struct log_facts *f = malloc(sizeof(*f));
		char *log = strdup(logs[i].log), frames[1024] = "";

		log_facts(f, log, logs[i].panic);
		for (unsigned n = 0; n < f->nframes; n++) {
			if (n)
				strcat(frames, " ");
			strcat(frames, f->frames[n].text);
		}
		if (strcmp(frames, logs[i].frames) || strcmp(f->task, logs[i].task) ||
		    strcmp(f->hardware, logs[i].hardware) || strcmp(f->rip, logs[i].rip) ||
		    f->unsure != logs[i].unsure || f->has_uptime != (logs[i].uptime >= 0) ||
		    (f->has_uptime && (f->uptime_s < logs[i].uptime - 0.001 ||
				       f->uptime_s > logs[i].uptime + 0.001)))
			fail_msg("case %zu: '%s' '%s' '%s' '%s' %u %f", i, frames, f->task,
				 f->hardware, f->rip, f->unsure, f->uptime_s);
		free(log);
		free(f);
	}
}

static void test_tail(void **state)
{
	(void)state;
	assert_int_equal(log_tail("", 3), 0);
	assert_int_equal(log_tail("a\nb\nc\n", 1), 4);
	assert_int_equal(log_tail("a\nb\nc\n", 2), 2);
	assert_int_equal(log_tail("a\nb\nc", 2), 2);
	assert_int_equal(log_tail("a\nb\nc", 9), 0);
}

static void test_figures(void **state)
{
	char b[FIGURE_MAX], s[SHOW_SPAN_MAX];

	(void)state;
	assert_string_equal(figure_bytes(b, 0), "0 B");
	assert_string_equal(figure_bytes(b, 1024), "1.0 KiB");
	assert_string_equal(figure_bytes(b, 1048575), "1.0 MiB");
	assert_string_equal(figure_bytes(b, 31674368), "30.2 MiB");
	assert_string_equal(figure_bytes(b, UINT64_MAX), "16.0 EiB");
	assert_string_equal(figure_count(b, 0), "0");
	assert_string_equal(figure_count(b, 999), "999");
	assert_string_equal(figure_count(b, UINT64_MAX), "18,446,744,073,709,551,615");
	assert_string_equal(figure_share(b, 1, 0), "0.0%");
	assert_string_equal(figure_share(b, 1, 10000), "<0.1%");
	assert_string_equal(figure_share(b, UINT64_MAX, 1), "999.0%");
	assert_string_equal(show_span(s, -1), "0.0 s");
	assert_string_equal(show_span(s, 7300), "2 h 1 min");
	assert_string_equal(show_span(s, 864000), "10 days 0 h");
}

#define PAGES(more)                                                                       \
	"{\"dump\": {\"format\": \"kdump\", \"pages\": {\"ram\": 1000, \"dumped\": 100, " \
	"\"zero\": 20, \"duplicate\": 10, \"free\": 850, \"user\": 50" more "}}}"

static void test_composition(void **state)
{
	static const struct {
		const char *record;
		u64 ram, dumped, whole, kept, data;
	} t[] = {
		{ PAGES(""), 1000, 100, 1000, 100, 70 },
		/* what nothing tells of was left out as well */
		{ PAGES(""), 1100, 100, 1100, 100, 70 },
		{ "{}", 1000, 100, 1000, 100, 100 },
		/* sums that contradict themselves, or have no room */
		{ PAGES(", \"unreadable\": 500"), 1000, 100, 1430, 530, 0 },
		{ PAGES(", \"cache\": 18446744073709551615"), 1000, 100, UINT64_MAX, 100, 70 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct dump_entry entry = { .has_pages = true,
					    .ram = t[i].ram,
					    .dumped = t[i].dumped };
		struct composition c;
		struct json_doc doc;
		u64 data = 0;

		assert_int_equal(json_doc_parse(&doc, t[i].record, strlen(t[i].record)), 0);
		composition_make(&c, &entry, &doc);
		for (unsigned n = 0; n < c.n; n++)
			data += strcmp(c.shares[n].key, "data") ? 0 : c.shares[n].pages;
		if (c.whole != t[i].whole || c.kept != t[i].kept || data != t[i].data)
			fail_msg("case %zu: %llu %llu %llu", i, (unsigned long long)c.whole,
				 (unsigned long long)c.kept, (unsigned long long)data);
		json_doc_free(&doc);
	}
}

#define EVIL "<script>alert(1)</script>\\u001b[2J\x1b]0;x\x07\\\" onload='x' & \xc2\x9b\xe2\x80\xae"

static const char evil_record[] =
	"{\"program\": \"crashpod " EVIL "\", \"status\": \"incomplete\", \"reason\": \"" EVIL
	"\", "
	"\"kernel\": \"" EVIL "\", \"panic\": \"" EVIL "\", \"crash_time\": 18446744073709551615, "
	"\"seconds\": -1e308, \"capture\": {\"boot_seconds\": 1e300}, \"notes\": [\"" EVIL
	"\", 7, {}], "
	"\"steps\": [{\"name\": \"" EVIL "\", \"target\": \"" EVIL
	"\", \"start\": 1e308, \"seconds\": "
	"-1e308, \"result\": \"" EVIL "\", \"message\": \"" EVIL "\"}, 5, \"x\", {}], "
	"\"dump\": {\"format\": \"" EVIL "\", \"compression\": \"" EVIL "\", \"level_used\": 31, "
	"\"pages\": {\"ram\": 18446744073709551615, \"dumped\": 18446744073709551615, \"zero\": 9, "
	"\"free\": 18446744073709551615}, \"verify\": {\"depth\": \"" EVIL
	"\", \"result\": \"sound\"}}}";

static void check_plain(const char *text, size_t len, bool colour)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] != '\n' && (text[i] < ' ' || text[i] > '~') && !colour)
			fail_msg("byte %#x in: %.*s", (unsigned char)text[i], 60,
				 text + (i > 30 ? i - 30 : 0));
	assert_null(strstr(text, "[2J\x1b"));
}

static void test_hostile(void **state)
{
	static const char log[] =
		"[    1.0] </pre><script>x</script>\x1b[2J\x9b\n"
		"[    2.0] CPU: 1 PID: 1 Comm: <b>\"'&\n"
		"[    2.0] Hardware name: <i>, BIOS </dd>\n[    2.0] Call Trace:\n"
		"[    2.0]  <TASK>\n[    2.0]  <img src=x onerror=y>+0x1\n";
	struct view *v = calloc(1, sizeof(*v));
	struct show_style style = { 0 };
	char path[200], *text = NULL;
	struct err e = { 0 };
	struct tempdir t;
	size_t len;
	FILE *out;

	(void)state;
	tempdir_open(&t);
	tempdir_mkdir(&t, "202611250149");
	tempdir_puts(&t, "202611250149/dump.202611250149-incomplete", "KDUMP   0123456789");
	tempdir_puts(&t, "202611250149/crashpod.json", evil_record);
	tempdir_write(&t, "202611250149/dmesg.202611250149", log, sizeof(log));
	snprintf(path, sizeof(path), "%s/202611250149", t.path);
	assert_int_equal(view_load(v, path, &e), 0);
	assert_true(v->entry.record && v->log);
	out = open_memstream(&text, &len);
	show_text(out, v, &style);
	assert_int_equal(fclose(out), 0);
	assert_null(strstr(text, "00000000000000"));
	check_plain(text, len, false);
	free(text);
	out = open_memstream(&text, &len);
	show_html(out, v);
	assert_int_equal(fclose(out), 0);
	check_plain(text, len, false);
	for (const char *p = text; (p = strchr(p, '<')); p++)
		if (!strncmp(p, "<script", 7) || !strncmp(p, "<img", 4) || !strncmp(p, "<i>", 3))
			fail_msg("not escaped: %.60s", p);
	assert_non_null(strstr(text, "&lt;script&gt;alert(1)&lt;/script&gt;"));
	assert_non_null(strstr(text, "default-src 'none'"));
	assert_null(strstr(text, "nan"));
	assert_null(strstr(text, "inf\""));
	assert_null(strstr(text, " onload='"));
	free(text);
	view_free(v);
	free(v);
	tempdir_close(&t);
}

/* A dump's directory without anything but a record; a file; a directory without dumps. */
static void test_paths(void **state)
{
	struct view *v = calloc(1, sizeof(*v));
	char path[200];
	struct err e = { 0 };
	struct tempdir t;

	(void)state;
	tempdir_open(&t);
	assert_int_equal(view_load(v, t.path, &e), -ENOENT);
	assert_non_null(strstr(e.msg, "there is no dump"));
	tempdir_mkdir(&t, "202611250149");
	snprintf(path, sizeof(path), "%s/202611250149", t.path);
	assert_int_equal(view_load(v, path, &e), -ENOENT);
	tempdir_puts(&t, "202611250149/crashpod.json",
		     "{\"program\": \"crashpod 1\", \"status\": \"failed\", \"crash_time\": 5}");
	assert_int_equal(view_load(v, t.path, &e), 0);
	assert_false(view_has_dump(v));
	assert_int_equal(v->entry.state, DUMPS_NONE);
	view_free(v);
	snprintf(path, sizeof(path), "%s/none", t.path);
	assert_int_equal(view_load(v, path, &e), -ENOENT);
	free(v);
	tempdir_close(&t);
}

static char *shown(const struct view *v, bool html)
{
	struct show_style style = { 0 };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (html)
		show_html(out, v);
	else
		show_text(out, v, &style);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* The next command is crash where the vmlinux is the dump's; another one is named, not used. */
static void test_next(void **state)
{
	static const struct {
		const char *build_id; /* of the vmlinux that is here, or NULL */
		const char *text, *html, *never;
	} t[] = {
		{ NULL, "none of 6.1.0-test is here", "crashpod vmlinux /", "  crash /" },
		{ ID, "  crash /", "crash /", "crashpod vmlinux" },
		{ "aabb", "mismatch: build-id aabb, the dump's is " ID,
		  "</span>: mismatch: build-id aabb, the dump&#39;s is " ID, "  crash /" },
	};
	struct view *v = calloc(1, sizeof(*v));
	struct dump_stats stats;
	struct scratch scratch;
	struct dump_opts opts;
	struct golden golden = { 0 };
	char path[200];

	(void)state;
	scratch_make(&scratch);
	golden_open(&golden, &scratch, "linux-6.1.txt", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct tempdir dir;

		tempdir_open(&dir);
		tempdir_mkdir(&dir, "202611250149");
		snprintf(path, sizeof(path), "%s/202611250149/dump.202611250149", dir.path);
		dump_opts_init(&opts);
		assert_int_equal(dump_run(golden.core, path, &opts, &stats, NULL), DUMP_COMPLETE);
		if (t[i].build_id)
			put_elf(dir.path, "/usr/lib/debug/boot/vmlinux-6.1.0-test",
				&(struct made){ t[i].build_id, NULL, true, false });
		assert_int_equal(view_load(v, dir.path, NULL), 0);
		snprintf(v->entry.kernel, sizeof(v->entry.kernel), "6.1.0-test");
		view_find_debug(v, dir.path);
		for (int html = 0; html < 2; html++) {
			char *text = shown(v, html);

			if (!strstr(text, html ? t[i].html : t[i].text) ||
			    strstr(text, t[i].never) ||
			    (t[i].build_id && !strstr(text, "boot/vmlinux-6.1.0-test")))
				fail_msg("case %zu: %s", i, strstr(text, "Next") ?: text);
			free(text);
		}
		view_free(v);
		tempdir_close(&dir);
	}
	golden_close(&golden, &scratch);
	scratch_rm(&scratch);
	free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log),	cmocka_unit_test(test_tail),
		cmocka_unit_test(test_figures), cmocka_unit_test(test_composition),
		cmocka_unit_test(test_hostile), cmocka_unit_test(test_paths),
		cmocka_unit_test(test_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
