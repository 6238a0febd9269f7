# SPDX-License-Identifier: GPL-2.0-or-later
#
# A whole host that boots, is shut down and boots again: the copy of this machine with real systemd
# as its process 1, in network namespace h. Sourced after lib.sh.
# shellcheck shell=bash

boot_root=/run/boot/root

# boot_enter: lab_enter for tests that boot. systemd needs a cgroup, the one thing that outlives
# namespaces: who waits outside removes it.
boot_enter() {
	local mount path inside status
	needs systemctl dbus-daemon
	if [ -z "${LAB_INSIDE-}" ] && [ "$EUID" = 0 ]; then
		mount=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)
		path=$(sed -n 's/^0:://p' /proc/self/cgroup)
		export BOOT_CGROUP="$mount${path%/}/ifsteer-test.$$"
		[ -n "$mount" ] && mkdir "$BOOT_CGROUP" 2>/dev/null || skip_all "no cgroup to boot in"
		(lab_enter here) &
		inside=$!
		trap 'pkill -TERM -P $inside' TERM INT
		wait $inside
		status=$?
		wait $inside 2>/dev/null
		eventually 30 boot_cgroup_gone
		exit $status
	fi
	lab_enter here
}

# What was killed just now may still be on its way out.
boot_cgroup_gone() {
	find "$BOOT_CGROUP" -depth -type d -exec rmdir {} +
	[ ! -d "$BOOT_CGROUP" ]
}

# boot_install UNIT…: makes the host's disk: ifsteer installed, nothing started at boot but the
# units that are named.
boot_install() {
	local etc=$boot_root/etc
	mkdir -p /run/boot && lab_copy /run/boot || skip_all "no copy-on-write root here"
	rm -rf "$etc"/systemd/system/*.{wants,requires} "$etc"/ifsteer "$boot_root"/var/lib/ifsteer "$boot_root"/var/log/journal \
		"$etc"/network/if-*.d/* "$etc"/NetworkManager/conf.d/* "$etc"/NetworkManager/system-connections/* \
		"$boot_root"/var/lib/NetworkManager/*
	: >"$etc/machine-id"
	mkdir -p "$etc/ifsteer"
	echo h >"$etc/hostname"
	lab_install $boot_root
	[ -z "${VALGRIND_DIR-}" ] || lab_bring $boot_root "$VALGRIND_DIR" || skip_all "no such directory in the copy"
	systemctl --root=$boot_root --quiet mask console-getty.service getty.target
	systemctl --root=$boot_root --quiet set-default multi-user.target
	# A program built with sanitizers looks for leaks by ptrace, which its unit does not allow.
	mkdir -p "$etc/systemd/system.conf.d"
	printf '[Manager]\nDefaultEnvironment=ASAN_OPTIONS=detect_leaks=0\n' >"$etc/systemd/system.conf.d/lab.conf"
	[ $# = 0 ] || systemctl --root=$boot_root --quiet enable "$@"
}

# Runs as process 1 of the host, and becomes systemd.
boot_init() {
	local node
	mount --make-rprivate / && cd $boot_root || exit
	mount -t proc proc proc && mount -t sysfs sysfs sys && mount -t cgroup2 cgroup2 sys/fs/cgroup || exit
	mount -t tmpfs -o mode=755 run run && mount -t tmpfs tmp tmp && mount -t tmpfs -o mode=755 dev dev || exit
	for node in null zero full random urandom tty; do
		: >dev/$node && mount --bind /dev/$node dev/$node || exit
	done
	mkdir dev/pts dev/shm && mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts && ln -s pts/ptmx dev/ptmx || exit
	: >dev/console && mount --bind /dev/null dev/console || exit
	mkdir -p .machine && pivot_root . .machine && umount -l /.machine || exit
	exec env -i container=other PATH="$PATH" /lib/systemd/systemd --log-target=journal --show-status=no \
		</dev/null >/dev/null 2>&1
}

# boot NAME: the host starts, and systemd says that all is well.
boot() {
	local init
	init="$(declare -f boot_init); boot_root=$boot_root; boot_init"
	(
		echo 0 >"$BOOT_CGROUP/cgroup.procs" || exit
		exec nsenter --net=/run/netns/h unshare -m -p -u -i -C --fork --kill-child "$BASH" -c "$init"
	) &
	boot_outside=$!
	eventually 30 boot_find && eventually 60 boot_bus && eventually 60 boot_settled
	is "$1" "$(boot_in timeout 60 systemctl is-system-running --wait)" running || note "$(boot_in systemctl --failed)"
}

# On a busy machine systemd can't be asked yet, and is called offline.
boot_settled() {
	case $(boot_in timeout 60 systemctl is-system-running --wait) in running | degraded) ;; *) return 1 ;; esac
}

# The process that is 1 in its own namespace.
boot_find() {
	read -r boot_pid _ < <(cat "/proc/$boot_outside/task/$boot_outside/children"; echo)
	[ -n "$boot_pid" ] && grep -qE '^NSpid:.*[[:space:]]1$' "/proc/$boot_pid/status"
}

# Before that systemctl can't be answered, and does not wait.
boot_bus() { boot_in test -S /run/dbus/system_bus_socket; }

boot_is_off() { ! kill -0 "$boot_outside"; }

# boot_in COMMAND…: inside the running host.
boot_in() {
	nsenter -t "$boot_pid" -m -p -u -i -C -n -- "$@"
}

# shut_down: as poweroff does it. The disk stays; the kernel's memory, and so namespace h, does not.
shut_down() {
	kill -s RTMIN+4 "$boot_pid"
	quiet "the host is shut down" eventually 20 boot_is_off || kill -KILL "$boot_outside"
	wait "$boot_outside"
	ip -n h link del eth0
	ip -n h link del eth2
	ip netns del h
	lab_netns h
	plug eth0
	plug eth2
	serve h
}
