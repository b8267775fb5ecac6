#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: put.sh NAME FILE < text
#
# Puts the text between the lines <!-- NAME --> and <!-- /NAME --> of FILE.
set -eu
name=$1 file=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/text"
awk -v name="$name" -v text="$work/text" '
	$0 == "<!-- /" name " -->" { inside = 0; closed = 1 }
	!inside { print }
	$0 == "<!-- " name " -->" {
		inside = 1
		print ""
		while ((getline line < text) > 0)
			print line
		print ""
	}
	END { exit !closed }
' "$file" >"$work/new" || {
	echo "put.sh: $file has no lines <!-- $name --> and <!-- /$name -->" >&2
	exit 1
}
cat "$work/new" >"$file"
