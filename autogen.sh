#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
#	./autogen.sh		makes ./configure
#	./autogen.sh TARGET…	on Debian 12 or newer, with nothing there: installs what is missing (as
#				root, or by sudo), configures, and makes TARGET: all, check, demo, …
#
# What it installs starts no service and enables none.
set -eu
cd "$(dirname "$0")"

build='autoconf automake gcc libc6-dev libconfig-dev libmnl-dev libnftables-dev make pkgconf
	xz-utils'
demo='ifupdown iproute2 nftables procps tcpdump'
# Every network manager, DHCP clients, a firewall, and what the tests look with.
check="$demo conntrack dbus dhcpcd-base dnsmasq-base firewalld iptables iputils-ping isc-dhcp-client jq
	kmod mandoc netbase network-manager python3-jsonschema strace systemd udev"

missing() {
	for package; do
		case " $(dpkg-query -Wf '${db:Status-Status} ' "$package" 2>/dev/null)" in
		*' installed '*) ;;
		*) printf '%s ' "$package" ;;
		esac
	done
}

# As root. Debian starts services on installation unless a policy-rc.d says 101, and enables them
# by links.
install_packages() {
	policy=/usr/sbin/policy-rc.d
	links() { find /etc/systemd /etc/rc?.d -type l 2>/dev/null | sort; }
	before=$nl$(links)$nl
	if [ ! -e $policy ] || grep -q "^# ifsteer's" $policy; then
		trap 'rm -f $policy' EXIT
		trap 'exit 1' HUP INT TERM
		# What a killed process leaves behind forbids nothing.
		printf "#!/bin/sh\n# ifsteer's\n! kill -0 %s 2>/dev/null || exit 101\n" $$ >$policy
		chmod 755 $policy
	elif $policy --quiet networking start >/dev/null 2>&1; [ $? != 101 ]; then
		echo "autogen.sh: $policy would let services start; please install: $*" >&2
		exit 1
	fi
	export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
	apt-get -q update || :
	apt-get -qy --no-install-recommends --no-remove -o DPkg::Lock::Timeout=300 install "$@"
	links | while read -r link; do
		case $before in *"$nl$link$nl"*) ;; *) rm "$link" ;; esac
	done
}
nl='
'

if [ "${1-}" = --install-packages ]; then
	shift
	install_packages "$@"
	exit
fi

# shellcheck disable=SC2086
case " $* " in
'  ') needed= ;;
*' valgrind '* | *' valgrind-netns '*) needed=$(missing $build $check valgrind) ;;
*' check '* | *' distcheck '* | *' bench '*) needed=$(missing $build $check) ;;
*' demo '*) needed=$(missing $build $demo) ;;
*) needed=$(missing $build) ;;
esac
if [ -n "$needed" ] && command -v apt-get >/dev/null; then
	echo "autogen.sh: to make $*, installs (no service is started or enabled): $needed"
	[ "$(id -u)" = 0 ] && sudo= || sudo=sudo
	# shellcheck disable=SC2086
	$sudo sh autogen.sh --install-packages $needed
fi

# What root makes in another's clone belongs to the clone's owner.
[ "$(id -u)" != 0 ] || trap 'find . -xdev -user 0 -exec chown -h --reference=. {} +' EXIT

autoreconf --install --force --warnings=all
[ $# = 0 ] && exit
./configure --quiet
make -j"$(nproc)" all
make -j"$(nproc)" "$@"
