/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What this kernel's nftables lacks: asked when a table was refused, since all that is said then is
 * "No such file or directory".
 */
#include <string.h>

#include "base/strbuf.h"
#include "kernel/kernel.h"
#include "kernel/nft-own.h"

#define PROBE "ifsteer_probe"

static const struct {
	const char *word; /* a script that has none of it does without */
	const char *probe;
	const char *name;
	const char *what; /* can't be in force without */
} features[] = {
	{ "table", "add rule inet " PROBE " c ct mark 1", "`ct` (nft_ct)", "no policy" },
	{ "table", "add rule inet " PROBE " c fib daddr type local", "`fib` (nft_fib_inet)",
	  "no policy" },
	{ "table", "add chain inet " PROBE " r { type route hook output priority -90; }",
	  "`type route` in inet tables (Linux 5.2)", "no policy" },
	{ "table",
	  "add chain inet " PROBE " n { type nat hook postrouting priority 95; };"
	  "add rule inet " PROBE " n masquerade",
	  "`masquerade` in inet tables (nft_masq, Linux 5.2)", "no policy" },
	{ "table", "add counter inet " PROBE " n; add rule inet " PROBE " c counter name n",
	  "counters with names (nft_objref)", "no policy" },
	{ "reject", "add rule inet " PROBE " c reject", "`reject` (nft_reject_inet)",
	  "no policy that refuses packets, and no kill switch," },
	{ "jhash", "add rule inet " PROBE " c jhash ip saddr mod 2 seed 0x1 vmap { 0 : accept }",
	  "`jhash` (nft_hash)", "no policy with `balance`" },
	{ "socket cgroupv2", "add rule inet " PROBE " c socket cgroupv2 level 1 \"/\" accept",
	  "`socket cgroupv2` (nft_socket, Linux 5.13)", "no policy with `cgroup`" },
	{ "meta hour", "add rule inet " PROBE " c meta hour \"09:00\" accept",
	  "`meta hour` (Linux 5.4)", "no policy with `hours`" },
	{ "meta day", "add rule inet " PROBE " c meta day \"Monday\" accept",
	  "`meta day` (Linux 5.4)", "no policy with `days`" },
};

/* A transaction that is refused in any case, for making a table twice: nothing of it ever stands.
 * Anything else that is wrong is the feature's. */
static bool lacks(const char *probe)
{
	CLEANUP(strbuf_done) struct strbuf commands = { 0 };
	const char *said;

	strbuf_printf(&commands,
		      "add table inet " PROBE "; add chain inet " PROBE
		      " c; %s; create table inet " PROBE,
		      probe);
	said = commands.failed ? "" : nft_try(commands.text);
	return strstr(said, "File exists") &&
	       (strstr(said, "No such file or directory") || strstr(said, "not supported"));
}

void nft_say_missing(const char *script, struct diag *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		if (strstr(script, features[i].word) && lacks(features[i].probe))
			diag_error(d, (struct where){ 0 },
				   "this kernel's nftables has no %s: %s can be in force here",
				   features[i].name, features[i].what);
}
