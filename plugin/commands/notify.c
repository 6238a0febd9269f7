/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One datagram to a socket of the service manager's.
 */
#include "commands/notify.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notify(const char *socket_path, const char *state)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = socket_path ? strlen(socket_path) : 0;
	int fd;

	if (!len || len >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, socket_path, len);
	if (to.sun_path[0] == '@') /* a name that is in no directory */
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}
