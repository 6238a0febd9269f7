#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What `make install` puts where, as a packager would look at it, and that `make uninstall` takes it
# away again but leaves a policy that was edited.
set -u
export LC_ALL=C
count=0
ok() {	# STATUS NAME
	count=$((count + 1))
	[ "$1" = 0 ] && echo "ok $count - $2" || echo "not ok $count - $2"
	return "$1"
}

[ -x ./config.status ] || { echo "1..0 # SKIP not in a build directory"; exit 0; }
src=$(cd "${srcdir:-.}" && pwd)
args=$(./config.status --config)
units=usr/lib/systemd/system
case $args in
*with-systemdsystemunitdir=no* | *without-systemdsystemunitdir*) units= ;;
*with-systemdsystemunitdir=/*) units=${args##*with-systemdsystemunitdir=/} units=${units%%[\' ]*} ;;
esac
root=$(mktemp -d) || exit
trap 'rm -rf "$root"' EXIT

# Not a part of the make that runs this test.
install() {	# TARGET
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make "$1" DESTDIR="$root" \
		prefix=/usr exec_prefix=/usr sysconfdir=/etc 2>&1
}

expected() {
	cat <<-END
		etc/ifsteer/ifsteer.conf 644
		etc/ifsteer/policy.d/ 755
		etc/iproute2/rt_protos.d/ifsteer.conf 644
		usr/sbin/ifsteer 755
		usr/share/bash-completion/completions/ifsteer 644
		usr/share/ifsteer/status.schema.json 644
	END
	for file in "$src"/rules/*; do
		[ "${file##*/}" = ifsteer.conf ] ||
			echo "usr/share/doc/ifsteer/examples/${file##*/} 644"
	done
	[[ $args == *disable-man* ]] || cat <<-END
		usr/share/man/man5/ifsteer.conf.5 644
		usr/share/man/man8/ifsteer.8 644
	END
	[[ $args == *disable-nm-hook* ]] || cat <<-END
		usr/lib/NetworkManager/dispatcher.d/50-ifsteer -> ../../../sbin/ifsteer
		usr/lib/NetworkManager/dispatcher.d/pre-down.d/50-ifsteer -> ../50-ifsteer
	END
	[[ $args == *disable-ifupdown-hooks* ]] || cat <<-END
		etc/network/if-post-down.d/ifsteer 755
		etc/network/if-up.d/ifsteer 755
	END
	[ -z "$units" ] || cat <<-END
		$units/ifsteer-watch.service 644
		$units/ifsteer.service 644
		$units/nftables.service.d/50-ifsteer.conf 644
	END
}

there() {
	find "$root" -type l -printf '%P -> %l\n' -o -type f -printf '%P %m\n' -o \
		-name policy.d -printf '%P/ %m\n' | sort
}

(umask 077 && install install >"$root.log")
ok $? "make install DESTDIR=" || sed 's/^/# /' "$root.log"
rm -f "$root.log"
differs=$(diff <(expected | sort) <(there))
ok $? "each file is where a packager expects it, readable under any umask" ||
	echo "# ${differs//$'\n'/$'\n# '}"

! grep -rqE '@[a-z]+@' "$root/etc" "$root/usr/lib"
ok $? "nothing was left to be filled in"
grep -qs '^/usr/sbin/ifsteer hook ' "$root/etc/network/if-up.d/ifsteer" ||
	[[ $args == *disable-ifupdown-hooks* ]]
ok $? "ifupdown's hook names the program"
nm=usr/lib/NetworkManager/dispatcher.d
[ "$root/$nm/pre-down.d/50-ifsteer" -ef "$root/usr/sbin/ifsteer" ] ||
	[[ $args == *disable-nm-hook* ]]
ok $? "NetworkManager's hook is the program"

if [[ $args != *disable-ifupdown-hooks* ]]; then
	for dir in if-up.d if-post-down.d; do
		! command -v run-parts >/dev/null ||
			[ -n "$(run-parts --list "$root/etc/network/$dir")" ]
		ok $? "run-parts finds the hook in $dir"
	done
	sed "s|/usr/sbin/ifsteer|$root/told|g" "$root/etc/network/if-up.d/ifsteer" >"$root/hook"
	said=$(sh "$root/hook" 2>&1)
	ok $? "ifupdown's hook without the program, as after a removal: success" && [ -z "$said" ]
	ok $? "and silence"
	printf '#!/bin/sh\necho "$*"\n' >"$root/told" && chmod +x "$root/told"
	[ "$(METHOD=static sh "$root/hook")" = "hook ifupdown" ]
	ok $? "with the program: it is told"
	[ -z "$(METHOD=NetworkManager sh "$root/hook")" ]
	ok $? "but not what NetworkManager has told it already"
	rm "$root/hook" "$root/told"
fi

echo '# mine' >"$root/etc/ifsteer/ifsteer.conf"
install install >/dev/null && grep -qx '# mine' "$root/etc/ifsteer/ifsteer.conf"
ok $? "a second installation leaves the policy alone"
install uninstall >/dev/null
ok $? "make uninstall"
[ "$(find "$root" ! -type d -printf '%P\n')" = etc/ifsteer/ifsteer.conf ]
ok $? "nothing is left but the edited policy"
cp "$src/rules/ifsteer.conf" "$root/etc/ifsteer/ifsteer.conf"
install uninstall >/dev/null
[ -z "$(find "$root" ! -type d)$(find "$root" -name '*ifsteer*' -o -name examples -o -name 'nftables*')" ]
ok $? "nothing is left when it was not edited"
echo "1..$count"
