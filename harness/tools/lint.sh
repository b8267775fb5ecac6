#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the compiler doesn't check: formatting, what mm/ includes, folders that point one way, names of headers, what the
# docs name, licence lines, duplicate code.
# Exit 0 if all hold.
set -u
bad=0
complain() {
	echo "lint: $*" >&2
	bad=1
}

sources=$(git ls-files '*.c' '*.h')

# Another version formats in another way.
case $(clang-format --version) in
*'version 14.'*) clang-format --dry-run --Werror $sources || complain "formatting: run make format" ;;
*) echo "lint: formatting was not looked at: this is not clang-format 14" >&2 ;;
esac

# "FILE INCLUDE" for each include in the files given, with its <> or "".
includes() {
	git ls-files "$@" | xargs grep -HE '^#include [<"]' | sed -n 's/^\([^:]*\):#include \([<"][^>"]*[>"]\).*/\1 \2/p'
}

# An include of the stub's names its folder. A bare name is in include/, or a variant that the include path
# picks (kernel-stub/part.mk).
bare=$(includes 'kernel-stub/*.c' 'kernel-stub/*.h' 'kernel-stub/*.S' | while read -r f inc; do
	name=$(echo "$inc" | tr -d '"')
	case $inc in
	'<'* | */*) continue ;;
	esac
	[ -n "$(git ls-files "kernel-stub/include/$name" "kernel-stub/mm/debug/$name" "kernel-stub/mm/vma/index/*/$name" \
		"kernel-stub/port/*/port_impl.h" "kernel-stub/port/guest/debug/$name" | grep "/$name\$")" ] || echo "$f: $inc"
done)
[ -z "$bare" ] || complain "includes that name no folder:
$bare"

# So does one of the harness's, but for what it shares with the stub and what the build makes.
bare=$(includes 'harness/*.c' 'harness/*.h' ':!harness/test' ':!harness/tools' | grep -E '"([^/]*|.*\.\./.*)"$' |
	grep -vE '"(build_info\.h|faultline_abi\.h|fault_class\.def|vmstat\.def)"$')
[ -z "$bare" ] || complain "includes that name no folder, or leave one by ..:
$bare"

# mm/ includes only the three C headers, port.h and its own.
foreign=$(includes 'kernel-stub/mm/*.c' 'kernel-stub/mm/*.h' | while read -r f inc; do
	name=$(echo "$inc" | tr -d '<>"')
	case $inc in
	'<stdint.h>' | '<stddef.h>' | '<stdbool.h>' | '"port/port.h"' | '"mm/'*) ;;
	'<'* | *'/'*) echo "$f: $inc" ;;
	*) [ -n "$(git ls-files "kernel-stub/mm/debug/$name" "kernel-stub/mm/vma/index/*/$name")" ] || echo "$f: $inc" ;;
	esac
done)
[ -z "$foreign" ] || complain "mm/ may include <stdint.h> <stddef.h> <stdbool.h>, port/port.h and its own headers only:
$foreign"

# The rooms of mm/, the lowest first (kernel-stub/README.md); mm.h, its face, all may include.
folders=$(harness/tools/tower.sh kernel-stub/mm mm/ 'base phys pgtable object rmap vma walk fault calls' 'debug release') ||
	complain "the folders of mm/ don't point one way:
$folders"

# The rooms of harness/, the lowest first (docs/architecture.md).
tower=$(harness/tools/tower.sh harness '' 'base measure proc engine model results stats report run cli' 'test tools') ||
	complain "harness/ is no tower:
$tower"

# No header of ours could be taken for one of libc's (C, POSIX, and glibc's own that are near to us).
libc='aio assert complex cpio ctype dirent dlfcn elf errno fcntl features fenv float glob inttypes iso646 libgen
limits link locale malloc math paths poll pthread regex sched search semaphore setjmp signal spawn stdalign stdarg
stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string strings syscall termios tgmath threads time uchar
ucontext unistd utime wait wchar wctype'
for f in $(git ls-files '*.h'); do
	name=${f##*/}
	case " $(echo $libc) " in
	*" ${name%.h} "*) complain "$f: bears the name of a header of libc's" ;;
	esac
done

names=$(harness/tools/doc_names.sh $(git ls-files '*.md')) || complain "the docs name what is not there:
$names"

for f in $(git ls-files '*.c' '*.h' '*.S' '*.def' '*.sh' '*.gp'); do
	head -3 "$f" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' || complain "$f: no SPDX line"
done

# Runs of 100 tokens that stand twice in code (tests excepted: they are tables).
code=$(git ls-files '*.c' '*.h' | grep -v '/test/')
command -v sim_c >/dev/null || echo "lint: duplicate code was not looked for: no sim_c" >&2
dups=$(sim_c -r 100 -n $code 2>/dev/null | grep ": line .*|.*: line" || true)
[ -z "$dups" ] || complain "duplicate code:
$dups"

[ $bad = 0 ] && echo "lint: good"
exit $bad
