# SPDX-License-Identifier: GPL-2.0-or-later
#
# The laboratory: sourced first by every test here. A test runs on a throw-away copy of this machine
# (copy on write, with process, mount and network namespaces of its own), so it may write to /etc,
# kill what it likes and be killed itself: nothing is left behind, and this machine's own network is
# out of reach.
# shellcheck shell=bash disable=SC2034

set -u
shopt -s extglob
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
lab_src=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# The program, the probe and the staged installation; as make check names them, or those of a build
# in the tree.
IFSTEER=${IFSTEER:-$lab_src/ifsteer}
PROBE=${PROBE:-$(dirname "$IFSTEER")/tests/netns/probe}
STAGE=${STAGE:-$(dirname "$IFSTEER")/tests/stage}

# ---- TAP ----

lab_count=0

# ok STATUS NAME: 0 is good.
ok() {
	lab_count=$((lab_count + 1))
	local name=${2//[$'\n\t']/ }
	[ "$1" = 0 ] && echo "ok $lab_count - $name" || echo "not ok $lab_count - $name"
	return "$1"
}

note() { sed 's/^/# /' <<<"$*"; }

# is NAME GOT WANT: equal texts.
is() {
	[ "$2" = "$3" ]
	ok $? "$1" || { note "got:  $2"; note "want: $3"; false; }
}

# like NAME TEXT PATTERN, unlike NAME TEXT PATTERN: an extended regular expression of grep's.
like() {
	grep -Eq -- "$3" <<<"$2"
	ok $? "$1" || { note "no line matches: $3"; note "$2"; false; }
}

unlike() {
	! grep -Eq -- "$3" <<<"$2"
	ok $? "$1" || { note "a line matches: $3"; note "$(grep -E -- "$3" <<<"$2" | head -n 20)"; false; }
}

# same NAME GOT WANT: equal texts of many lines, the difference shown.
same() {
	[ "$2" = "$3" ]
	ok $? "$1" || { note "$(diff <(echo "$3") <(echo "$2"))"; false; }
}

# quiet NAME COMMAND…: succeeds.
quiet() {
	local name=$1 said
	shift
	said=$("$@" 2>&1)
	ok $? "$name" || { note "$*"; note "$said"; false; }
}

# eventually SECONDS COMMAND…: tried until it succeeds.
eventually() {
	local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
		sleep 0.05
	done
}

done_testing() {
	echo "1..$lab_count"
	exit 0
}

skip_all() {
	if [ -n "${IFSTEER_REQUIRE_NETNS-}" ]; then
		echo "Bail out! $1, and IFSTEER_REQUIRE_NETNS is set"
		exit 1
	fi
	echo "1..0 # SKIP $1"
	exit 0
}

# needs PROGRAM…: what a test can't do without.
needs() {
	local p
	for p in "$@"; do
		command -v "$p" >/dev/null || skip_all "no $p"
	done
}

# shim NAME: builds NAME.c, to be preloaded as $shim. False, and a test point that says so: the program was built with a sanitizer,
# which wants to be loaded first and brings an allocator of its own.
shim() {
	if grep -q __asan_init "$IFSTEER"; then
		ok 0 "$1 # SKIP a sanitizer wants to be loaded first"
		return 1
	fi
	shim=/run/$1.so
	"$CC" -std=gnu11 -D_GNU_SOURCE -O2 -shared -fPIC -o "$shim" "$(dirname "$0")/$1.c"
	ok $? "the shim is built" || true
}

# ---- a copy of this machine ----

# lab_copy DIR: puts a copy-on-write copy of this machine at DIR/root; what is changed stays in
# DIR/upper.
lab_copy() {
	mkdir -p "$1"/{upper,work,root}
	mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
}

# lab_bring ROOT DIR…: shows directories of this machine that a copy may not see, being other file
# systems.
lab_bring() {
	local root=$1 dir
	shift
	for dir in "$@"; do
		mkdir -p "$root$dir" && mount --rbind "$dir" "$root$dir" || return
	done
}

lab_private() {
	mount --make-rprivate / && mount -t tmpfs lab /run
}

# Takes this shell into the copy, with nothing of ifsteer's or of a network manager's configuration
# in it.
lab_move_in() {
	local root=/run/root
	lab_private && lab_copy /run || return
	mount -t proc proc $root/proc && mount -t sysfs sysfs $root/sys && mount --rbind /dev $root/dev || return
	mount -t tmpfs run $root/run && mount -t tmpfs tmp $root/tmp && chmod 1777 $root/tmp || return
	lab_bring $root "$lab_src" "$(dirname "$IFSTEER")" "$(dirname "$PROBE")" "$STAGE" || return
	mkdir -p $root/.machine && pivot_root $root $root/.machine && cd "$PWD" && umount -l /.machine || return
	lab_clean
}

lab_clean() {
	rm -rf /etc/ifsteer /var/lib/ifsteer /etc/network/if-*.d/* /etc/NetworkManager/dispatcher.d/*-ifsteer
	mkdir -p /etc/ifsteer /run/network
	: >/etc/network/interfaces
}

# lab_enter [here]: goes on in namespaces of its own, and unless "here" is said, in the copy.
lab_enter() {
	if [ -z "${LAB_INSIDE-}" ]; then
		[ "$EUID" = 0 ] || skip_all "needs root"
		[ -x "$PROBE" ] && [ -x "$IFSTEER" ] || skip_all "no $PROBE or no $IFSTEER: make check builds them"
		unshare --mount --net true 2>/dev/null || skip_all "no namespaces here"
		# Who is started in the background finds INT ignored, and so would all that a test ends by it.
		exec env --default-signal=INT LAB_INSIDE=1 unshare --mount --net --pid --uts --ipc --fork --kill-child --mount-proc \
			"$BASH" "$0" "$@"
	fi
	# As process 1 of its namespace this shell is deaf to signals that it doesn't ask for.
	trap 'exit 143' TERM
	trap 'exit 130' INT
	if [ "${1-}" = here ]; then
		lab_private
	else
		lab_move_in
	fi || skip_all "no copy-on-write root here"
	ip link set lo up
}

# lab_install [ROOT]: what a package puts on a machine, put on this copy.
lab_install() {
	tar -C "$STAGE" -c . | tar -C "${1-}/" -x --no-same-owner --no-overwrite-dir --keep-directory-symlink || exit
	[ -n "${1-}" ] || IFSTEER=/usr/sbin/ifsteer
}

# ---- the program ----

# policy [FILE] <<…: writes a file of the policy.
policy() {
	mkdir -p /etc/ifsteer/policy.d
	cat >"/etc/ifsteer/${1-ifsteer.conf}"
}

S2='interfaces = ( { name = "eth0"; }, { name = "eth2"; gateway = [ "172.31.64.1", "fd00:e2::1" ]; } );'
S4="$S2"'
policies = ( { name = "on-premises"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; } );'

# policies TEXT: both interfaces and these policies, applied.
policies() {
	policy <<<"$S2 policies = ( $1 );"
	apply "apply: $1"
}

ifsteer() { at h "$IFSTEER" "$@"; }

# apply [NAME]: succeeds and says nothing.
apply() {
	local said
	said=$(ifsteer apply 2>&1)
	is "${1-apply}" "$?${said:+ $said}" 0
}

# host_state: all that ifsteer might touch or must not, in one text.
host_state() {
	at h sh -c '
		for f in -4 -6; do echo "rules $f"; ip $f rule; echo "routes $f"; ip $f -d route show table all; done
		echo nft; nft -s list ruleset
		cd /proc/sys/net; grep -H . ipv4/conf/*/rp_filter ipv4/conf/*/src_valid_mark ipv4/ip_forward'
}

. "$(dirname "${BASH_SOURCE[0]}")/topology.sh"
. "$(dirname "${BASH_SOURCE[0]}")/packets.sh"
