/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolve.h - from a device's name (conf_device.h) to a block device. There is no udev in the
 * ramdisk, so no /dev/disk: devices are probed, partition tables are read. The command asks here
 * too where udev has made no links.
 * (The kernel tells a partition's name in its uevent file since 4.6, but its UUID only in
 * newer versions, so that both are read from the disk.)
 * In:     disks are hostile; libblkid's probers read them.
 * Errors: -ENOENT: no such device yet; -EINVAL: spec is none of these forms; -ENAMETOOLONG. */
#ifndef CRASHPOD_RESOLVE_H
#define CRASHPOD_RESOLVE_H

#include "err.h"
#include "types.h"

struct resolve_roots {
	const char *sys; /* "/sys" */
	const char *dev; /* "/dev" */
	/* asked before a device is read, by its name in sysfs: false passes over it; may be NULL */
	bool (*probe)(void *arg, const char *name);
	void *arg;
};

/* Writes the device's path to out. Where several devices match (paths to one disk, or a clone) it
 * is the first in the order of names. */
int resolve_device(const struct resolve_roots *r, const char *spec, char *out, size_t cap,
		   struct err *e);

/* The file system on a device: a type of CONF_FSTYPES or another that libblkid knows; -ENOENT:
 * none, or signs of several. */
int resolve_fstype(const char *device, char *out, size_t cap);

/* The names of the block devices that are there, as the kernel has them, with a blank between; what
 * has no room is "...". Empty: there are none. */
void resolve_names(const struct resolve_roots *r, char *out, size_t cap);

/* A figure that changes when block devices come, go or change their size. */
u64 resolve_signature(const struct resolve_roots *r);

#endif
