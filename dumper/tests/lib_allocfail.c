/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib_allocfail.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define CALLS_MAX 10000

static struct {
	_Atomic bool armed;
	unsigned n; /* the first that fails; 0: none does */
	bool later; /* and all after it */
	_Atomic unsigned calls;
	_Atomic(const char *) failed;
	_Atomic long left;
	int fds; /* before */
} af;

/* What the linker's --wrap=NAME makes of a call, and of what it meant. */
#define WRAP(type, name, ...)            \
	type __real_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__)

static bool fails(const char *name)
{
	const char *none = NULL;
	unsigned call;

	if (!atomic_load(&af.armed))
		return false;
	call = atomic_fetch_add(&af.calls, 1) + 1;
	if (call < af.n || (call > af.n && !af.later))
		return false;
	atomic_compare_exchange_strong(&af.failed, &none, name);
	errno = ENOMEM;
	return true;
}

static void count(long n)
{
	if (atomic_load(&af.armed))
		atomic_fetch_add(&af.left, n);
}

static void *counted(void *p)
{
	count(p ? 1 : 0);
	return p;
}

WRAP(void *, malloc, size_t len)
{
	return fails("malloc") ? NULL : counted(__real_malloc(len));
}

WRAP(void *, calloc, size_t n, size_t len)
{
	return fails("calloc") ? NULL : counted(__real_calloc(n, len));
}

WRAP(void *, realloc, void *old, size_t len)
{
	void *p = fails("realloc") ? NULL : __real_realloc(old, len);

	return old ? p : counted(p);
}

WRAP(void *, reallocarray, void *old, size_t n, size_t len)
{
	void *p = fails("reallocarray") ? NULL : __real_reallocarray(old, n, len);

	return old ? p : counted(p);
}

WRAP(int, posix_memalign, void **p, size_t align, size_t len)
{
	int rc = fails("posix_memalign") ? ENOMEM : __real_posix_memalign(p, align, len);

	count(rc ? 0 : 1);
	return rc;
}

WRAP(char *, strdup, const char *s)
{
	return fails("strdup") ? NULL : counted(__real_strdup(s));
}

WRAP(char *, strndup, const char *s, size_t n)
{
	return fails("strndup") ? NULL : counted(__real_strndup(s, n));
}

int __wrap_asprintf(char **out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
WRAP(int, asprintf, char **out, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (fails("asprintf"))
		return -1;
	va_start(ap, fmt);
	n = vasprintf(out, fmt, ap);
	va_end(ap);
	count(n < 0 ? 0 : 1);
	return n;
}

WRAP(void, free, void *p)
{
	count(p ? -1 : 0);
	__real_free(p);
}

WRAP(void *, mmap, void *at, size_t len, int prot, int flags, int fd, off_t off)
{
	void *p = fails("mmap") ? MAP_FAILED : __real_mmap(at, len, prot, flags, fd, off);

	count(p == MAP_FAILED ? 0 : 1);
	return p;
}

WRAP(int, munmap, void *p, size_t len)
{
	count(-1);
	return __real_munmap(p, len);
}

WRAP(int, pthread_create, pthread_t *t, const pthread_attr_t *a, void *(*fn)(void *), void *arg)
{
	return fails("pthread_create") ? EAGAIN : __real_pthread_create(t, a, fn, arg);
}

WRAP(DIR *, opendir, const char *path)
{
	return fails("opendir") ? NULL : counted(__real_opendir(path));
}

WRAP(DIR *, fdopendir, int fd)
{
	return fails("fdopendir") ? NULL : counted(__real_fdopendir(fd));
}

WRAP(int, closedir, DIR *d)
{
	count(-1);
	return __real_closedir(d);
}

static int count_fds(void)
{
	DIR *d = __real_opendir("/proc/self/fd");
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		__real_closedir(d);
	return n;
}

static void arm(unsigned n, bool later)
{
	af.n = n;
	af.later = later;
	atomic_store(&af.calls, 0);
	atomic_store(&af.failed, NULL);
	atomic_store(&af.left, 0);
	af.fds = count_fds();
	atomic_store(&af.armed, true);
}

unsigned allocfail_each(const char *name, void (*run)(void *arg),
			void (*check)(void *arg, const char *what, bool failed), void *arg)
{
	bool more, later = false;

	for (unsigned n = 1;; n++) {
		char what[160];
		int fds;

		arm(n, later);
		run(arg);
		atomic_store(&af.armed, false);
		more = atomic_load(&af.failed);
		fds = count_fds() - af.fds;
		snprintf(what, sizeof(what), "%s: %s is call %u%s of %u", name,
			 more ? atomic_load(&af.failed) : "none", n, later ? " and later" : "",
			 atomic_load(&af.calls));
		/* fewer than none: of what the C library has allocated */
		if (af.left > 0 || fds)
			fail_msg("%s: %ld allocations and %d files are left", what, af.left, fds);
		check(arg, what, more);
		assert_true(n < CALLS_MAX);
		if (!more && later)
			return n - 1;
		if (!more) {
			later = true;
			n = 0;
		}
	}
}

/* libelf.a of elfutils 0.192, as Debian 13 has it, lacks what it looks up raw chunks with, which
 * nothing here asks for. */
__attribute__((weak)) void eu_search_tree_init(void *tree);
__attribute__((weak)) void eu_search_tree_init(void *tree)
{
	(void)tree;
}

__attribute__((weak)) void eu_search_tree_fini(void *tree, void (*free_node)(void *node));
__attribute__((weak)) void eu_search_tree_fini(void *tree, void (*free_node)(void *node))
{
	(void)tree;
	(void)free_node;
}
