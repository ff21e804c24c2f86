/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "elf_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Where the headers end, or the file. */
static int elf_headers_end(const struct fileview *view, u64 *end, struct err *e)
{
	Elf64_Ehdr eh;
	Elf64_Shdr sh;
	u64 n;
	int rc;

	*end = MIN(view->size, sizeof(eh));
	if (view->size < sizeof(eh))
		return 0;
	rc = fileview_read(view, &eh, sizeof(eh), 0, "ELF header", e);
	if (rc)
		return rc;
	n = eh.e_phnum;
	if (n == PN_XNUM && eh.e_shoff) {
		rc = fileview_read(view, &sh, sizeof(sh), eh.e_shoff, "ELF section header", e);
		if (rc)
			return rc;
		n = sh.sh_info;
		*end = MAX(*end, eh.e_shoff + sizeof(sh));
	}
	if (eh.e_phoff < view->size)
		*end = MAX(*end, MIN(view->size, eh.e_phoff + n * sizeof(Elf64_Phdr)));
	if (*end > ELF_HEADERS_MAX)
		return err_set(e, -E2BIG, "ELF header: %" PRIu64 " bytes of headers", *end);
	return 0;
}

/* libelf takes the size of a file from stat, which has none of a block device. */
static bool elf_reads(const struct fileview *view)
{
	struct stat st;

	return !view->pieces && fstat(view->fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* libelf reads a file or memory: what is in pieces is put together. */
static int elf_image_open(struct elf_file *f, const struct fileview *view, struct err *e)
{
	u64 end;
	int rc = elf_headers_end(view, &end, e);

	if (rc)
		return rc;
	f->image = malloc(end);
	if (!f->image)
		return err_sys(e, -ENOMEM, "ELF header: %" PRIu64 " bytes of headers", end);
	rc = fileview_read(view, f->image, end, 0, "ELF headers", e);
	if (rc)
		return rc;
	f->elf = elf_memory((char *)f->image, end);
	return 0;
}

/* libelf's own codes have no names; errno was 0 before the call. */
static int elf_code(void)
{
	return errno == ENOMEM ? -ENOMEM : -EINVAL;
}

int elf_file_open(struct elf_file *f, const struct fileview *view, struct err *e)
{
	int rc = 0;

	*f = (struct elf_file){ 0 };
	elf_version(EV_CURRENT);
	errno = 0;
	if (elf_reads(view))
		f->elf = elf_begin(view->fd, ELF_C_READ, NULL);
	else
		rc = elf_image_open(f, view, e);
	if (!rc && !f->elf)
		rc = err_set(e, elf_code(), "ELF header: %s", elf_errmsg(-1));
	if (rc)
		elf_file_close(f);
	return rc;
}

void elf_file_close(struct elf_file *f)
{
	elf_end(f->elf);
	free(f->image);
	*f = (struct elf_file){ 0 };
}

int elf_file_phdr(const struct elf_file *f, size_t i, GElf_Phdr *ph, struct err *e)
{
	errno = 0;
	return gelf_getphdr(f->elf, (int)i, ph)
		       ? 0
		       : err_set(e, elf_code(), "phdr %zu: %s", i, elf_errmsg(-1));
}
