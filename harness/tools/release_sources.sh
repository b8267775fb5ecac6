#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a directory with what apt needs to know of another Debian release: this machine's own sources for the
# distribution, with the release's name put in the place of this machine's.
#
#   release_sources.sh RELEASE DIR
#
# Exit 2 if none of the machine's sources names its own release. Prints the first archive's address: what
# debootstrap wants.
set -eu
release=$1 dir=$2
[ -r /etc/os-release ] && . /etc/os-release
own=${VERSION_CODENAME:-}
if [ "${ID:-}" != debian ] || [ -z "$own" ]; then
	echo "release_sources.sh: this is no Debian with a release's name" >&2
	exit 2
fi
mkdir "$dir"

swap() {
	sed -E "/^ *#/d; s/\\b$own\\b/$release/g" "$1"
}

for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
	[ -r "$f" ] && grep -qE "^[^#]*\b$own\b" "$f" || continue
	swap "$f" >"$dir/$(basename "$f")"
done
uri=$(sed -nE 's/^URIs: *([^ ]+).*/\1/p; s/^deb +(\[[^]]*\] +)?([^ ]+) .*/\2/p' "$dir"/* 2>/dev/null | head -1)
if [ -z "$uri" ]; then
	echo "release_sources.sh: no source of apt names $own" >&2
	exit 2
fi
echo "$uri"
