#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ifsteer status on hosts of all kinds: the table fits 80 columns, the JSON is as its schema says,
# the metrics are what Prometheus' text format allows and nothing else, and all three say the same.

. "$(dirname "$0")/lib.sh"
needs python3
lab_enter
lab_host
lab_lan

cat >/tmp/judge.py <<'END'
# Reads status three times, as text, JSON and metrics, and says what is wrong with them.
import json, re, sys, jsonschema

schema, text, data, metrics = sys.argv[1], *(open(f, encoding="utf-8").read() for f in sys.argv[2:])
wrong = []

for line in text.splitlines():
    if len(line) > 80:
        wrong.append(f"{len(line)} columns: {line}")
    if re.search("[\x00-\x1f\x7f]", line):
        wrong.append(f"a control byte: {line!r}")

status = json.loads(data)
jsonschema.Draft7Validator(json.load(open(schema))).validate(status)

# The text format 0.0.4, as strictly as its parsers: HELP and TYPE once, ahead of all samples of the name, which stand together.
NAME, LABEL = "[a-zA-Z_:][a-zA-Z0-9_:]*", r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
if not metrics.endswith("\n"):
    wrong.append("metrics: the last line has no end")
helped, typed, done, current, samples = set(), {}, set(), None, {}
for line in metrics.splitlines():
    if m := re.fullmatch(f"# HELP ({NAME}) (.+)", line):
        if m[1] in helped or m[1] in samples:
            wrong.append(f"metrics: HELP too late: {line}")
        helped.add(m[1])
    elif m := re.fullmatch(f"# TYPE ({NAME}) (counter|gauge)", line):
        if m[1] in typed or m[1] in samples:
            wrong.append(f"metrics: TYPE too late: {line}")
        typed[m[1]] = m[2]
    elif m := re.fullmatch(f"({NAME})(?:{{({LABEL}(?:,{LABEL})*)}})? ([0-9]+)", line):
        name = m[1]
        if name != current:
            if name in done:
                wrong.append(f"metrics: not together: {line}")
            done.add(name)
            current = name
        labels = tuple((k, re.sub(r'\\(.)', lambda e: "\n" if e[1] == "n" else e[1], v)) for k, v in re.findall(LABEL, m[2] or ""))
        if labels in samples.setdefault(name, {}):
            wrong.append(f"metrics: twice: {line}")
        samples[name][labels] = int(m[m.lastindex])
    else:
        wrong.append(f"metrics: no line of the format: {line}")
for name in samples:
    if name not in typed or name not in helped:
        wrong.append(f"metrics: no type or no help: {name}")
    if name.endswith("_total") != (typed.get(name) == "counter"):
        wrong.append(f"metrics: a counter's name ends in _total, and no other: {name}")

def visible(name):
    return "".join(chr(b) if 32 <= b < 127 or b > 127 else f"\\x{b:02x}" for b in name.encode())

def expect(name, labels, value):
    got = samples.get("ifsteer_" + name, {}).pop(labels, None)
    if got != value:
        wrong.append(f"metrics: {name} {labels} is {got}, JSON says {value}")

expect("in_sync", (), int(status["in_sync"]))
for i in status["interfaces"]:
    label = (("interface", visible(i["name"])),)
    expect("interface_packets_total", label, i["packets"])
    expect("interface_bytes_total", label, i["bytes"])
    for family in "ipv4", "ipv6":
        expect("interface_usable", label + (("family", family),), int(i[family]["usable"]))
    if i["usable"] != (i["ipv4"]["usable"] or i["ipv6"]["usable"]) or (i["reason"] is None) != i["usable"]:
        wrong.append(f"JSON: usable: {i}")
for p in status["policies"]:
    expect("policy_packets_total", (("policy", p["name"]),), p["packets"])
    expect("policy_bytes_total", (("policy", p["name"]),), p["bytes"])
    families = [f for f in (p["ipv4"], p["ipv6"]) if f]
    speaks = next((f for f in families if f["active"]), families[0] if families else {"active": [], "outcome": None})
    if (p["active"], p["outcome"]) != (speaks["active"], speaks["outcome"]):
        wrong.append(f"JSON: the outer is not the first family's: {p}")
    if p["name"] not in text:
        wrong.append(f"text: no policy {p['name']}")
for name, left in samples.items():
    wrong += [f"metrics: {name} {labels} is of nothing that JSON has" for labels in left]
print("\n".join(wrong))
END

# judged NAME: the three agree and are well-formed.
judged() {
	local form
	for form in "" --json --metrics; do
		# shellcheck disable=SC2086
		ifsteer status $form >"/tmp/status$form" 2>/tmp/said
		is "$1: ${form:-text}" "$?$(cat /tmp/said)" 0
	done
	is "$1: all three are right" "$(python3 /tmp/judge.py "$lab_src/plugin/dist/status.schema.json" /tmp/status{,--json,--metrics} 2>&1)" ""
}

policy <<<""
judged "no policy at all"
policy <<<"$S4"
judged "before the first apply"
apply
judged "applied"
like "a way out" "$(cat /tmp/status)" '^on-premises +eth2 +0 +0$'
expect "a packet" "*name=op*" tcp 10.0.1.9
judged "counted"
unlike "and it shows" "$(cat /tmp/status)" '^on-premises +eth2 +0 +0$'

# ---- order relative to other tools' rules ----

like "nobody ahead" "$(cat /tmp/status)" "^rules       21000 to 21999; no other tool's ahead of them$"
for f in -4 -6; do
	for priority in 5210 5230 5250 5270; do
		ip -n h $f rule add priority $priority fwmark 0x80000/0xff0000 lookup 52
	done
	ip -n h $f rule add priority 32000 iif eth1 lookup 99
done
judged "tailscale's"
said=$(tr -s '\n ' ' ' </tmp/status)
like "ahead and behind" "$said" "rules 21000 to 21999; other tools' ahead of them: 5210, 5230, 5250, 5270; behind: 32000 .*ifsteer doctor"
ip -n h rule add priority 21500 to 192.0.2.1 lookup 99
like "between" "$(ifsteer status | tr -s '\n ' ' ')" "; between them: 21500; behind"
for priority in {5300..5399..3} {5400..5450}; do
	ip -n h rule add priority "$priority" fwmark 0x80000/0xff0000 lookup 52
done
judged "many of others'"
like "neighbours are one range" "$(cat /tmp/status)" '5399-5450'
at h sh -c 'for f in -4 -6; do ip $f rule flush table 52; ip $f rule flush table 99; done'

# ---- all that a policy can say ----

ip -n h link add 'a"b\c' type bridge
ip -n h link add $'eth\a' type bridge
long=$(printf 'x%.0s' {1..63})
policy <<END
interfaces = ( { name = "eth0"; }, { name = "eth2"; gateway = [ "172.31.64.1", "fd00:e2::1" ]; }, { name = "absent0"; },
	{ name = "a\"b\\\\c"; }, { name = "eth*"; } );
policies = (
	{ name = "$long"; to = "10.0.1.0/24"; via = [ "absent0", "eth2", "eth0" ]; },
	{ name = "balanced"; to = "10.0.2.0/24"; balance = ( { interface = "eth0"; }, { interface = "eth1"; }, { interface = "eth2"; weight = 7; } ); },
	{ name = "theirs"; to = "10.0.3.0/24"; table = "4294967295"; },
	{ name = "exempt"; to = "10.0.4.0/24"; action = "main"; },
	{ name = "no"; to = "10.0.5.0/24"; action = "prohibit"; },
	{ name = "dormant"; to = "10.0.6.0/24"; via = "absent0"; },
	{ name = "later"; to = "10.0.10.0/24"; via = "absent0"; otherwise = "next"; },
	{ name = "killed"; to = "10.0.7.0/24"; via = "absent0"; otherwise = "blackhole"; },
	{ name = "off"; to = "10.0.8.0/24"; via = "eth2"; enabled = false; },
	{ name = "one-family"; to = "fd00:10::/64"; via = "eth2"; },
	{ name = "nowhere"; cgroup = "not/there"; via = "eth2"; },
	{ name = "quoted"; to = "10.0.9.0/24"; via = "a\"b\\\\c"; } );
END
apply "everything"
judged "everything"
like "control bytes can be seen" "$(cat /tmp/status)" '^eth\\x07 '
like "a name that is too long for its column" "$(cat /tmp/status)" "^$long$"
like "main decides" "$(cat /tmp/status)" '^dormant +main \(dormant\) '
like "the next policies decide" "$(cat /tmp/status)" '^later +next \(dormant\) '
quiet "offline" ifsteer offline eth2
judged "offline"
quiet "online" ifsteer online eth2
for i in {1..12}; do
	ip -n h addr add 2001:db8:1:2:3:4:5:$i/64 dev eth2 nodad
	ip -n h addr add 192.0.2.$i/32 dev eth2
done
judged "many addresses"
ip -n h link set eth2 down
judged "down, and out of sync"
like "says what to do" "$(tr -s '\n ' ' ' </tmp/status)" 'out of sync: .ifsteer diff'
ifsteer hook networkmanager eth0 up
judged "after an event"
like "the last event" "$(cat /tmp/status)" '^last event  20[0-9][0-9]-'
policy broken.conf <<<'x' && mv /etc/ifsteer/broken.conf /etc/ifsteer/policy.d/
ifsteer status >/tmp/status 2>/tmp/said
is "the files are in error: exit status" $? 0
like "says so" "$(cat /tmp/status)" 'the files are in error; in force is what was accepted last'
done_testing
