/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib_pages.h - the kdump file that the tests of its readers share: one page of each kind, at every
 * edge of three bitmap chunks. */
#ifndef CRASHPOD_TESTS_LIB_PAGES_H
#define CRASHPOD_TESTS_LIB_PAGES_H

#include "../source.h"
#include "lib_kdump.h"

#define PAGES_MAX_PFN 70001

extern const struct test_page pages[];
extern const size_t pages_count;
extern const char pages_vmcoreinfo[];

struct test_kdump pages_make(void);
/* Whether the page's bytes can be had: it is there, and not in a compression that is not read. */
bool pages_holds(const struct test_page *p);
/* Opens it, or fails the test. */
struct source *pages_open(const struct test_file *f, unsigned flags);
/* Every page of the list, newest first so that nothing is in the window's caches. */
void pages_check(struct source *s);
/* msg is in e's message. */
void pages_check_msg(const struct err *e, const char *msg);

#endif
