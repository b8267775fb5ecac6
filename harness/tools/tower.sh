#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Do the folders of a tree point one way?
#
#   tower.sh DIR PREFIX "FOLDER..." ["APART..."]
#
# The FOLDERs of DIR stand on one another, the lowest first: a file in one (and in what lies within it) includes only
# from its own and from those below. An include names its folder behind PREFIX ("" or "mm/"). Files right in DIR are the
# tree's face, which all may include; what lies APART (tests, tools) may include all, and nothing includes it. A folder
# that stands in neither list is refused, so that the list stays whole. Prints what is wrong; exit 0 if nothing is.
set -eu
dir=$1 prefix=$2 order=$3 apart=${4:-}

{
	git ls-files "$dir/*/*" | sed "s,^$dir/\([^/]*\)/.*,folder \1," | sort -u
	git ls-files "$dir/*/*.[ch]" "$dir/*/*.def" "$dir/*/*.S" |
		xargs grep -Hn "^#[ 	]*include \"$prefix[^/\"]*/" |
		sed 's,^\([^:]*\):\([0-9]*\):[^"]*"\([^"]*\)".*,include \1:\2 \3,'
} | awk -v dir="$dir" -v prefix="$prefix" -v order="$order" -v apart="$apart" '
	BEGIN {
		n = split(order, name, " ")
		for (i = 1; i <= n; i++)
			rank[name[i]] = i
		n = split(apart, name, " ")
		for (i = 1; i <= n; i++)
			is_apart[name[i]] = 1
	}
	function folder(path, above) {
		path = substr(path, length(above) + 1)
		return substr(path, 1, index(path, "/") - 1)
	}
	function complain(what) {
		print what
		bad = 1
	}
	$1 == "folder" && !($2 in rank) && !($2 in is_apart) {
		complain(dir "/" $2 ": stands nowhere in the order of " dir "/")
	}
	$1 == "include" {
		from = folder($2, dir "/")
		to = folder($3, prefix)
		if (!(from in rank) || to == from)
			next
		if (to in is_apart)
			complain($2 ": includes " $3 ", which lies apart")
		else if ((to in rank) && rank[to] > rank[from])
			complain($2 ": " from "/ includes " $3 ", which stands above it")
	}
	END { exit bad }'
