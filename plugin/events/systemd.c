/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ifsteer.service: the host boots; the hook in nftables.service: it has flushed every table. Whatever
 * the service manager's environment says, it is about no interface in particular.
 */
#include "events/manager.h"

#include <errno.h>

int systemd_parse(int argc, const char *const *argv, const struct environment *env,
		  struct event *ret, const char **ret_why)
{
	(void)argv;
	(void)env;
	if (argc != 1) {
		*ret_why = "hook systemd: takes no argument";
		return -EINVAL;
	}
	ret->kind = EVENT_APPLY;
	ret->from_boot = true;
	return 0;
}
