# SPDX-License-Identifier: GPL-2.0-or-later
# Want of memory in the middle of each operation, on the debug stub under tcg: inject.c has them.
#
# Needs: build; a program faultline with the engine tcg.

atf_test_case each_allocation
each_allocation_head()
{
	atf_set descr "each allocation of each operation fails in turn: nothing is lost, all goes on"
	atf_set timeout 600
}
each_allocation_body()
{
	build=$(atf_config_get build)
	[ -x "$build/faultline" ] || atf_skip "needs $build/faultline"
	command -v qemu-system-x86_64 >/dev/null || atf_skip "needs qemu-system-x86_64"
	FAULTLINE_STUB=$build/stub-debug.elf "$build/faultline" exec -v -e tcg -- "$build/abi/inject" \
		>out 2>err || atf_fail "status $?: $(cat out err)"
	! grep -a -E 'BUG:|Kernel panic' err || atf_fail "$(cat err)"
	[ "$(tail -n 1 out)" = done ] || atf_fail "$(cat out)"
	# Only madvise DONTNEED, and brk that makes the heap larger, need no memory.
	[ "$(grep -c ': 0 allocations' out)" = 2 ] || atf_fail "$(cat out)"
}

atf_test_case not_in_release
not_in_release_head()
{
	atf_set descr "the stub that is measured refuses to make allocations fail"
}
not_in_release_body()
{
	build=$(atf_config_get build)
	command -v qemu-system-x86_64 >/dev/null || atf_skip "needs qemu-system-x86_64"
	atf_check -s exit:1 -o match:'no failing allocations in this stub: 38' -e ignore \
	    "$build/faultline" exec -e tcg -- "$build/abi/inject"
}

atf_init_test_cases()
{
	atf_add_test_case each_allocation
	atf_add_test_case not_in_release
}
