/* SPDX-License-Identifier: GPL-2.0-or-later */
/* taker.c - /init in place of crashpod's, which becomes /init-real: while the dump is written,
 * another process takes what is left of the target's room, and then ends. Units:  bytes of the dump
 * after which it does so. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PATH "/target/var/crash"
#define AFTER (28l << 20)
#define TICK_US 5000

static int dump_has_begun(void)
{
	DIR *dir = opendir(PATH);
	struct dirent *d;
	struct stat st;
	char name[600];
	int found = 0;

	while (dir && (d = readdir(dir))) {
		snprintf(name, sizeof(name), PATH "/%s/dump.%s-incomplete", d->d_name, d->d_name);
		found |= stat(name, &st) == 0 && st.st_blocks * 512 > AFTER;
	}
	if (dir)
		closedir(dir);
	return found;
}

/* Smaller and smaller pieces, until there is nothing left. */
static void take_all(void)
{
	int fd = open("/target/taken", O_WRONLY | O_CREAT | O_EXCL, 0600);
	off_t at = 0;

	for (off_t n = 16 << 20; fd >= 0 && n >= 4096;) {
		if (fallocate(fd, 0, at, n) == 0)
			at += n;
		else
			n /= 2;
	}
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	(void)argc;
	if (fork() == 0) {
		while (!dump_has_begun())
			usleep(TICK_US);
		take_all();
		_exit(0);
	}
	execv("/init-real", argv);
	return 1;
}
