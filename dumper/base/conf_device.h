/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf_device.h - how a configuration names a device: UUID=, LABEL=, PARTUUID=, PARTLABEL=, udev's
 * links that mean the same (/dev/disk/by-uuid/...), or a node of /dev that the kernel makes.
 * There is no udev in the ramdisk: what only udev could find is refused.
 * Source: udev's 60-persistent-storage.rules for the links */
#ifndef CRASHPOD_CONF_DEVICE_H
#define CRASHPOD_CONF_DEVICE_H

#include "conf.h"
#include "err.h"

/* The file systems that may be a target: X(name) for each. */
#define CONF_FSTYPES(X) \
	X("ext2") X("ext3") X("ext4") X("xfs") X("btrfs") X("f2fs") X("vfat") X("exfat")

struct conf_tag {
	const char *prefix; /* "UUID=" */
	const char *links;  /* the directory of udev's links, with '/' at the end */
	const char *key;    /* libblkid's name of a superblock's value; NULL for a partition's */
	bool label;	    /* a name: compared exactly, may hold blanks */
};

extern const struct conf_tag conf_tags[]; /* ends with a NULL prefix */

struct conf_device {
	const struct conf_tag *tag; /* NULL: a node, and value is its path */
	char value[CONF_NAME_MAX];  /* of a link: with udev's \xNN undone */
};

/* -EINVAL with a message: not a device's name, or one that cannot be found in the ramdisk. */
int conf_device_read(struct conf_device *d, const char *spec, struct err *e);

#endif
