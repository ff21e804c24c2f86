/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crashpod status beside the distribution's kdump: whose capture kernel is loaded, what loads
 * another. */
#include "status_tree.h"

#include <fcntl.h>
#include <time.h>

#include "../kdump.h"

#define WANTS "/etc/systemd/system/basic.target.wants"
#define RULES "/usr/lib/udev/rules.d/" KDUMP_RULES
#define LOADED_AT 1000000

static void enable(const char *root, const char *unit)
{
	char dir[64], path[PATH_MAX];

	snprintf(dir, sizeof(dir), WANTS "/x");
	put(root, &(struct file){ dir, "" });
	assert_int_equal(tree_path(path, root, WANTS "/%s", unit), 0);
	assert_int_equal(symlink("/lib/systemd/system/x", path), 0);
}

static void age(const char *root, const char *file, time_t s)
{
	const struct timespec t[2] = { { .tv_sec = s }, { .tv_sec = s } };
	char path[PATH_MAX];

	assert_int_equal(tree_path(path, root, "%s", file), 0);
	assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

static void test_not_ours(void **state)
{
	char root[] = "/tmp/crashpod-test-XXXXXX";
	struct status s = { 0 };

	(void)state;
	make_tree(root);
	put(root, &(struct file){ "/run/crashpod/loaded", NULL });
	enable(root, "kdump-tools.service");
	status_check(&s, root, KVER);
	has_line(&s, "missing", "is not crashpod's: kdump-tools.service is enabled",
		 "crashpod setup --from-kdump");
	assert_false(status_ready(&s));
	status_free(&s);
	assert_int_equal(remove_tree(root), 0);
}

/* What was loaded after crashpod's is loaded now. */
static void test_loaded_since(void **state)
{
	static const struct {
		const char *conf, *file;
		time_t when;
		bool ready;
	} t[] = {
		{ NULL, "/var/crash/kexec_cmd", LOADED_AT + 1, false },
		{ NULL, "/var/crash/kexec_cmd", LOADED_AT - 1, true },
		{ NULL, "/var/crash/kexec_cmd", (time_t)1 << 40, true },
		{ NULL, "/srv/kexec_cmd", LOADED_AT + 1, true },
		{ "KDUMP_COREDIR=\"/srv\"\n", "/srv/kexec_cmd", LOADED_AT + 1, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char root[] = "/tmp/crashpod-test-XXXXXX";
		struct status s = { 0 };

		make_tree(root);
		age(root, "/run/crashpod/loaded", LOADED_AT);
		if (t[i].conf)
			put(root, &(struct file){ KDUMP_DEBIAN_FILE, t[i].conf });
		put(root, &(struct file){ t[i].file, "kexec -p\n" });
		age(root, t[i].file, t[i].when);
		status_check(&s, root, KVER);
		assert_int_equal(status_ready(&s), t[i].ready);
		if (!t[i].ready)
			has_line(&s, "missing", "kdump-tools has loaded its own capture kernel",
				 "crashpod load --again");
		status_free(&s);
		assert_int_equal(remove_tree(root), 0);
	}
}

static void test_would_load(void **state)
{
	char root[] = "/tmp/crashpod-test-XXXXXX";
	struct status s = { 0 };

	(void)state;
	make_tree(root);
	put(root, &(struct file){ RULES, "rule\n" });
	status_check(&s, root, KVER);
	has_line(&s, "note", "kdump-tools' udev rules load its own", "crashpod setup");
	assert_true(status_ready(&s));
	enable(root, "kdump-tools.service");
	status_check(&s, root, KVER);
	has_line(&s, "missing", "kdump-tools.service is enabled as well",
		 "systemctl disable --now kdump-tools.service");
	assert_false(status_ready(&s));
	/* enabled it may be, and do nothing */
	put(root, &(struct file){ KDUMP_DEBIAN_FILE, "USE_KDUMP=1\nUSE_KDUMP=0\n" });
	status_check(&s, root, KVER);
	assert_true(status_ready(&s));
	enable(root, "kdump.service");
	status_check(&s, root, KVER);
	has_line(&s, "missing", "kdump.service is enabled as well",
		 "systemctl disable --now kdump");

	put(root, &(struct file){ KDUMP_RULES_OVER, "" });
	status_check(&s, root, KVER);
	for (unsigned i = 0; i < s.n; i++)
		assert_null(strstr(s.items[i].text, "udev rules"));
	status_free(&s);
	assert_int_equal(remove_tree(root), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_loaded_since),
		cmocka_unit_test(test_would_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
