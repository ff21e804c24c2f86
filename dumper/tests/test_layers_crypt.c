/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Encrypted devices in the table of layers: which key, never the key. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../base/layers.h"
#include "../base/layers_crypt.h"

#define DESC "cryptsetup:01234567-89ab-cdef-0123-456789abcdef"
#define KEY ":64:user:" DESC
#define SECRET "00112233445566778899aabbccddeeff"
#define AES "aes-xts-plain64 "

static void test_desc(void **state)
{
	static const struct {
		const char *uuid, *desc; /* NULL: none */
	} t[] = {
		{ "CRYPT-LUKS2-0123456789abcdef0123456789abcdef-secret", DESC },
		{ "CRYPT-LUKS2-0123456789abcdef0123456789abcdef-", DESC },
		{ "CRYPT-LUKS2-0123456789abcdef0123456789abcdef", NULL },
		{ "CRYPT-LUKS2-0123456789abcdef0123456789abcdef0-x", NULL },
		{ "CRYPT-LUKS2-0123456789abcdef0123456789abcde/-x", NULL },
		{ "CRYPT-LUKS2-", NULL },
		{ "CRYPT-LUKS1-0123456789abcdef0123456789abcdef-secret", NULL },
		{ "CRYPT-PLAIN-secret", NULL },
		{ "LVM-x", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		/* exact, so that reading too far is seen */
		char *exact = strdup(t[i].uuid), got[LAYERS_CRYPT_DESC_CAP];

		assert_non_null(exact);
		assert_int_equal(layers_crypt_desc(exact, got), t[i].desc != NULL);
		if (t[i].desc)
			assert_string_equal(got, t[i].desc);
		free(exact);
	}
}

/* Of a table of the running system. */
static void test_args(void **state)
{
	static const struct {
		const char *args, *want, *why;
	} t[] = {
		{ AES ":64:logon:" DESC "-d0 0 254:16 32768", AES KEY " 0 254:16 32768", NULL },
		{ AES ":64:user:x 8 254:16 32768 2 allow_discards sector_size:4096",
		  AES KEY " 8 254:16 32768 2 allow_discards sector_size:4096", NULL },
		{ "capi:xts(aes)-plain64 :64:logon:a:b 0 254:16 0",
		  "capi:xts(aes)-plain64 " KEY " 0 254:16 0", NULL },
		{ AES SECRET " 0 254:16 0", NULL, "its key is in its table" },
		{ AES "- 0 254:16 0", NULL, "its key is in its table" },
		{ AES ":0:logon:a:b 0 254:16 0", NULL, "its key is in its table" },
		{ AES ":257:logon:a:b 0 254:16 0", NULL, "its key is in its table" },
		{ AES ":9999999999:logon:a:b 0 254:16 0", NULL, "its key is in its table" },
		{ AES ":64 0 254:16 0", NULL, "its key is in its table" },
		{ AES ":64:logon:a:b 0 254:16 0 1 integrity:28:aead", NULL, "an option that" },
		{ AES ":64:logon:a:b 0 254:16 0 1 sector_size:", NULL, "an option that" },
		{ AES ":64:logon:a:b 0 254:16 0 2 allow_discards", NULL, "its number of options" },
		{ AES ":64:logon:a:b 0 254:16 0 allow_discards", NULL, "its number of options" },
		{ AES ":64:logon:a:b x 254:16 0", NULL, "not 'CIPHER KEY IV" },
		{ AES ":64:logon:a:b 0 254:16", NULL, "not 'CIPHER KEY IV" },
		{ "aes/xts :64:logon:a:b 0 254:16 0", NULL, "its cipher's name" },
		{ "", NULL, "not 'CIPHER KEY IV" },
		{ "a b c d e f g h i j k l m n o p q r", NULL, "not 'CIPHER KEY IV" },
	};
	char out[160], small[40];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char *exact = strdup(t[i].args);
		const char *why = layers_crypt_args(exact, DESC, out, sizeof(out));

		if (t[i].want ? why != NULL : !why || !strstr(why, t[i].why))
			fail_msg("%zu: %s", i, why ? why : out);
		if (t[i].want)
			assert_string_equal(out, t[i].want);
		/* nobody is told of it */
		if (why)
			assert_null(strstr(why, SECRET));
		free(exact);
	}
	assert_string_equal(layers_crypt_args(t[0].args, DESC, small, sizeof(small)),
			    "its table is too long");
}

/* Of an image. */
static void test_lines(void **state)
{
#define HEAD LAYERS_HEAD "\nfor s\nleaf crypto_LUKS u\ndm a -\nmap 0 8 crypt "
	static const struct {
		const char *text, *msg; /* NULL: taken */
	} t[] = {
		{ HEAD AES KEY " 0 @0 32768\n", NULL },
		{ HEAD AES KEY " 0 @0 32768 1 allow_discards\n", NULL },
		{ HEAD AES SECRET " 0 @0 32768\n", "line 5: a key that is no reference" },
		{ HEAD AES ":64:logon:" DESC " 0 @0 0\n", "line 5: a key that is no reference" },
		{ HEAD AES ":64:user:x:y 0 @0 0\n", "line 5: a key that is no reference" },
		{ HEAD AES ":64:user:" DESC "0 0 @0 0\n", "line 5: a key that is no reference" },
		{ HEAD AES KEY " 0 @1 0\n", "line 5: it maps a device" },
		{ HEAD AES KEY " 0\n", "line 5: not 'CIPHER KEY IV" },
		{ LAYERS_HEAD "\nfor s\ndm a -\nmap 0 8 crypt\n", "line 4: not 'CIPHER KEY IV" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		size_t len = strlen(t[i].text);
		char *exact = malloc(len);
		struct err e = { 0 };
		struct layers l;
		int rc;

		assert_non_null(exact);
		memcpy(exact, t[i].text, len);
		rc = layers_parse(&l, exact, len, "s", &e);
		if (t[i].msg ? rc != -EINVAL || !strstr(e.msg, t[i].msg) : rc != 0)
			fail_msg("%zu: %s", i, e.msg);
		if (!rc) {
			assert_string_equal(l.maps[0].type, LAYERS_CRYPT);
			layers_deinit(&l);
		}
		free(exact);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_desc),
		cmocka_unit_test(test_args),
		cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
