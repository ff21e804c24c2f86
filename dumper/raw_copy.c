/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "raw_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/io.h"
#include "base/json.h"
#include "verify.h"

#define COPY_BYTES ((size_t)1 << 20)
#define HOLE_BYTES ((size_t)64 << 10) /* zeros of this many bytes stay a hole */

__attribute__((format(printf, 2, 3))) static void add_said(struct raw_copy *c, const char *fmt, ...)
{
	size_t n = strlen(c->said), cap = sizeof(c->said);
	va_list ap;

	if (n)
		n += (size_t)snprintf(c->said + n, cap - n, "; ");
	if (n >= cap)
		return;
	va_start(ap, fmt);
	vsnprintf(c->said + n, cap - n, fmt, ap);
	va_end(ap);
}

/* A directory of dumps has a record in each: that is how crashpod's own are known. */
static void make_record(struct raw_copy *c, const struct raw_area *a, unsigned slot)
{
	struct json j;

	json_init(&j);
	json_object(&j, NULL);
	json_u64(&j, "version", 1);
	json_string(&j, "program", "crashpod " CRASHPOD_VERSION);
	json_string(&j, "status", raw_slot_state(&a->slots[slot]));
	json_string(&j, "reason", "the record in the raw area is damaged");
	json_u64(&j, "capture_time", (u64)a->slots[slot].h.stamp);
	json_u64(&j, "slot", slot);
	json_u64(&j, "sequence", a->slots[slot].h.seq);
	json_object_end(&j);
	if (json_end(&j)) {
		json_deinit(&j);
		return;
	}
	c->record = j.buf;
	c->record_bytes = j.len;
}

void raw_copy_open(struct raw_copy *c, const struct raw_area *a, unsigned slot)
{
	int rc;

	memset(c, 0, sizeof(*c));
	c->complete = a->slots[slot].h.state == RAW_COMPLETE;
	c->dump_bytes = raw_slot_dump_bytes(a, slot);
	rc = raw_slot_read_record(a, slot, &c->record, &c->record_bytes);
	if (rc) {
		add_said(c, "its record is lost: %s", strerror(-rc));
		make_record(c, a, slot);
	}
}

void raw_copy_close(struct raw_copy *c)
{
	free(c->record);
	c->record = NULL;
}

static int make_file(int dir, const char *name, int *fd, struct err *e)
{
	*fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return *fd < 0 ? err_sys(e, -errno, "%s", name) : 0;
}

static int write_file(int dir, const char *name, const void *buf, size_t len, struct err *e)
{
	_cleanup_close_ int fd = -1;
	int rc = make_file(dir, name, &fd, e);

	if (rc)
		return rc;
	rc = io_write_all(fd, buf, len);
	if (!rc && fsync(fd))
		rc = -errno;
	if (!rc && close(guard_take_fd(fd)))
		rc = -errno;
	return rc ? err_sys(e, rc, "write %s", name) : 0;
}

static bool all_zero(const u8 *p, size_t n)
{
	return n && p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

/* The file has its size already: zeros need not be written. */
static int write_pieces(int fd, const u8 *buf, size_t n, u64 off)
{
	int rc = 0;

	for (size_t at = 0; !rc && at < n; at += HOLE_BYTES) {
		size_t len = MIN(HOLE_BYTES, n - at);

		if (!all_zero(buf + at, len))
			rc = io_pwrite_all(fd, buf + at, len, off + at);
	}
	return rc;
}

static int copy_dump(int fd, const struct raw_area *a, unsigned slot, u64 bytes, struct err *e)
{
	_cleanup_free_ u8 *buf = malloc(COPY_BYTES);
	u64 from = raw_slot_dump_off(a, slot);

	if (!buf)
		return err_sys(e, -ENOMEM, "copy buffer");
	if (ftruncate(fd, (off_t)bytes))
		return err_sys(e, -errno, "size of the dump's copy");
	for (u64 at = 0; at < bytes;) {
		size_t n = MIN(COPY_BYTES, bytes - at);
		ssize_t got = io_pread_full(a->fd, buf, n, from + at);
		int rc;

		if (got < 0 || (size_t)got != n)
			return err_sys(e, got < 0 ? (int)got : -EIO,
				       "read of slot %u at %llu of its dump", slot,
				       (unsigned long long)at);
		rc = write_pieces(fd, buf, n, at);
		if (rc)
			return err_sys(e, rc, "write of the dump's copy");
		posix_fadvise(a->fd, (off_t)(from + at), (off_t)n, POSIX_FADV_DONTNEED);
		at += n;
	}
	return fsync(fd) ? err_sys(e, -errno, "fsync of the dump's copy") : 0;
}

static void take_line(void *arg, const char *line)
{
	struct raw_copy *c = arg;

	if (!c->said[0])
		add_said(c, "verify: %.200s", line);
}

/* Takes fd. */
static int judge(struct raw_copy *c, int fd)
{
	struct verify_ask ask = { .depth = VERIFY_FULL, .line = take_line, .arg = c };
	struct verify_result r;

	/* what is on the disk is to be judged, not what the memory still has of it */
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return verify_fd(&r, fd, &ask);
}

static int copy_and_judge(struct raw_copy *c, const struct raw_area *a, unsigned slot, int dir,
			  const struct naming *names, struct err *e)
{
	char part[sizeof(names->dump) + sizeof(NAMING_INCOMPLETE)];
	_cleanup_close_ int fd = -1;
	int rc;

	snprintf(part, sizeof(part), "%s" NAMING_INCOMPLETE, names->dump);
	rc = make_file(dir, part, &fd, e);
	if (!rc)
		rc = copy_dump(fd, a, slot, c->dump_bytes, e);
	if (rc)
		return rc;
	rc = judge(c, guard_take_fd(fd));
	if (rc == -ENOMEM || rc == -EMFILE || rc == -ENFILE)
		return err_sys(e, rc, "verify");
	/* pages in a compression that is not built in were not made here */
	c->unsound = c->complete && rc && rc != -ENOTSUP;
	if (c->complete && !c->unsound && renameat(dir, part, dir, names->dump))
		return err_sys(e, -errno, "rename %s", part);
	return 0;
}

int raw_copy_files(struct raw_copy *c, const struct raw_area *a, unsigned slot, int dir,
		   const struct naming *names, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int rc = raw_slot_read_dmesg(a, slot, &text, &len);

	if (rc && rc != -ENODATA)
		add_said(c, "its log is lost: %s", strerror(-rc));
	rc = text ? write_file(dir, names->dmesg, text, len, e) : 0;
	if (!rc && c->record)
		rc = write_file(dir, NAMING_RECORD, c->record, c->record_bytes, e);
	if (!rc && c->dump_bytes)
		rc = copy_and_judge(c, a, slot, dir, names, e);
	return rc;
}
