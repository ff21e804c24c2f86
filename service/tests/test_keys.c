/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys of encrypted targets, in a tree that has what sysfs and configfs have. */
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

#include "../../init/tests/tempdir.h"
#include "../keys.h"

#define UUID "01234567-89ab-cdef-0123-456789abcdef"
#define DESC "cryptsetup:" UUID
#define DM_UUID "CRYPT-LUKS2-0123456789abcdef0123456789abcdef-secret"
#define KEYS "sys/kernel/config/crash_dm_crypt_keys"
#define OURS KEYS "/crashpod-" UUID

static int found(const char *desc)
{
	return strcmp(desc, DESC) == 0 ? 0 : -ENOKEY;
}

static int none(const char *desc)
{
	(void)desc;
	return -ENOKEY;
}

#define VOLUME "sys/class/block/dm-1"
#define CRYPT VOLUME "/slaves/dm-0/dm"

/* A volume on an encrypted device; the target is on the volume. offered: by the kernel. */
static void make(struct tempdir *t, const char *dm_uuid, bool offered)
{
	tempdir_open(t);
	tempdir_mkdir(t, "etc");
	tempdir_mkdir(t, "dev/disk/by-uuid");
	assert_int_equal(symlinkat("../../dm-1", t->fd, "dev/disk/by-uuid/12-34"), 0);
	tempdir_mkdir(t, VOLUME "/dm");
	tempdir_mkdir(t, CRYPT);
	tempdir_puts(t, VOLUME "/dm/uuid", "LVM-x\n");
	tempdir_puts(t, CRYPT "/uuid", dm_uuid);
	tempdir_puts(t, CRYPT "/name", "secret\n");
	tempdir_puts(t, "dev/dm-1", "");
	tempdir_puts(t, "etc/crashpod.conf", "ext4 UUID=12-34\next4 UUID=56-78\n");
	if (offered)
		tempdir_mkdir(t, KEYS);
}

static void test_check(void **state)
{
	static const struct {
		const char *uuid;
		bool offered;
		int (*find)(const char *desc);
		int rc;
		const char *msg;
	} t[] = {
		{ DM_UUID "\n", true, found, 0, "" },
		{ DM_UUID "\n", false, found, -ENOSYS,
		  "secret is encrypted, and this kernel cannot hand its key" },
		{ "CRYPT-LUKS1-0123456789abcdef0123456789abcdef-x\n", true, found, -ENOTSUP,
		  "secret is encrypted, and not as LUKS2" },
		{ DM_UUID "\n", true, none, -ENOKEY,
		  "secret: no key " DESC " in root's keyring (Required key not available): add "
		  "link-volume-key=@u::%logon:" DESC " to its options in /etc/crypttab" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct encrypted_list l;
		char node[128], desc[48];
		struct err e = { 0 };
		struct tempdir d;

		make(&d, t[i].uuid, t[i].offered);
		snprintf(node, sizeof(node), "%s/dev/dm-1", d.path);
		encrypted_below_node(&l, d.path, node);
		assert_int_equal(l.n, 1);
		assert_string_equal(l.found[0].name, "secret");
		assert_int_equal(keys_check(desc, d.path, &l.found[0], t[i].find, &e), t[i].rc);
		if (!strstr(e.msg, t[i].msg))
			fail_msg("%zu: %s", i, e.msg);
		if (!t[i].rc)
			assert_string_equal(desc, DESC);
		tempdir_close(&d);
	}
}

static void collect(void *arg, const char *line)
{
	char *said = arg;

	strncat(said, line, 1000 - strlen(said));
	strcat(said, "\n");
}

/* The file that configfs makes in a new entry has to be there before, here. */
static void entry(struct tempdir *d, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), KEYS "/%s", name);
	tempdir_mkdir(d, path);
	strcat(path, "/description");
	tempdir_puts(d, path, "");
}

static void test_hand_over(void **state)
{
	static char said[1024];
	struct tempdir d;

	(void)state;
	make(&d, DM_UUID "\n", true);
	entry(&d, "crashpod-" UUID);
	tempdir_mkdir(&d, KEYS "/crashpod-of-before");
	tempdir_mkdir(&d, KEYS "/another-program");
	assert_false(keys_are_named(d.path, DESC));
	said[0] = '\0';
	keys_hand_over(d.path, found, collect, said);
	assert_string_equal(said, "");
	assert_true(keys_are_named(d.path, DESC));
	assert_false(tempdir_has(&d, KEYS "/crashpod-of-before"));
	assert_true(tempdir_has(&d, KEYS "/another-program"));
	/* the kernel's own directories go with what is in them */
	assert_int_equal(unlinkat(d.fd, OURS "/description", 0), 0);
	keys_take_back(d.path);
	assert_false(tempdir_has(&d, OURS));
	assert_true(tempdir_has(&d, KEYS "/another-program"));
	tempdir_close(&d);
}

static void test_not_handed_over(void **state)
{
	static char said[1024];
	struct tempdir d;

	(void)state;
	make(&d, DM_UUID "\n", true);
	tempdir_mkdir(&d, OURS);
	said[0] = '\0';
	keys_hand_over(d.path, none, collect, said);
	assert_non_null(strstr(said, "UUID=12-34 takes no dump: secret: no key " DESC));
	/* with it the kernel would load nothing */
	assert_false(tempdir_has(&d, OURS));
	/* no entry is left without a description */
	said[0] = '\0';
	keys_hand_over(d.path, found, collect, said);
	assert_non_null(strstr(said, OURS "/description: No such file"));
	assert_false(tempdir_has(&d, OURS));
	tempdir_close(&d);
	/* where nothing is encrypted nothing is said */
	make(&d, "LVM-y\n", false);
	said[0] = '\0';
	keys_hand_over(d.path, none, collect, said);
	assert_string_equal(said, "");
	tempdir_close(&d);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_hand_over),
		cmocka_unit_test(test_not_handed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
