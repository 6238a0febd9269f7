#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The manual pages tell of every key of the policy language, every command, every option, every exit status and every reason for
# which an interface is not usable, and of no option that there is not. They are well-formed, and help fits a terminal.

set -u
export LC_ALL=C
src=$(cd "${srcdir:-.}" && pwd)
program=$src/plugin/dist/ifsteer.8
language=$src/plugin/dist/ifsteer.conf.5
count=0

# ok STATUS NAME
ok() {
	count=$((count + 1))
	[ "$1" = 0 ] && echo "ok $count - $2" || echo "not ok $count - $2"
}

keys=$(tr -s '\n\t' '  ' <"$src/plugin/policy/keys.c" |
	grep -Eo '\{ "[a-z_]+", (KEY_|TEXTS|NEGATABLE_|NUMBER_|LIST_)' | cut -d'"' -f2 | sort -u)
[ "$(wc -w <<<"$keys")" -ge 38 ]
ok $? "the language has $(wc -w <<<"$keys") keys that this test knows of"
for key in $keys; do
	grep -Eq "^\.(It )?Ic (.* )?$key( |$)|^\.It Ic balance .* $key = " "$language"
	ok $? "ifsteer.conf(5) has the key $key"
done

commands=$("$IFSTEER" help | sed -n 's/^  \([a-z]\{1,\}\)  *.*/\1/p')
for command in $commands; do
	grep -Eq "^\.It Cm (.* , )?(.* Cm )?$command( |$)" "$program"
	ok $? "ifsteer(8) has the command $command"
	for option in $("$IFSTEER" help "$command" | sed '/^$/q' | grep -o -e '--[a-z-]*' | cut -c 3-); do
		grep -Eq "^\.It.*Fl -$option( |$)|^\.It Cm $command .*(\| |Fl )-$option( |$)" "$program"
		ok $? "ifsteer(8) has $command --$option"
	done
done

help=$(for command in '' $commands; do "$IFSTEER" help $command; done)
for option in $(grep -o 'Fl -[a-z-]*' "$program" | cut -c 5- | sort -u); do
	grep -q -e "--$option\>" <<<"$help"
	ok $? "there is an option --$option"
done
! grep -Eq '^[^ ].{80}' <<<"$help"
ok $? "help is not wider than a terminal"

while read -r reason; do
	grep -Fq "$reason" "$program"
	ok $? "ifsteer(8) has the reason \"$reason\""
done < <(grep -Eoh '(return|reason =) "[a-z][^"]+";' "$src"/plugin/plan/{paths,gateway}.c | cut -d'"' -f2 | sort -u)

for status in 0 1 2 3 4 5 6; do
	grep -q "^\.It $status$" "$program"
	ok $? "ifsteer(8) has the exit status $status"
done

for page in "$program" "$language"; do
	name="${page##*/} is well-formed"
	if command -v mandoc >/dev/null; then
		said=$(mandoc -T lint -W warning "$page" 2>/dev/null)
		ok "$([ -z "$said" ]; echo $?)" "$name"
		[ -z "$said" ] || sed 's/^/# /' <<<"$said"
	else
		ok 0 "$name # SKIP no mandoc here"
	fi
done
echo "1..$count"
