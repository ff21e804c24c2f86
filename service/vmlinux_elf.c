/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmlinux_elf.c - a file that may be a vmlinux: its build-id, banner, and whether it has debug
 * information. A file of debug information alone (objcopy --only-keep-debug) keeps its notes. */
#include "vmlinux.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/guard.h"
#include "base/io.h"
#include "notes.h"

#define NT_BUILD_ID 3
#define RODATA_BYTES_MAX ((size_t)64 << 20)

const char *const vmlinux_state_names[VMLINUX_STATES] = {
	[VMLINUX_MATCH] = "match",	 [VMLINUX_MISMATCH] = "mismatch",
	[VMLINUX_UNKNOWN] = "unknown",	 [VMLINUX_STRIPPED] = "stripped",
	[VMLINUX_UNUSABLE] = "unusable",
};

/* What a file says of itself. */
struct look {
	const struct vmlinux_id *id;
	char build_id[VMLINUX_TEXT];
	bool debug_info;
	bool banner;	  /* it has one of this release ... */
	bool banner_same; /* ... and of this very build */
};

static void look_notes(struct look *l, const void *buf, size_t len)
{
	struct notes_iter it;
	struct note n;

	notes_begin(&it, buf, len);
	while (!l->build_id[0] && notes_next(&it, &n, NULL) == 1) {
		if (n.type != NT_BUILD_ID || !note_is(&n, "GNU") ||
		    n.desc_len * 2 >= sizeof(l->build_id))
			continue;
		for (size_t i = 0; i < n.desc_len; i++)
			snprintf(l->build_id + 2 * i, 3, "%02x", n.desc[i]);
	}
}

/* One banner, "Linux version REL (who) (compiler) VERSION\n": what may follow the version is a
 * distribution's own signature. */
static void look_banner(struct look *l, const char *text, size_t len)
{
	const char *end = memchr(text, '\n', MIN(len, VMLINUX_BANNER));
	char line[VMLINUX_BANNER], want[VMLINUX_TEXT + 4];
	size_t n = end ? (size_t)(end - text) : 0, release = strlen(l->id->release);

	if (!n || memchr(text, '\0', n) || strncmp(text, l->id->release, release) ||
	    text[release] != ' ')
		return;
	snprintf(line, sizeof(line), "%.*s", (int)n, text);
	l->banner = true;
	snprintf(want, sizeof(want), ") %s", l->id->version);
	if (l->id->version[0] && strstr(line, want)) {
		char after = strstr(line, want)[strlen(want)];

		/* utsname has room for 64 characters */
		l->banner_same |= !after || after == ' ' ||
				  strlen(l->id->version) == VMLINUX_TEXT - 1;
	}
}

static void look_rodata(struct look *l, const char *p, size_t len)
{
	static const char begin[] = "Linux version ";
	const char *at, *end = p + len;

	while ((at = memmem(p, (size_t)(end - p), begin, sizeof(begin) - 1))) {
		p = at + sizeof(begin) - 1;
		look_banner(l, p, (size_t)(end - p));
	}
}

static void look_section(struct look *l, Elf *elf, Elf_Scn *scn, size_t names)
{
	const char *name;
	Elf_Data *d;
	GElf_Shdr sh;

	if (!gelf_getshdr(scn, &sh) || sh.sh_type == SHT_NOBITS || !sh.sh_size)
		return;
	name = elf_strptr(elf, names, sh.sh_name);
	if (!name)
		return;
	if (!strcmp(name, ".debug_info") || !strcmp(name, ".zdebug_info"))
		l->debug_info = true;
	else if (sh.sh_type == SHT_NOTE && (d = elf_rawdata(scn, NULL)) && d->d_buf)
		look_notes(l, d->d_buf, d->d_size);
	else if (!strcmp(name, ".rodata") && !l->id->build_id[0] &&
		 sh.sh_size <= RODATA_BYTES_MAX && (d = elf_rawdata(scn, NULL)) && d->d_buf)
		look_rodata(l, d->d_buf, d->d_size);
}

static bool look_elf(struct look *l, int fd)
{
	Elf_Scn *scn = NULL;
	size_t names;
	Elf *elf;
	bool ok;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	ok = elf && elf_kind(elf) == ELF_K_ELF && !elf_getshdrstrndx(elf, &names);
	while (ok && (scn = elf_nextscn(elf, scn)))
		look_section(l, elf, scn, names);
	elf_end(elf);
	return ok;
}

/* By the build-ids, or where the dump has none by the banners. */
static void judge(struct vmlinux_file *f, const struct look *l)
{
	const struct vmlinux_id *id = l->id;

	f->state = VMLINUX_MATCH;
	if (id->build_id[0] && strcmp(id->build_id, l->build_id) != 0) {
		f->state = VMLINUX_MISMATCH;
		if (l->build_id[0])
			snprintf(f->why, sizeof(f->why), "build-id %s, the dump's is %s",
				 l->build_id, id->build_id);
		else
			snprintf(f->why, sizeof(f->why), "no build-id, the dump's is %s",
				 id->build_id);
	} else if (!id->build_id[0] && !l->banner) {
		f->state = VMLINUX_MISMATCH;
		snprintf(f->why, sizeof(f->why), "not a kernel %s by its banner", id->release);
	} else if (!id->build_id[0] && !id->version[0]) {
		f->state = VMLINUX_UNKNOWN;
		snprintf(f->why, sizeof(f->why),
			 "the same release, but the dump has neither build-id nor version");
	} else if (!id->build_id[0] && !l->banner_same) {
		f->state = VMLINUX_MISMATCH;
		snprintf(f->why, sizeof(f->why), "another build of %s: its banner lacks '%s'",
			 id->release, id->version);
	} else if (!l->debug_info) {
		f->state = VMLINUX_STRIPPED;
		snprintf(f->why, sizeof(f->why), "the same kernel, without debug information");
	}
}

static const char *compression(int fd)
{
	static const struct {
		const char *magic;
		size_t len;
		const char *name;
	} kinds[] = { { "\xfd"
			"7zXZ",
			5, "xz" },
		      { "\x1f\x8b", 2, "gzip" },
		      { "\x28\xb5\x2f\xfd", 4, "zstd" },
		      { "BZh", 3, "bzip2" } };
	char head[8] = "";

	if (io_pread_full(fd, head, sizeof(head), 0) < 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!memcmp(head, kinds[i].magic, kinds[i].len))
			return kinds[i].name;
	return NULL;
}

int vmlinux_file_look(struct vmlinux_file *f, const struct vmlinux_id *id)
{
	_cleanup_close_ int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct look l = { .id = id };
	const char *packed;
	struct stat st;

	f->state = VMLINUX_UNUSABLE;
	f->build_id[0] = f->why[0] = '\0';
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return -ENOENT;
	if (fd < 0 || fstat(fd, &st)) {
		snprintf(f->why, sizeof(f->why), "%s", err_text(errno));
		return 0;
	}
	if (!S_ISREG(st.st_mode))
		return -ENOENT;
	f->dev = st.st_dev;
	f->inode = st.st_ino;
	packed = compression(fd);
	if (packed) {
		snprintf(f->why, sizeof(f->why), "compressed by %s: unpack it", packed);
	} else if (!look_elf(&l, fd)) {
		snprintf(f->why, sizeof(f->why), "not an ELF file with sections");
	} else {
		snprintf(f->build_id, sizeof(f->build_id), "%s", l.build_id);
		judge(f, &l);
	}
	return 0;
}
