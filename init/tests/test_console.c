/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "../../dumper/base/clock.h"
#include "../console.h"

static void test_escape(void **state)
{
	static const struct {
		const char *in;
		bool newlines;
		const char *out;
	} t[] = {
		{ "plain ~ text", false, "plain ~ text" },
		{ "a\nb\tc", false, "a\\x0ab\\x09c" },
		{ "a\nb", true, "a\nb" },
		{ "\x1b[2J\x7f\xff", true, "\\x1b[2J\\x7f\\xff" },
		{ "\x9b\xc2\x9b\xe2\x80\xa8\r", true, "\\x9b\\xc2\\x9b\\xe2\\x80\\xa8\\x0d" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char out[64];
		size_t len;

		assert_int_equal(console_escape(out, sizeof(out), &len, t[i].in, strlen(t[i].in),
						t[i].newlines),
				 strlen(t[i].in));
		assert_string_equal(out, t[i].out);
		assert_int_equal(len, strlen(t[i].out));
	}
}

/* A small buffer takes a part, never half an escape. */
static void test_escape_small(void **state)
{
	char out[10];
	size_t len;

	(void)state;
	assert_int_equal(console_escape(out, sizeof(out), &len, "ab\x01\x02\x03", 5, false), 3);
	assert_string_equal(out, "ab\\x01");
}

static void read_back(int fd, char *buf, size_t cap)
{
	ssize_t n = read(fd, buf, cap - 1);

	assert_true(n >= 0);
	buf[n] = '\0';
}

static void test_say(void **state)
{
	struct console c;
	char buf[4096], longer[3000];
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	console_init(&c);
	console_say(&c, "to nobody");
	c.fd = fd[1];
	console_say(&c, "%d of %s", 3, "x\ny");
	read_back(fd[0], buf, sizeof(buf));
	assert_string_equal(buf, "crashpod: 3 of x\\x0ay\n");

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	console_say(&c, "%s", longer);
	read_back(fd[0], buf, sizeof(buf));
	assert_true(strlen(buf) < 1200);
	assert_int_equal(buf[strlen(buf) - 1], '\n');

	c.kmsg = true;
	console_say(&c, "x");
	read_back(fd[0], buf, sizeof(buf));
	assert_string_equal(buf, "<4>crashpod: x\n");

	console_text(&c, "line 1\nline \x02\n", 14);
	read_back(fd[0], buf, sizeof(buf));
	assert_string_equal(buf, "line 1\nline \\x02\n");
	close(fd[0]);
	close(fd[1]);
}

/* A reader that does not read costs a bounded time. */
static void test_say_never_blocks(void **state)
{
	struct console c;
	char page[4096] = "";
	ssize_t n;
	int fd[2];

	(void)state;
	assert_int_equal(pipe2(fd, O_NONBLOCK), 0);
	console_init(&c);
	c.fd = fd[1];
	alarm(30); /* a hang ends the test */
	while (write(fd[1], page, sizeof(page)) > 0)
		continue;
	c.tardy = false;
	console_say(&c, "lost");
	assert_true(c.tardy);
	alarm(0);
	/* what was not said is not said later in pieces either */
	while ((n = read(fd[0], page, sizeof(page))) > 0)
		assert_null(memchr(page, 'l', (size_t)n));
	close(fd[0]);
	close(fd[1]);
}

/* What is no terminal has nothing to wait for. */
static void test_drain(void **state)
{
	struct console c;
	u64 start = clock_ms();
	int fd[2];

	(void)state;
	console_init(&c);
	console_drain(&c);
	assert_int_equal(pipe(fd), 0);
	c.fd = fd[1];
	console_say(&c, "a line that nobody reads");
	console_drain(&c);
	assert_true(clock_ms() - start < 2000);
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape), cmocka_unit_test(test_escape_small),
		cmocka_unit_test(test_say),    cmocka_unit_test(test_say_never_blocks),
		cmocka_unit_test(test_drain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
