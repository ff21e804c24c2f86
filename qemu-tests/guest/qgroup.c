/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qgroup.c - a quota for all of a mounted btrfs's top subvolume: qgroup DIRECTORY BYTES
 * Exit: 0 set; 1 refused by the kernel; 2 wrong usage. */
#include <fcntl.h>
#include <linux/btrfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	struct btrfs_ioctl_quota_ctl_args on = { .cmd = BTRFS_QUOTA_CTL_ENABLE };
	struct btrfs_ioctl_qgroup_limit_args limit = { 0 }; /* 0: the subvolume of the directory */
	int fd;

	if (argc != 3) {
		fprintf(stderr, "usage: qgroup DIRECTORY BYTES\n");
		return 2;
	}
	limit.lim.flags = BTRFS_QGROUP_LIMIT_MAX_RFER;
	limit.lim.max_rfer = strtoull(argv[2], NULL, 0);
	fd = open(argv[1], O_RDONLY | O_DIRECTORY);
	if (fd < 0 || ioctl(fd, BTRFS_IOC_QUOTA_CTL, &on) ||
	    ioctl(fd, BTRFS_IOC_QUOTA_RESCAN_WAIT) || ioctl(fd, BTRFS_IOC_QGROUP_LIMIT, &limit) ||
	    ioctl(fd, BTRFS_IOC_SYNC)) {
		perror(argv[1]);
		return 1;
	}
	return 0;
}
