#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Do the functions and files that the docs name exist?
#
#   doc_names.sh DOC...
#
# Of what stands in `…` or in a ``` block of a DOC: each function() must be one that code of the tree calls or defines;
# each folder/ and each name that ends like a source file must be one that git knows, from the top, from DOC's directory or
# from a part's (kernel-stub/, harness/, workloads/); bare file names and folders anywhere. Shell patterns stand for several.
# What has NAME in it is the reader's, build/ is anything; the folders of a run (docs on results) are not looked for. What is
# not ours (Linux's mm/vma.c) stands without `…`. Links must lead somewhere, too. Prints what does not exist; exit 0 if
# all does.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

git grep -ohE '[A-Za-z_][A-Za-z0-9_]*\(' -- '*.c' '*.h' '*.S' '*.def' '*.sh' | sort -u >"$work/calls"

# "LINE NAME" of each word in what is code in a DOC, and "LINE link:TARGET" of each link.
names() {
	awk '
		function words(text, n, word, i) {
			n = split(text, word, /[ ,;:|"=→├└│]+/)
			for (i = 1; i <= n; i++)
				print NR, word[i]
		}
		/^```/ { block = !block; next }
		block { words($0); next }
		{
			if (!NF) {
				code = 0
				next
			}
			n = split($0, part, "`")
			text = ""
			for (i = 1; i <= n; i++)
				if ((i + code) % 2)
					text = text part[i]
				else
					words(part[i])
			code = (code + n + 1) % 2
			while (match(text, /\]\([^)#]+/)) {
				print NR, "link:" substr(text, RSTART + 2, RLENGTH - 2)
				text = substr(text, RSTART + RLENGTH)
			}
		}' "$1"
}

known() { # PATTERN...
	for pattern in "$@"; do
		[ -z "$(git ls-files ":(glob)$pattern")" ] || return 0
	done
	return 1
}

for doc in "$@"; do
	dir=$(dirname "$doc")
	names "$doc" | while read -r line name; do
		case $doc:$name in
		*results*:[a-z]*/) continue ;;
		esac
		case $name in
		*NAME* | link:http* | /* | build/*) ;;
		*'()')
			name=${name%'()'}
			name=${name##*[!A-Za-z0-9_]}
			grep -qxF "$name(" "$work/calls" || echo "$doc:$line: $name() is nowhere in the code"
			;;
		link:*)
			name=${name#link:}
			[ -e "$dir/$name" ] || echo "$doc:$line: the link to $name leads nowhere"
			;;
		[a-z]*/*.[chS] | [a-z]*/*.'[ch]' | [a-z]*/*.def | [a-z]*/*.sh | [a-z]*/*.gp | [a-z]*/*.ini | [a-z]*/*.mk | [a-z]*/*.ld | [a-z]*/*.md)
			known "$name" "$dir/$name" "kernel-stub/$name" "harness/$name" "workloads/$name" ||
				echo "$doc:$line: there is no $name"
			;;
		[a-z]*.[chS] | [a-z]*.'[ch]' | [a-z]*.def | [a-z]*.sh | [a-z]*.gp | [a-z]*.ini | [a-z]*.mk | [a-z]*.ld | [a-z]*.md)
			known "**/$name" || echo "$doc:$line: there is no $name"
			;;
		[a-z]*/)
			known "$name**" "**/$name**" || echo "$doc:$line: there is no folder $name"
			;;
		esac
	done
done >"$work/bad"
cat "$work/bad"
[ ! -s "$work/bad" ]
