#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The command line: exit statuses, usage, what is said and where, status in its three forms, the lock.

. "$(dirname "$0")/lib.sh"
lab_enter
lab_host

# exits STATUS NAME PATTERN ARGUMENT…: both streams are matched; "" matches only silence.
exits() {
	local want=$1 name=$2 pattern=$3 said status
	shift 3
	said=$(ifsteer "$@" 2>&1)
	status=$?
	is "$name: exit status" "$status" "$want" || note "$said"
	if [ -n "$pattern" ]; then
		like "$name: message" "$said" "$pattern"
	else
		is "$name: silence" "$said" ""
	fi
}

# ---- usage ----

exits 2 "no command" 'ifsteer help'
exits 2 "an unknown command" 'did you mean "status"' stauts
exits 2 "an unknown option" 'did you mean "--json"' status --jsno
exits 2 "an option of another command" 'no option "--json"' apply --json
exits 2 "an option that needs a value" 'needs a value: N' apply --confirm
exits 2 "a switch with a value" 'takes no value' status --json=1
exits 2 "words that nobody asked for" 'takes no "now"' flush now
exits 2 "a word that is missing" 'needs IF' offline
exits 2 "two words where one is" 'takes no "b"' offline a b
exits 2 "-c without a path" 'needs a file' apply -c
exits 2 "--json and --metrics" 'not both' status --json --metrics
exits 2 "-v and -q" 'no sense' -v -q status
exits 2 "--facts with what is about this host" 'no sense' --facts /dev/null apply
for n in 0 86401 -1 1x "" 99999999999; do
	exits 2 "--confirm '$n'" 'from 1 to 86400' apply "--confirm=$n"
done
exits 2 "hook without a manager" 'manager' hook
exits 2 "hook of an unknown manager" 'manager' hook connman eth0 up
exits 0 "--version" '^ifsteer [0-9]' --version
exits 0 "--version behind others" "^ifsteer [0-9]" -q status -V
exits 0 "--help" 'Usage: .*COMMAND' --help
exits 0 "help" 'Usage: .*COMMAND' help
exits 2 "help for what there is not" 'did you mean "check"' help chek
for command in check apply confirm diff status flush offline online facts hook; do
	exits 0 "help $command" '^Example' help $command
	exits 0 "$command --help" "^Usage: ifsteer .* $command" $command --help
	like "--help names it" "$(ifsteer --help)" "^  $command +[a-z]"
done

# ---- what is said ----

policy <<<"$S4"
exits 0 "check of a valid policy" "" check
exits 0 "check of a file" "" check /etc/ifsteer/ifsteer.conf
exits 3 "check of what isn't there" 'nowhere.conf.*error' check /etc/nowhere.conf
policy bad.conf <<<'policies = ( { name = "a"; vai = "eth2"; } );'
exits 3 "check names each file's problems" '/etc/ifsteer/bad.conf:1: error: .*did you mean "via"' \
	check /etc/ifsteer/ifsteer.conf /etc/ifsteer/bad.conf
exits 3 "options may stand behind" '/etc/ifsteer/bad.conf:1: error:' check -q -c /etc/ifsteer/bad.conf

before=$(host_state)
exits 3 "apply of an invalid policy" 'error' apply -c /etc/ifsteer/bad.conf
same "leaves the kernel as it was" "$(host_state)" "$before"
exits 1 "diff before the first apply" '^\+ ip rule add .*proto' diff
unlike "only adds" "$(ifsteer diff)" '^-'
same "and changes nothing" "$(host_state)" "$before"
exits 0 "the first apply" "" apply
exits 0 "diff" "" diff
exits 0 "apply -v when nothing changes" "^ifsteer: 0 changes made$" -v apply
at h ip rule del priority 21000 2>/dev/null || at h ip rule del fwmark 0x02000000/0xff000000 lookup 21002
exits 1 "diff after drift" '^\+ ip rule add' diff
exits 0 "apply -v says what it does" '^ifsteer: \+ ip rule add' apply -v
exits 0 "in sync again" "" diff

# ---- status ----

json=$(ifsteer status --json)
is "status --json" "$(python3 - "$lab_src/plugin/dist/status.schema.json" <<-END 2>&1
	import json, sys, jsonschema
	status = json.loads(r'''$json''')
	jsonschema.validate(status, json.load(open(sys.argv[1])))
	eth0, eth2 = status["interfaces"]
	policy, = status["policies"]
	assert status["in_sync"] is True
	assert (eth2["name"], eth2["slot"], eth2["mark"], eth2["table"]) == ("eth2", 2, "0x02000000", 21002), eth2
	assert eth2["usable"] and not eth2["offline"] and eth2["reason"] is None
	assert eth2["ipv4"] == {"addresses": ["172.31.70.5/20"], "gateway": "172.31.64.1", "usable": True, "reason": None}, eth2
	assert eth2["ipv6"]["gateway"] == "fd00:e2::1" and "fd00:e2::5/64" in eth2["ipv6"]["addresses"], eth2
	assert policy["where"] == "/etc/ifsteer/ifsteer.conf:2", policy
	assert policy["wanted"] == policy["active"] == ["eth2"] and policy["outcome"] == "via"
	assert policy["ipv4"] == policy["ipv6"] == {"active": ["eth2"], "outcome": "via"}
END
)" ""

metrics=$(ifsteer status --metrics)
like "--metrics: in sync" "$metrics" '^ifsteer_in_sync 1$'
like "--metrics: usable" "$metrics" '^ifsteer_interface_usable\{interface="eth2",family="ipv6"\} 1$'
like "--metrics: a policy" "$metrics" '^ifsteer_policy_packets_total\{policy="on-premises"\} [0-9]+$'
like "--metrics: an interface" "$metrics" '^ifsteer_interface_bytes_total\{interface="eth2"\} [0-9]+$'
unlike "--metrics: nothing else" "$metrics" '^(#.*[^a-zA-Z _0-9-]|[^#i])'

text=$(ifsteer status)
like "text: in sync" "$text" 'in sync$'
like "text: an interface" "$text" '^eth2 +usable +21002 +0x02000000 '
like "text: its way out" "$text" '^  ipv4  172\.31\.70\.5/20 by 172\.31\.64\.1$'
like "text: a policy" "$text" '^on-premises +eth2 +[0-9]+ +[0-9]+$'
unlike "text: fits 80 columns" "$text" '.{81}'
unlike "text: no colour where there is no terminal" "$text" $'\033'
text=$(script -qec "ip netns exec h $IFSTEER status" /dev/null </dev/null)
like "text: colour on a terminal" "$text" $'\033\\[32musable'
unlike "text: never with NO_COLOR" "$(NO_COLOR=1 script -qec "ip netns exec h $IFSTEER status" /dev/null </dev/null)" $'\033'

# What the interface must be taken for: unusable, and what the policy does then.
quiet "offline" ifsteer offline eth2
json=$(ifsteer status --json | tr -d ' \n')
like "offline: --json" "$json" '"name":"eth2".*"usable":false,"offline":true,"reason":"[^"]+"'
like "offline: the policy is dormant" "$json" '"wanted":\["eth2"\],"active":\[\],"outcome":"main"'
like "offline: text" "$(ifsteer status)" '^eth2 +offline '
quiet "is in sync" ifsteer diff
exits 2 "offline for what the policy does not declare" 'no interface "eth1"; did you mean "eth[02]"' offline eth1
quiet "online" ifsteer online eth2
like "online: --json" "$(ifsteer status --json | tr -d ' \n')" '"active":\["eth2"\],"outcome":"via"'

at h ip rule add priority 21500 fwmark 0x99 lookup main protocol 77
like "drift: --json" "$(ifsteer status --json | tr -d ' \n')" '"in_sync":false'
like "drift: text says what to do" "$(ifsteer status)" 'out of sync.*ifsteer diff'
quiet "repaired" ifsteer apply

# ---- where it goes ----

is "data goes to stdout" "$(ifsteer status 2>/dev/null | head -n 1 | cut -c1-6)" policy
is "a reader that goes away is no trouble" "$(ifsteer help 2>&1 | true)" ""
ifsteer status >/dev/full 2>/dev/null
is "a full disk is" $? 6
ifsteer status >&- 2>/dev/null
is "a closed one as well" $? 6
at h ip rule del fwmark 0x02000000/0xff000000 lookup 21002
ifsteer -v apply <&- >&- 2>&-
is "with all three closed apply works" $? 0
is "and what it says goes into no file of ours" "$(cat /run/ifsteer/*/lock; grep -rl 'ip rule add' /run/ifsteer /var/lib/ifsteer)" ""

# ---- not root ----

quiet "check needs no root" at h setpriv --reuid 65534 --clear-groups "$IFSTEER" check
said=$(at h setpriv --reuid 65534 --clear-groups "$IFSTEER" status 2>&1)
is "status needs root" $? 4
like "and says so" "$said" 'needs root'

# ---- captured facts ----

ifsteer facts >/tmp/host.facts
quiet "check --facts" at h setpriv --reuid 65534 --clear-groups "$IFSTEER" --facts /tmp/host.facts check
said=$(at gw setpriv --reuid 65534 --clear-groups "$IFSTEER" diff --facts /tmp/host.facts 2>&1)
is "diff --facts answers for the captured host" "$?$said" 0
echo "what is this" >/tmp/no.facts
exits 2 "no facts at all" 'error' --facts /tmp/no.facts check
sed '/^nft }$/d' /tmp/host.facts >/tmp/no.facts
exits 2 "facts with half a listing of our table" \
	"^/tmp/no.facts:$(sed -n '/^nft-end/=' /tmp/no.facts): error: nft: " --facts /tmp/no.facts diff
exits 2 "facts that aren't there" 'No such file' --facts /tmp/nowhere check

# ---- flush ----

exec {lock}<>"$(echo /run/ifsteer/*/lock)"
flock "$lock"
start=$SECONDS
exits 5 "apply while somebody holds the lock" 'held the lock for 10 seconds' apply
[ $((SECONDS - start)) -ge 9 ]
ok $? "waits before it gives up"
exec {lock}>&-
exits 0 "flush" "" flush
same "leaves what was before" "$(host_state)" "$before"
exits 0 "flush of nothing" "" flush
done_testing
