#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `make demo`: policy S4 on a host in network namespaces, with real packets, real ifupdown and the
# installed hook, before and after. Everything happens on a throw-away copy of this machine; at the
# end it is shown that nothing is left.

. "$(dirname "$0")/netns/lib.sh"
. "$(dirname "$0")/netns/managers.sh"

skip_all() {
	echo "demo: $1" >&2
	exit 1
}

bold='' dim='' red='' green='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
	bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
fi
heading() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
say() { printf '%s\n' "$@"; }

# run COMMAND…: shown as somebody on the host would type it, and done.
run() {
	printf '\n  %s# %s%s\n' "$bold" "$*" "$plain"
	at h "$@" 2>&1 | sed 's/^./  &/'
	return "${PIPESTATUS[0]}"
}

# ---- outside: what this machine looks like before and after ----

machine() {
	ip netns list
	cat /proc/self/mounts
	ls -A /run /run/ifsteer /etc/ifsteer /var/lib/ifsteer 2>/dev/null
	ip -o link
	ip rule
	ip -6 rule
	command -v nft >/dev/null && nft list tables
}

# What is still running of the demo's own, by a word that is in the environment of the inside alone.
left_running() { grep -lsz "^IFSTEER_DEMO=$$\$" /proc/[0-9]*/environ; }

if [ -z "${LAB_INSIDE-}" ]; then
	needs ip nft ifup tcpdump unshare
	[ "$EUID" = 0 ] || skip_all "needs root: sudo ./autogen.sh demo"
	before=$(machine)
	(export IFSTEER_DEMO=$$ && lab_enter)
	status=$?
	[ $status = 0 ] || exit $status
	if [ "$(machine)" != "$before" ] || [ -n "$(left_running)" ]; then
		say "${red}Something is left on this machine:$plain" "$(diff <(echo "$before") <(machine))" "$(left_running)"
		exit 1
	fi
	say "  This machine is as it was: namespaces, mounts, processes, /run, interfaces, rules and nftables were compared." ""
	exit 0
fi

# ---- inside ----

lab_enter
lab_install
lab_routers
plug eth0
plug eth2
echo "$IFUPDOWN" >/etc/network/interfaces
at h ifup eth0 >/dev/null 2>&1

# One line for each destination: the packet as it left (tcpdump on the host), and who answered it.
packets() {
	local name to out answer mark
	rm -f /run/tcpdump	# what the last one said does not mean that this one listens
	(exec nsenter --net=/run/netns/h -- tcpdump --immediate-mode -lnqi any -Q out 'tcp dst port 7' \
		>/run/packets 2>/run/tcpdump) &
	local pid=$!
	eventually 5 grep -q listening /run/tcpdump
	printf '\n  %-13s %-15s %-9s %-13s %s\n' "" to "leaves by" "with source" "answered by"
	for name in "on-premises 10.0.1.9 op" "on-premises fd00:10::9 op" "internet 198.51.100.10 gw" "internet 2001:db8::10 gw"; do
		read -r name to right <<<"$name"
		answer=$(at h "$PROBE" tcp -t 1000 "$to" $PORT | sed -n 's/.*name=\([a-z]*\).*/\1/p')
		eventually 2 grep -qF " > $to.7:" /run/packets
		out=$(grep -F " > $to.7:" /run/packets | head -n 1 | awk '{ sub(/\.[0-9]+$/, "", $5); print $2, $5 }')
		case $answer in
		op) answer="the company's host" ;;
		gw) [ "$right" = gw ] && answer="the internet's host" || answer="a stranger on the internet" ;;
		*) answer=nobody ;;
		esac
		[[ $answer == *host ]] && mark="$green✓$plain" || mark="$red✗$plain"
		# shellcheck disable=SC2086
		printf '  %-13s %-15s %-9s %-13s %s %s\n' "$name" "$to" $out "$mark" "$answer"
	done
	kill $pid
	wait $pid 2>/dev/null
}

heading "A host in the cloud"
cat <<-'END'

	  internet ───── eth0 ┌──────┐ eth2 ───── 172.31.64.1 ───── on-premises
	                      │ host │            the private       10.0.0.0/16
	                      └──────┘            network's router  fd00:10::/64

	  Its image sends everything but the private network itself out of eth0. What the company calls
	  10.0.1.9 is somebody else's address there, or nobody's:
END
packets

heading "The policy, /etc/ifsteer/policy.d/10-aws.conf"
policy policy.d/10-aws.conf <<'END'
interfaces = (
	{ name = "eth0"; },
	{ name = "eth2"; gateway = [ "172.31.64.1", "fd00:e2::1" ]; }
);
policies = (
	{ name = "on-premises"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; }
);
END
echo
sed 's/^/  /; s/\t/    /g' /etc/ifsteer/policy.d/10-aws.conf

heading "eth2 comes up, by ifupdown, whose hook calls ifsteer"
run ifup eth2
packets

heading "What stands in the kernel"
run ifsteer diff && say "  ${dim}(nothing to do: exit 0)$plain"
run ifsteer status
run ifsteer explain 10.0.1.9
run ifsteer doctor
run ip rule
run ip route show table 21002
run ip -6 route show table 21002
run nft list table inet ifsteer

heading "eth2 goes down and comes back; nobody types anything"
run ifdown eth2
run ifup eth2
packets

heading "And away again"
run ifsteer flush
run nft list tables
run ip rule
say ""
