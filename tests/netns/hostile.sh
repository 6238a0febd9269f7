#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Hostile input: what is too large, too many or too deep ends soon and in a bounded memory; files
# that are swapped under us, links where none may be, and what a hostile DHCP server says to the
# hook change nothing.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host

SECONDS_MAX=60	# of processor time; far above what is measured
[ -z "${VALGRIND_DIR-}" ] || SECONDS_MAX=1200
export ASAN_OPTIONS=detect_leaks=0
policy <<<"$S4"
apply
kernel() { host_state | sort; }
want=$(kernel)

# ---- size ----

# bounded NAME STATUS ifsteer's words…
bounded() {
	local name=$1 status=$2 took
	shift 2
	took=$( (ulimit -t $SECONDS_MAX; at h "$IFSTEER" "$@" >/tmp/out 2>/tmp/said; echo "$?"; times) |
		paste -sd ' ')
	is "$name: exit status" "${took%% *}" "$status"
	[ "$(wc -c </tmp/said)" -lt 30000 ]
	ok $? "$name: a bounded number of messages"
	note "$name: ${took#* }; $(head -c 90 /tmp/said | head -n 1)"
}
# many N FORMAT: a list of policies, with its number for each %d.
many() {
	awk -v n="$1" -v f="$2" 'BEGIN {
		print "interfaces = ( { name = \"eth0\"; }, { name = \"eth2\";",
			"gateway = [ \"172.31.64.1\", \"fd00:e2::1\" ]; } ); policies = ("
		for (i = 0; i < n; i++)
			printf "%s" f, i ? ",\n" : "", i, i / 256 % 256, i % 256
		print ");"
	}'
}
fill() { head -c 67000000 /dev/zero | tr '\0' "$1"; }
mkdir /tmp/large
cd /tmp/large || exit
{ echo "$S4"; yes '# a comment' | head -c 67000000; } >comments.conf
{ echo 'policies = '; fill '('; } >nest.conf
{ echo -n 'interfaces = ( { name = "'; fill a; echo '"; } );'; } >string.conf
head -c $((65 << 20)) /dev/zero | tr '\0' '#' >too-large.conf
many 400000 '{nmae="p%d";dpotr=%d;vai="e%d";}' >errors.conf
many 1500000 '{name="p%d";dport=1%d;user="%d";}' | head -c 67000000 >values.conf
bounded "64 MiB of comments" 0 -c comments.conf check
bounded "64 MiB of brackets" 3 -c nest.conf check
like "64 MiB of brackets: said" "$(cat /tmp/said)" 'nest deeper than'
bounded "a string of 64 MiB" 3 -c string.conf check
like "a string of 64 MiB: said" "$(cat /tmp/said)" 'is too long'
bounded "more than 64 MiB" 3 -c too-large.conf check
bounded "400,000 policies in error" 3 -c errors.conf check
like "400,000 policies in error: the rest is counted" "$(cat /tmp/said)" 'more problems'
bounded "64 MiB of values" 3 -c values.conf apply
same "nothing of it changed anything" "$(kernel)" "$want"
rm ./*.conf

many 100000 '{name="p%d";to="10.%d.%d.0/24";via="eth2";}' >policies.conf
many 100000 '{name="p%d";dport="1%d";user="%d";via="eth2";otherwise="unreachable";}' >kill.conf
bounded "100,000 policies: check" 0 -c policies.conf check
bounded "100,000 policies: diff" 1 -c policies.conf diff
bounded "100,000 policies: explain" 0 -c policies.conf explain 10.0.1.9
bounded "100,000 kill switches: diff" 1 -c kill.conf diff
bounded "100,000 policies: apply" 0 -c policies.conf apply
answered "100,000 policies" op 172.31.70.5 10.0.1.9
bounded "100,000 policies: in sync" 0 -c policies.conf diff
bounded "100,000 policies: status" 0 -c policies.conf status --json
bounded "100,000 policies: metrics" 0 -c policies.conf status --metrics
apply "the old policy"
same "100,000 policies leave nothing behind" "$(kernel)" "$want"
cd / || exit

# ---- files that change under us, and links where none may be ----

# Either version is read as a whole, or it is an error; never a mixture.
policy other <<<"$S2 policies = ( { name = \"other\"; to = \"10.0.0.0/16\"; via = \"eth2\"; } );"
cp /etc/ifsteer/ifsteer.conf /etc/ifsteer/one
swap() {
	while :; do
		cp /etc/ifsteer/other /etc/ifsteer/new && mv /etc/ifsteer/new /etc/ifsteer/ifsteer.conf
		cp /etc/ifsteer/one /etc/ifsteer/new && mv /etc/ifsteer/new /etc/ifsteer/ifsteer.conf
		ln -sf /etc/ifsteer/other /etc/ifsteer/link && mv /etc/ifsteer/link /etc/ifsteer/ifsteer.conf
	done
}
swap &
swapper=$!
statuses=
for _ in {1..60}; do
	ifsteer apply >/dev/null 2>&1
	statuses+=$?
done
kill $swapper
wait $swapper 2>/dev/null
unlike "files swapped: applied, or an error of the policy" "$statuses" '[^03]'
rm -f /etc/ifsteer/{new,link,ifsteer.conf}
mv /etc/ifsteer/one /etc/ifsteer/ifsteer.conf
apply "files swapped: and then one that stays"
same "files swapped: as it was" "$(kernel)" "$want"

# What somebody else could have written is not read, wherever a link leads.
untrusted() {	# NAME
	local said
	said=$(ifsteer apply 2>&1)
	is "$1: exit status" $? 3
	like "$1: said" "$said" 'error: '
	same "$1: nothing changes" "$(kernel)" "$want"
}
cp /etc/ifsteer/ifsteer.conf /tmp/mine
chown nobody /tmp/mine
ln -sf /tmp/mine /etc/ifsteer/policy.d/50-link.conf
untrusted "a link to somebody else's file"
chmod 600 /tmp/mine
untrusted "one that only he may read"
like "one that only he may read: whose it is" "$(ifsteer check 2>&1)" 'belongs to user [0-9]+, not to root'
mkdir -m 777 /tmp/open
cp /etc/ifsteer/other /tmp/open/other.conf
ln -sf /tmp/open/other.conf /etc/ifsteer/policy.d/50-link.conf
untrusted "a link into a directory that anybody may write"
rm /etc/ifsteer/policy.d/50-link.conf
mkfifo /etc/ifsteer/policy.d/50-fifo.conf
untrusted "a FIFO"
rm /etc/ifsteer/policy.d/50-fifo.conf
ln -s 50-loop.conf /etc/ifsteer/policy.d/50-loop.conf
untrusted "a link to itself"
rm /etc/ifsteer/policy.d/50-loop.conf
ln -s /dev/zero /etc/ifsteer/policy.d/50-zero.conf
untrusted "a device"
rm /etc/ifsteer/policy.d/50-zero.conf

# The lock and what is kept are opened without following links: what these point to stays.
echo precious >/tmp/precious
for place in /run/ifsteer/*/lock; do
	rm "$place"
	ln -s /tmp/precious "$place"
	said=$(ifsteer apply 2>&1)
	is "a link in place of the lock: exit status" $? 6
	like "a link in place of the lock: said" "$said" 'lock'
	rm "$place"
done
mv /run/ifsteer /run/aside
ln -s /tmp/open /run/ifsteer
ifsteer apply >/dev/null 2>&1
is "a link in place of /run/ifsteer: exit status" $? 6
is "a link in place of /run/ifsteer: nothing is written there" "$(ls /tmp/open)" other.conf
rm /run/ifsteer
mv /run/aside /run/ifsteer
mv /var/lib/ifsteer /var/lib/aside
ln -s /tmp/open /var/lib/ifsteer
said=$(ifsteer apply 2>&1)
like "a link in place of /var/lib/ifsteer: said" "$said" 'warning: .*/var/lib/ifsteer'
is "a link in place of /var/lib/ifsteer: nothing is written there" "$(ls /tmp/open)" other.conf
rm /var/lib/ifsteer
mv /var/lib/aside /var/lib/ifsteer
is "what links pointed to is as it was" "$(cat /tmp/precious)" precious
same "and so is the kernel" "$(kernel)" "$want"

# ---- a hostile DHCP server ----

# The gateway is the event's to say: what is none leaves the one that was in use.
policy <<<'interfaces = ( { name = "eth0"; }, { name = "eth2"; gateway = "fd00:e2::1"; } );
	policies = ( { name = "on-premises"; to = [ "10.0.0.0/16", "fd00:10::/64" ]; via = "eth2"; } );'
IP4_GATEWAY=172.31.64.7 at h "$IFSTEER" hook networkmanager eth2 dhcp4-change 2>/dev/null
like "an event can change the gateway" "$(kernel)" 'default via 172\.31\.64\.7 dev eth2'
IP4_GATEWAY=172.31.64.1 at h "$IFSTEER" hook networkmanager eth2 dhcp4-change 2>/dev/null
want=$(kernel)
like "and back" "$want" 'default via 172\.31\.64\.1 dev eth2'
long=$(head -c 100000 /dev/zero | tr '\0' 9)
# shellcheck disable=SC2016
for value in '$(touch /tmp/owned)' '`touch /tmp/owned`' '"; flush ruleset; "' \
	$'172.31.64.9\nflush ruleset' '172.31.64.9; nft flush ruleset' '-1' '999.1.1.1' '%s%s%n' \
	"$long" '::ffff:172.31.64.9 via' $'\xff\xfe' '172.31.64.9/0' '10.200.0.1x'; do
	said=$(IP4_GATEWAY=$value IP6_GATEWAY=$value DHCP4_ROUTERS=$value IP4_ROUTE_0="0.0.0.0/0 $value 0" \
		DHCP4_RFC3442_CLASSLESS_STATIC_ROUTES="0.0.0.0/0 $value" DHCP4_HOST_NAME=$value \
		DHCP4_DOMAIN_NAME=$value VPN_IP_IFACE=$value DEVICE_IFACE=$value CONNECTION_ID=$value \
		at h "$IFSTEER" hook networkmanager eth2 dhcp4-change 2>&1)
	is "a DHCP server that says ${value:0:30}: exit status" $? 0
	is "a DHCP server that says ${value:0:30}: nothing changes" "$(kernel | cksum)" "$(cksum <<<"$want")"
	unlike "a DHCP server that says ${value:0:30}: no control bytes" "$said" $'[\x01-\x08\x0e-\x1f\x7f]'
done
ls /tmp/owned 2>/dev/null
is "none of it was executed" $? 2
said=$(at h "$IFSTEER" hook networkmanager "../../tmp/owned" up 2>&1)
is "an interface that is a path: exit status" $? 0
said=$(at h "$IFSTEER" hook networkmanager "${long:0:5000}" up 2>&1)
is "an interface of 5000 bytes: exit status" $? 0
same "nothing changes" "$(kernel)" "$want"
done_testing
