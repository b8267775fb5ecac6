#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Fetches the QEMU of another Debian release and makes it run beside this machine's, without installing it:
# its packages are unpacked, and it is started by its own ld.so. apt keeps a state of its own for that.
#
#   second-qemu.sh DIR     prints the path of a program for FAULTLINE_QEMU
#
# Exit 2, with the reason, where none is to be had. What is there already is used again.
set -eu
tools=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
dir=$(cd "$1" && pwd)
program=$dir/qemu-system-x86_64

fail() {
	echo "second-qemu.sh: $*" >&2
	exit 2
}

other_release() {
	[ -r /etc/os-release ] && . /etc/os-release
	case ${VERSION_CODENAME:-} in
	bookworm) echo trixie ;;
	trixie) echo bookworm ;;
	*) fail "knows of no other release than ${VERSION_CODENAME:-this one} whose QEMU runs here" ;;
	esac
}

prepare_apt() {
	rm -rf "$dir/apt" "$dir/root"
	mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial" "$dir/root"
	"$tools/release_sources.sh" "$1" "$dir/apt/sources" >/dev/null || fail "no sources of $1"
	: >"$dir/apt/status" # nothing is installed: all that QEMU needs is fetched
	cat >"$dir/apt/apt.conf" <<-END
		Dir::State "$dir/apt";
		Dir::State::Lists "$dir/apt/lists";
		Dir::State::status "$dir/apt/status";
		Dir::Cache "$dir/apt/cache";
		Dir::Etc::SourceList "/dev/null";
		Dir::Etc::SourceParts "$dir/apt/sources";
		APT::Sandbox::User "root";
	END
	export APT_CONFIG="$dir/apt/apt.conf"
}

fetch() {
	apt-get update -q >&2 || fail "apt-get update for $1 failed"
	apt-get install -y -q --no-install-recommends --download-only qemu-system-x86 >&2 ||
		fail "apt-get could not fetch the QEMU of $1"
	for deb in "$dir"/apt/cache/archives/*.deb; do
		dpkg-deb -x "$deb" "$dir/root"
	done
	rm -rf "$dir/apt/cache"
}

# With or without /usr merged; where the loader and the libraries are.
write_program() {
	for lib in usr/lib lib; do
		[ -e "$dir/root/$lib/x86_64-linux-gnu/libc.so.6" ] && libs=$dir/root/$lib/x86_64-linux-gnu
	done
	[ -n "${libs:-}" ] || fail "its packages hold no C library"
	for at in "$libs/ld-linux-x86-64.so.2" "$dir/root/usr/lib64/ld-linux-x86-64.so.2" \
		"$dir/root/lib64/ld-linux-x86-64.so.2"; do
		[ -e "$at" ] && loader=$at
	done
	[ -n "${loader:-}" ] || fail "its packages hold no loader"
	cat >"$program.new" <<-END
		#!/bin/sh
		root='$dir/root'
		QEMU_MODULE_DIR=\$root/usr/lib/x86_64-linux-gnu/qemu
		export QEMU_MODULE_DIR
		exec '$loader' --library-path "$libs:\$root/usr/lib/x86_64-linux-gnu" \\
			"\$root/usr/bin/qemu-system-x86_64" -L "\$root/usr/share/qemu" -L "\$root/usr/share/seabios" "\$@"
	END
	chmod +x "$program.new"
	"$program.new" --version >&2 || fail "it does not start"
	mv "$program.new" "$program"
}

if [ ! -x "$program" ]; then
	release=$(other_release)
	prepare_apt "$release"
	fetch "$release"
	write_program
fi
echo "$program"
