#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the compiler doesn't check: formatting, the include rule of mm/, folders that point one way, licence lines,
# duplicate code.
# Exit 0 if all hold.
set -u
bad=0
complain() {
	echo "lint: $*" >&2
	bad=1
}

sources=$(git ls-files '*.c' '*.h')

clang-format --dry-run --Werror $sources || complain "formatting: run make format"

# mm/ includes only the three C headers, port.h and headers of its own directory.
foreign_includes() {
	for f in $(git ls-files 'kernel-stub/mm/*.c' 'kernel-stub/mm/*.h'); do
		sed -n 's/^#include *\([<"][^>"]*[>"]\).*/\1/p' "$f" | while read -r inc; do
			name=$(echo "$inc" | tr -d '<>"')
			case $inc in
			'<stdint.h>' | '<stddef.h>' | '<stdbool.h>' | '"port.h"') continue ;;
			'<'*) echo "$f: $inc" ;;
			*) [ -n "$(git ls-files "kernel-stub/mm/$name" "kernel-stub/mm/*/$name")" ] || echo "$f: $inc" ;;
			esac
		done
	done
}
foreign=$(foreign_includes)
[ -z "$foreign" ] || complain "mm/ may include <stdint.h> <stddef.h> <stdbool.h>, port.h and its own headers only:
$foreign"

# The rooms of harness/, the lowest first (docs/architecture.md).
tower=$(harness/tools/tower.sh harness '' 'base measure proc engine model results stats report run cli' 'test tools') ||
	complain "harness/ is no tower:
$tower"

for f in $(git ls-files '*.c' '*.h' '*.S' '*.def' '*.sh' '*.gp'); do
	head -3 "$f" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' || complain "$f: no SPDX line"
done

# Runs of 100 tokens that stand twice in code (tests excepted: they are tables).
code=$(git ls-files '*.c' '*.h' | grep -v '/test/')
dups=$(sim_c -r 100 -n $code 2>/dev/null | grep ": line .*|.*: line" || true)
[ -z "$dups" ] || complain "duplicate code:
$dups"

[ $bad = 0 ] && echo "lint: good"
exit $bad
