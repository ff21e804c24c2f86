/* SPDX-License-Identifier: GPL-2.0-or-later */
/* made_elf.h - ELF files as a vmlinux is, as far as `crashpod vmlinux` looks at it.
 * Errors: the test fails (cmocka). */
#ifndef CRASHPOD_TESTS_MADE_ELF_H
#define CRASHPOD_TESTS_MADE_ELF_H

#include <elf.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../tree.h"

#define MADE_RELEASE "6.1.0-50-cloud-amd64" /* of the first banner */

/* What a made-up ELF file holds. */
struct made {
	const char *build_id; /* hex, or NULL: no note */
	const char *banner;   /* of .rodata, or NULL */
	bool debug;
	bool cut; /* the build-id's note says more than there is */
};

static inline size_t put_note(u8 *to, const struct made *m)
{
	size_t n = strlen(m->build_id) / 2;
	/* a note of another kind comes first, as in a kernel */
	Elf64_Nhdr other = { .n_namesz = 6, .n_descsz = 4, .n_type = 257 };
	Elf64_Nhdr nh = { .n_namesz = 4, .n_descsz = m->cut ? 4000 : n, .n_type = 3 };
	u8 *p = to;

	memcpy(p, &other, sizeof(other));
	memcpy(p + sizeof(other), "Linux\0\0\0\0\0\0\0", 12);
	p += sizeof(other) + 12;
	memcpy(p, &nh, sizeof(nh));
	memcpy(p + sizeof(nh), "GNU", 4);
	p += sizeof(nh) + 4;
	for (size_t i = 0; i < n; i++) {
		unsigned byte;

		sscanf(m->build_id + 2 * i, "%2x", &byte);
		*p++ = (u8)byte;
	}
	return (size_t)(p - to);
}

/* ELF header, contents, section headers: null, names, .notes, .rodata, .debug_info. */
static inline size_t make_elf(u8 buf[static 8192], const struct made *m)
{
	static const char names[] = "\0.shstrtab\0.notes\0.rodata\0.debug_info";
	static const u32 name_at[] = { 0, 1, 11, 18, 26 };
	Elf64_Ehdr eh = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			  .e_type = ET_EXEC,
			  .e_machine = EM_X86_64,
			  .e_version = EV_CURRENT,
			  .e_ehsize = sizeof(eh),
			  .e_shentsize = sizeof(Elf64_Shdr),
			  .e_shnum = 5,
			  .e_shstrndx = 1,
			  .e_shoff = 4096 };
	Elf64_Shdr sh[5] = { { 0 } };
	size_t at = sizeof(eh);

	memset(buf, 0, 8192);
	for (int i = 1; i < 5; i++)
		sh[i] = (Elf64_Shdr){ .sh_name = name_at[i],
				      .sh_type = SHT_PROGBITS,
				      .sh_addralign = 1 };
	sh[1].sh_type = SHT_STRTAB;
	sh[1].sh_offset = at;
	sh[1].sh_size = sizeof(names);
	memcpy(buf + at, names, sizeof(names));
	at = 256;
	sh[2].sh_type = SHT_NOTE;
	sh[2].sh_offset = at;
	sh[2].sh_addralign = 4;
	if (m->build_id)
		sh[2].sh_size = put_note(buf + at, m);
	at = 1024;
	sh[3].sh_offset = at;
	sh[3].sh_size = 2048;
	/* a first banner has no number yet, as in a kernel */
	if (m->banner)
		snprintf((char *)buf + at, 2048,
			 "x%cLinux version " MADE_RELEASE " (a) (b) # SMP\n%c%s", 0, 0, m->banner);
	if (m->banner)
		memcpy(buf + at + 600, m->banner, strlen(m->banner) + 1);
	if (!m->banner)
		sh[3].sh_type = SHT_NOBITS;
	sh[4].sh_type = m->debug ? SHT_PROGBITS : SHT_NOBITS;
	sh[4].sh_offset = 3500;
	sh[4].sh_size = 100;
	memcpy(buf, &eh, sizeof(eh));
	memcpy(buf + 4096, sh, sizeof(sh));
	return 4096 + sizeof(sh);
}

static inline void put_bytes(const char *root, const char *name, const void *bytes, size_t len)
{
	char path[PATH_MAX];
	FILE *f;

	assert_int_equal(tree_path(path, root, "%s", name), 0);
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		mkdir(path, 0755);
		*p = '/';
	}
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	fclose(f);
}

static inline void put_elf(const char *root, const char *name, const struct made *m)
{
	u8 buf[8192];
	size_t n = make_elf(buf, m);

	put_bytes(root, name, buf, n);
}

#endif
