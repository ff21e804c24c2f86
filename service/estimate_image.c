/* SPDX-License-Identifier: GPL-2.0-or-later */
/* estimate_image.c - how large the capture kernel and its initramfs are, on disk and in memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/guard.h"
#include "base/io.h"
#include "estimate.h"

#define MODULE_RATIO 4 /* loaded to compressed, at the most */
#define INITRD_MAX ((size_t)256 << 20)
#define UNPACKED_MAX ((size_t)1 << 30)
#define UNPACK_GUESS 4 /* times, of a compression that is not known here */

/* Documentation/arch/x86/boot.rst */
#define HDR_MAGIC 0x202
#define HDR_VERSION 0x206
#define HDR_KERNEL_VERSION 0x20e
#define HDR_INIT_SIZE 0x260
#define HDR_END 0x264
#define PROTOCOL_INIT_SIZE 0x20a

int estimate_image_read(struct estimate_image *img, const u8 *head, size_t len, struct err *e)
{
	u16 version, at;
	size_t n = 0;

	memset(img, 0, sizeof(*img));
	if (len < HDR_END || memcmp(head + HDR_MAGIC, "HdrS", 4))
		return err_set(e, -EINVAL, "not a bzImage of x86");
	memcpy(&version, head + HDR_VERSION, 2);
	if (version < PROTOCOL_INIT_SIZE)
		return err_set(e, -EINVAL, "boot protocol %u.%u does not say its size",
			       version >> 8, version & 0xff);
	memcpy(&img->init_size, head + HDR_INIT_SIZE, 4);
	memcpy(&at, head + HDR_KERNEL_VERSION, 2);
	if (at && (size_t)at + 0x200 < len) {
		const char *text = (const char *)head + at + 0x200;
		size_t left = len - at - 0x200;

		while (n < left && n < sizeof(img->release) - 1 && text[n] > ' ' && text[n] < 127)
			n++;
		memcpy(img->release, text, n);
	}
	return 0;
}

/* Grows *buf (of *cap bytes) so that it has room behind len. */
static int grow(u8 **buf, size_t *cap, size_t len)
{
	u8 *more;

	if (len < *cap)
		return 0;
	if (*cap >= UNPACKED_MAX)
		return -EFBIG;
	more = realloc(*buf, *cap * 2);
	if (!more)
		return -ENOMEM;
	*buf = more;
	*cap *= 2;
	return 0;
}

static int unzstd(const u8 *in, size_t len, u8 **buf, size_t *cap, size_t *out)
{
	ZSTD_DStream *ds = ZSTD_createDStream();
	ZSTD_inBuffer from = { in, len, 0 };
	int rc = ds ? 0 : -ENOMEM;
	size_t left = 1;

	*out = 0;
	while (rc == 0 && left) {
		ZSTD_outBuffer to;

		rc = grow(buf, cap, *out);
		if (rc)
			break;
		to = (ZSTD_outBuffer){ *buf, *cap, *out };
		left = ZSTD_decompressStream(ds, &to, &from);
		if (ZSTD_isError(left) || (left && to.pos == *out && from.pos == len))
			rc = -EBADMSG;
		*out = to.pos;
	}
	ZSTD_freeDStream(ds);
	return rc;
}

static int gunzip(const u8 *in, size_t len, u8 **buf, size_t *cap, size_t *out)
{
	z_stream z = { .next_in = (u8 *)in, .avail_in = (uInt)len };
	int rc = inflateInit2(&z, 16 + MAX_WBITS) == Z_OK ? 0 : -ENOMEM, zrc = Z_OK;

	*out = 0;
	while (rc == 0 && zrc != Z_STREAM_END) {
		rc = grow(buf, cap, *out);
		if (rc)
			break;
		z.next_out = *buf + *out;
		z.avail_out = (uInt)(*cap - *out);
		zrc = inflate(&z, Z_NO_FLUSH);
		if (zrc != Z_OK && zrc != Z_STREAM_END)
			rc = -EBADMSG;
		*out = (size_t)(z.next_out - *buf);
	}
	inflateEnd(&z);
	return rc;
}

/* A field of a newc header: eight hexadecimal digits. */
static u64 hex8(const u8 *p)
{
	char text[9];

	memcpy(text, p, 8);
	text[8] = '\0';
	return strtoull(text, NULL, 16);
}

/* What a module has when it is loaded, of a file of size bytes; 0: it is none. */
static u64 module_bytes(const u8 *name, size_t len, u64 size)
{
	const u8 *ko = memmem(name, len, ".ko", 3);

	if (!ko)
		return 0;
	if (ko + 3 == name + len - 1)
		return size;
	return ko[3] == '.' ? size * MODULE_RATIO : 0;
}

/* Adds what the files of a newc archive take: whole pages, as in the kernel's rootfs. */
static void count_cpio(struct estimate_initrd *ird, const u8 *p, size_t len)
{
	for (size_t at = 0; len - at >= 110 && !memcmp(p + at, "0707", 4);) {
		u64 size = hex8(p + at + 54), name = hex8(p + at + 94);
		u64 data = align_up(at + 110 + name, 4);

		if (name > len || data > len || size > len - data)
			return;
		ird->unpacked += align_up(size, PAGE_SIZE);
		ird->modules += module_bytes(p + at + 110, name, size);
		at = align_up(data + size, 4);
		if (at > len)
			return;
	}
}

/* The tables of the kernel's decompressor: zstd's with the window of the frame. */
static u64 zstd_window(const u8 *in, size_t len)
{
	u8 descriptor = len > 5 ? in[5] : 0;
	unsigned exponent = descriptor >> 3, mantissa = descriptor & 7;
	u64 base = (u64)1 << MIN(10 + exponent, 31u);

	/* a single segment has no window descriptor: the window is the content */
	if (len > 4 && in[4] & 0x20)
		return 0;
	return base + base / 8 * mantissa + ((u64)384 << 10);
}

static int unpack(struct estimate_initrd *ird, const u8 *in, size_t len)
{
	size_t cap = (size_t)4 << 20, out = 0;
	_cleanup_free_ u8 *buf = NULL;
	int rc = -ENOTSUP;

	if (len >= 6 && !memcmp(in, "0707", 4)) {
		count_cpio(ird, in, len);
		return 0;
	}
	buf = malloc(cap);
	if (!buf)
		return -ENOMEM;
	if (len >= 4 && !memcmp(in, "\x28\xb5\x2f\xfd", 4)) {
		rc = unzstd(in, len, &buf, &cap, &out);
		ird->window = zstd_window(in, len);
		if (!ird->window)
			ird->window = out + ((u64)384 << 10);
	} else if (len >= 2 && !memcmp(in, "\x1f\x8b", 2)) {
		rc = gunzip(in, len, &buf, &cap, &out);
		ird->window = (u64)64 << 10;
	}
	if (rc == 0)
		count_cpio(ird, buf, out);
	return rc;
}

int estimate_initrd_read(struct estimate_initrd *ird, const char *path, struct err *e)
{
	_cleanup_free_ char *file = NULL;
	size_t len;
	int rc;

	memset(ird, 0, sizeof(*ird));
	rc = io_read_file(path, INITRD_MAX, &file, &len, e);
	if (rc)
		return rc;
	ird->packed = len;
	rc = unpack(ird, (const u8 *)file, len);
	if (rc == -ENOMEM)
		return err_sys(e, rc, "%s", path);
	if (rc) {
		ird->guessed = true;
		ird->unpacked = len * UNPACK_GUESS;
		ird->modules = ird->unpacked;
		ird->window = (u64)8 << 20;
	}
	return 0;
}
