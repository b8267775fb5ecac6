#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs the Debian packages that a step needs, or says how to.
#
#   deps.sh GROUP...    groups: build run check lint svm release
#
# Nothing happens, quickly, when all is there. With root or passwordless sudo it calls apt-get; otherwise
# it prints the one line to run and exits 2.
set -eu

packages() {
	case $1 in
	build) echo gcc make pkg-config libc6-dev linux-libc-dev libhwloc-dev libnuma-dev libpapi-dev \
		libjansson-dev libinih-dev libzstd-dev libdw-dev libelf-dev libgsl-dev ;;
	run) echo qemu-system-x86 gnuplot-nox fonts-dejavu-core ;;
	check) echo kyua libatf-dev atf-sh musl-tools musl-dev ;;
	lint) echo clang clang-format similarity-tester ;;
	svm) echo cpio xz-utils kmod ;;
	release) echo debootstrap ;;
	*) echo "deps.sh: no group $1: use build, run, check, lint, svm, release" >&2; exit 2 ;;
	esac
}

installed() {
	[ "$(dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null | cut -c1-2)" = ii ]
}

if ! command -v dpkg-query >/dev/null; then
	echo "deps.sh: this is no Debian or Ubuntu; install by hand what these names stand for:" >&2
	for g in "$@"; do packages "$g" >&2; done
	exit 0
fi

missing=
for g in "$@"; do
	for p in $(packages "$g"); do
		installed "$p" || missing="$missing $p"
	done
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
	sudo=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
	sudo=sudo
else
	echo "deps.sh: packages are missing; run this, then the same make again:" >&2
	echo "    sudo apt-get install --no-install-recommends$missing" >&2
	exit 2
fi

echo "installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
install() {
	$sudo apt-get install -y -q --no-install-recommends $missing >&2
}
# The lists may be absent or old: fetch them when the first try fails, not before. Not every release has
# what finds duplicate code; lint.sh does without.
install 2>/dev/null || { $sudo apt-get update -q >&2 && install; } || {
	case $missing in
	*\ similarity-tester*) ;;
	*) exit 1 ;;
	esac
	missing=$(echo "$missing" | sed 's/ similarity-tester//')
	[ -z "$missing" ] || install
}
