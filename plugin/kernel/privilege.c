/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a process of ours may do at most: change the network, and what any process of its user may.
 */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/kernel.h"

/* glibc has no wrappers, and libcap is one library more for every hook to load. */
int privilege_drop(bool sees_processes)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct have[_LINUX_CAPABILITY_U32S_3] = { 0 };
	struct __user_cap_data_struct want[_LINUX_CAPABILITY_U32S_3] = { 0 };
	const uint32_t keep = CAP_TO_MASK(CAP_NET_ADMIN) | (sees_processes ? CAP_TO_MASK(CAP_SYS_PTRACE) : 0);

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (syscall(SYS_capget, &head, have) < 0)
		return -errno;
	/* Both are among the first 32. */
	want[0].permitted = have[0].permitted & keep;
	want[0].effective = have[0].effective & keep;
	/* In its unit the process has no more from the beginning, and may not call capset(). */
	if (memcmp(have, want, sizeof(want)) == 0)
		return 0;
	return syscall(SYS_capset, &head, want) < 0 ? -errno : 0;
}
