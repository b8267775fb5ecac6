#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds and tests this checkout on another Debian release: in a tree of its own that debootstrap makes, with the
# packages that the release has.
#
#   check-release.sh RELEASE DIR     e.g. trixie build/release/trixie
#
# DIR keeps the tree: a second run only copies the checkout again. What is mounted in it is so in a mount
# namespace of this process, and is gone with it. Needs root. The last line is `make check`'s; exit 2 if it can't be
# done here.
set -eu

fail() {
	echo "check-release.sh: $*" >&2
	exit 2
}

[ $# = 2 ] || fail "name a release and a directory"
[ "$(id -u)" = 0 ] || fail "needs root, to install a Debian in $2 and to mount /proc, /sys and /dev there"
if [ -z "${CHECK_RELEASE_INSIDE:-}" ]; then
	export CHECK_RELEASE_INSIDE=1
	exec unshare --mount --propagation private "$0" "$@"
fi
release=$1 dir=$2
top=$(pwd)
tools=$(dirname "$0")
root=$dir/root

# ---- the tree ----

make_tree() {
	"$tools/deps.sh" release
	rm -rf "$dir"
	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd)
	root=$dir/root
	uri=$("$tools/release_sources.sh" "$release" "$dir/sources")
	debootstrap --variant=minbase --include=ca-certificates,make,git "$release" "$root" "$uri" >&2 ||
		fail "debootstrap could not make a $release (its log: $root/debootstrap/debootstrap.log)"
	rm -f "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/*
	cp "$dir"/sources/* "$root/etc/apt/sources.list.d/"
	touch "$dir/made"
}

# How this machine reaches its archives: proxies, certificates, credentials, names.
copy_settings() {
	for f in apt/apt.conf apt/apt.conf.d apt/auth.conf apt/auth.conf.d apt/keyrings resolv.conf hosts \
		ssl/certs/ca-certificates.crt; do
		[ -e "/etc/$f" ] || continue
		mkdir -p "$root/etc/$(dirname "$f")"
		cp -rL "/etc/$f" "$root/etc/$(dirname "$f")/"
	done
}

[ -e "$dir/made" ] || make_tree
root=$(cd "$root" && pwd)
copy_settings

# ---- the checkout, as it stands, with its history ----

rm -rf "$root/the-checkout"
git clone -q --no-hardlinks "$top" "$root/the-checkout"
git ls-files -z --cached --others --exclude-standard | xargs -0 sh -c 'for f; do [ ! -e "$f" ] || printf "%s\0" "$f"; done' sh |
	tar --null -T - -cf - | tar -xf - -C "$root/the-checkout"

# ---- inside ----

mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=dumb \
	${CHECK_RELEASE_RUN:+CHECK_RELEASE_RUN="$CHECK_RELEASE_RUN"} \
	sh -c 'cd /the-checkout && git config --global --replace-all safe.directory "*" && apt-get update -q >&2 &&
		make deps-all && make B=build/clang CC=clang -j2 all && make -j2 tests && ${CHECK_RELEASE_RUN:-make check}'
