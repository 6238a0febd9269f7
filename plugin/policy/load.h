/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From a path to a struct config: the whole policy room in one call.
 */
#pragma once

#include "policy/policy.h"

/* Names of this host, asked by the policy room and answered by whoever knows: the host's
 * databases, or a file of facts. Each returns 0, -ENOENT (there is no such name), or another
 * -errno. */
struct names {
	int (*user)(void *ctx, const char *name, uint32_t *ret_id);
	int (*group)(void *ctx, const char *name, uint32_t *ret_id);
	/* `protocol` is "tcp", "udp", "sctp", "dccp". Host byte order. */
	int (*service)(void *ctx, const char *name, const char *protocol, uint16_t *ret_port);
	void *ctx;
};

/* One file of a policy as read: enough to say what was accepted, and to keep a copy. */
struct source {
	char *path;			/* as opened: /etc/ifsteer/policy.d/10-aws.conf */
	char *text;
	size_t len;
};

struct sources {
	struct source *v;		/* policy files in order, then the set files they name */
	size_t count;
	size_t policy_count;		/* how many of them are policy files */
};

#define POLICY_DEFAULT_DIR "/etc/ifsteer"

struct load_options {
	const char *path;		/* file or directory; NULL: POLICY_DEFAULT_DIR */
	bool trust_owner;		/* skip the checks of owner and mode (--facts) */
};

/* Reads and checks everything. All problems go to `d`. 0, -EINVAL when there were errors (then *ret
 * is empty), -ENOMEM. A missing default file is an empty policy; a missing `path` is an error, and
 * so is a directory without any policy file. ret_sources may be NULL; it gets what could be read,
 * errors or not. */
MUST_CHECK int config_load(const struct load_options *o, const struct names *names,
			   struct config *ret, struct sources *ret_sources, struct diag *d);
void sources_done(struct sources *s);

/* Fetches the file that a set names, relative to the policy file. What *ret points to is lent until
 * the next call. -EINVAL with a message in `d`, -ENOMEM. */
typedef int (*set_reader)(void *ctx, const char *policy_path, const char *name, struct where at,
			  const struct source **ret, struct diag *d);

/* The pure half: text of policy files that was read already; one without text could not be read,
 * which is an error that somebody has reported. NULL read_set refuses set files. For fuzzers, unit
 * tests and the accepted copy. Returns as config_load does. */
MUST_CHECK int config_parse(const struct source *files, size_t count, const struct names *names,
			    set_reader read_set, void *ctx, struct config *ret, struct diag *d);
