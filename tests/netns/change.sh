# SPDX-License-Identifier: GPL-2.0-or-later
#
# What killed.sh and no-memory.sh are in the middle of: a change of everything, from an old policy with a kill switch to a new
# one with the same, which holds flood.sh's SECRET4 by a list, so that the change takes several nftables transactions. Sourced
# after lib.sh.
# shellcheck shell=bash disable=SC2154

VPN='{ name = "vpn"; user = "nobody"; to = [ "198.51.100.0/24", "192.0.2.0/24" ]; via = "eth2"; otherwise = "unreachable"; }'
old() { policy <<<"$S2 policies = ( $VPN, { name = \"on-premises\"; to = [ \"10.0.0.0/16\", \"fd00:10::/64\" ]; via = \"eth2\"; } );"; }
new() {
	policy <<<"interfaces = ( { name = \"eth2\"; gateway = [ \"172.31.64.1\", \"fd00:e2::1\" ]; table = 77; }, { name = \"eth0\"; } );
		policies = ( { name = \"first\"; to = \"203.0.113.0/24\"; via = \"eth0\"; }, $VPN,
			{ name = \"on-premises\"; to = [ \"10.0.0.0/16\", \"fd00:10::/64\" ]; via = [ \"eth2\", \"eth0\" ]; } );"
}
