# SPDX-License-Identifier: GPL-2.0-or-later
# Changes that are no work: every class and phase of the default matrix is as it was, to the
# instruction. Each change is made alone.

setup() {
	build=$(atf_config_get build)
	export FAULTLINE_SOURCE=$(atf_config_get top)
	command -v qemu-system-x86_64 >/dev/null || atf_skip "no qemu-system-x86_64"
}

# matrix NAME OPTION...: runs it into NAME.
matrix() {
	name=$1
	shift
	"$build/faultline" matrix -e tcg -o "$name" "$@" default >"$name.out" 2>&1 ||
	    atf_fail "$name: $(cat "$name.out")"
}

# The matrix as it is, and once with the change: its name and what matrix() gets, or a variable for it.
unchanged() {
	matrix "$@"
	cmp -s base/cells.csv "$1/cells.csv" && return
	diff base/cells.csv "$1/cells.csv" | head -n 20
	moved="$moved $1"
}

stub_changed() {
	FAULTLINE_STUB=$build/null/stub_$1.elf unchanged "$1"
}

atf_test_case default_matrix
default_matrix_head() {
	atf_set descr "bss, data, rodata, a function, a message, the command line; data, a file, a path, the environment"
	atf_set timeout 900
}
default_matrix_body() {
	setup
	moved=
	matrix base
	for kind in bss data rodata function message; do
		stub_changed $kind
	done
	unchanged cmdline --append "nothing=$(printf '%0300d' 0)"
	unchanged file --file "$FAULTLINE_SOURCE/README.md"
	unchanged environment -E "NOTHING=$(printf '%06000d' 0)"
	FAULTLINE_WORKLOADS=$build/null/workloads unchanged workload_data
	longer=$(pwd)/$(printf '%0200d' 0)
	cp -r "$build/workloads" "$longer"
	FAULTLINE_WORKLOADS=$longer unchanged path
	[ -z "$moved" ] || atf_fail "these are no work, and moved numbers:$moved"
}

# What it looks for is there to be found: a nop in the fault path.
atf_test_case a_change_shows
a_change_shows_body() {
	setup
	matrix base
	moved=
	FAULTLINE_STUB=$build/null/stub_nop.elf unchanged nop >nop.diff
	[ -n "$moved" ] || atf_fail "one instruction more in each fault moved nothing"
	grep -q 'user.minor.anon_alloc' nop.diff || atf_fail "not the class: $(cat nop.diff)"
}

atf_init_test_cases() {
	atf_add_test_case default_matrix
	atf_add_test_case a_change_shows
}
