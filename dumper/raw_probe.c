/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "raw_probe.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/io.h"
#include "raw_fmt.h"

#define SMALL_BYTES ((u64)64 << 20)
#define ENDS_BYTES ((u64)4 << 20)
#define SAMPLES 4096
#define READ_BYTES ((size_t)1 << 20)

static const char *value(blkid_probe pr, const char *key)
{
	const char *v = NULL;

	return blkid_probe_lookup_value(pr, key, &v, NULL) == 0 ? v : NULL;
}

static int probe_known(blkid_probe pr, struct err *e)
{
	const char *type;
	int rc;

	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_MAGIC);
	blkid_probe_enable_partitions(pr, 1);
	blkid_probe_set_partitions_flags(pr, BLKID_PARTS_MAGIC);
	rc = blkid_do_safeprobe(pr);
	if (rc == 1)
		return 0;
	if (rc == -2)
		return err_set(e, -EEXIST, "it holds signs of several file systems");
	if (rc)
		return err_set(e, -EIO, "what it holds cannot be found out");
	type = value(pr, "TYPE");
	if (type)
		return err_set(e, -EEXIST, "it holds a %.40s", type);
	type = value(pr, "PTTYPE");
	return err_set(e, -EEXIST, "it holds a partition table (%.40s)", type ? type : "unknown");
}

static int check_zeros(int fd, u64 from, u64 to, u8 *buf, struct err *e)
{
	while (from < to) {
		size_t n = MIN(READ_BYTES, to - from);
		ssize_t got = io_pread_full(fd, buf, n, from);

		if (got < 0 || (size_t)got != n)
			return err_sys(e, got < 0 ? (int)got : -EIO, "read at %llu",
				       (unsigned long long)from);
		for (size_t i = 0; i < n; i++)
			if (buf[i])
				return err_set(e, -EEXIST, "it holds data: byte %llu is not zero",
					       (unsigned long long)(from + i));
		from += n;
	}
	return 0;
}

static int probe_bytes(int fd, u64 bytes, struct err *e)
{
	_cleanup_free_ u8 *buf = malloc(READ_BYTES);
	u64 step = bytes / SAMPLES / RAW_BLOCK * RAW_BLOCK;
	int rc;

	if (!buf)
		return err_sys(e, -ENOMEM, "read buffer");
	if (io_pread_full(fd, buf, sizeof(RAW_AREA_SIGNATURE), 0) == sizeof(RAW_AREA_SIGNATURE) &&
	    memcmp(buf, RAW_AREA_SIGNATURE, sizeof(RAW_AREA_SIGNATURE)) == 0)
		return err_set(e, -EEXIST, "it holds a crashpod raw area");
	if (bytes <= SMALL_BYTES)
		return check_zeros(fd, 0, bytes, buf, e);
	rc = check_zeros(fd, 0, ENDS_BYTES, buf, e);
	if (!rc)
		rc = check_zeros(fd, bytes - ENDS_BYTES, bytes, buf, e);
	for (u64 at = step; !rc && at < bytes - ENDS_BYTES; at += step)
		rc = check_zeros(fd, at, at + RAW_BLOCK, buf, e);
	return rc;
}

int raw_probe_empty(int fd, u64 bytes, struct err *e)
{
	blkid_probe pr = blkid_new_probe();
	int rc;

	if (!pr)
		return err_sys(e, -ENOMEM, "libblkid");
	if (blkid_probe_set_device(pr, fd, 0, 0))
		rc = err_set(e, -EIO, "libblkid cannot look at it");
	else
		rc = probe_known(pr, e);
	blkid_free_probe(pr);
	return rc ? rc : probe_bytes(fd, bytes, e);
}
