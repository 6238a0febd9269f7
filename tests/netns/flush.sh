#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A host dressed up by others: apply, changes of the policy and repair leave all of that alone, and
# flush leaves exactly what was there before.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host
lab_docker

# As tailscale, wg-quick, kube-proxy, cloud-init and people do; some of it within our band, our
# tables and our marks.
at h sh -ec '
	ip rule add priority 5210 fwmark 0x80000/0xff0000 lookup main
	ip rule add priority 5230 fwmark 0x80000/0xff0000 unreachable
	ip rule add priority 5270 lookup 52
	ip -6 rule add priority 5270 lookup 52
	ip rule add not fwmark 51820 lookup 51820
	ip rule add lookup main suppress_prefixlength 0
	ip rule add priority 21500 from 192.0.2.7 lookup 100 protocol boot
	ip -6 rule add priority 21500 from 2001:db8:7::/48 lookup 100 protocol boot
	ip rule add priority 30900 to 192.0.2.0/24 lookup main
	ip route add 100.64.0.0/10 dev eth0 table 52
	ip route add default via 10.200.0.1 table 51820
	ip route add 192.0.2.128/25 via 172.31.64.9 dev eth2 table 21002 proto static
	ip route add 192.0.2.0/25 via 10.200.0.1
	ip route add blackhole 198.18.0.0/15
	nft -f -' <<-'END'
	table ip mangle {
		chain KUBE-MARK-MASQ {
			counter meta mark set meta mark | 0x4000
		}
		chain POSTROUTING {
			type filter hook postrouting priority mangle
			meta mark & 0x4000 == 0x4000 counter accept comment "kubernetes"
		}
	}
	table inet wg {
		set peers { type ipv4_addr; flags interval; elements = { 192.0.2.64/26 } }
		chain pre {
			type filter hook prerouting priority mangle
			meta l4proto udp meta mark set ct mark
		}
	}
	table ip ifsteer {
		chain not_ours { }
	}
END
before=$(host_state)
# What is not ours, whatever ours looks like.
foreign() { host_state | grep -vE 'proto (77|ifsteer)|^2[0-9]*:.*proto' | sed '/^table inet ifsteer {/,/^}/d; /rp_filter/d'; }
others=$(foreign)

quiet "nothing to flush" ifsteer flush
same "flush without ifsteer changes nothing" "$(host_state)" "$before"

policy <<<"$S4"
apply
same "apply leaves others alone" "$(foreign)" "$others"
policies '{ name = "a"; user = "nobody"; via = [ "eth2", "eth0" ]; }, { name = "b"; to = "172.30.0.0/16"; via = "eth2"; otherwise = "prohibit"; }'
same "another policy leaves others alone" "$(foreign)" "$others"
at h nft delete table inet ifsteer
at h ip rule del priority "$(at h ip rule | sed -n 's/^\(21[0-9]*\):.*from all fwmark.*/\1/p' | head -n 1)"
apply "repair"
same "repair leaves others alone" "$(foreign)" "$others"
policy <<<'interfaces = ( { name = "eth2"; table = 999; gateway = "172.31.64.1"; } );'
apply "apply with fewer interfaces and another table"
same "it leaves others alone" "$(foreign)" "$others"
unlike "nothing is left in the table it had" "$(at h ip -N route show table 21001)" 'proto 77'
unlike "nothing is left in the table it had" "$(at h ip -N route show table 21002)" 'proto 77'
quiet "diff is clean" ifsteer diff
quiet "flush" ifsteer flush
same "flush leaves exactly what was before" "$(host_state)" "$before"
quiet "flush again" ifsteer flush
same "so does a second one" "$(host_state)" "$before"

# A policy in error and one refused leave the kernel as it was.
policy <<<"$S4"
apply
now=$(host_state)
policy <<<'policies = ( { name = "x"; vai = "eth2"; } );'
ifsteer apply >/run/said 2>&1
is "an invalid policy: exit 3" $? 3
like "it says where" "$(cat /run/said)" '^/etc/ifsteer/ifsteer\.conf:1: error: policy "x": .*did you mean "via"\?'
same "an invalid policy: the kernel is as it was" "$(host_state)" "$now"
quiet "flush works with a policy in error" ifsteer flush
same "flush leaves exactly what was before" "$(host_state)" "$before"
done_testing
