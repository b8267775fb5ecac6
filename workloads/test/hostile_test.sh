# SPDX-License-Identifier: GPL-2.0-or-later
# What hostile.c does to the kernel, on tcg: nothing of it may bring the kernel down. Where Linux can
# be asked, output and end are Linux's; elsewhere the case says how it ends.
#
# Needs: build, top; setarch; a program faultline with the engine tcg.

same="flags compatibility compatibility_syscall interrupts privileged stacks frames
out_of_descriptors out_of_vmas altstack"

on_stub()
{
	build=$(atf_config_get build)
	[ -x "$build/faultline" ] || atf_skip "needs $build/faultline"
	command -v qemu-system-x86_64 >/dev/null || atf_skip "needs qemu-system-x86_64"
	"$build/faultline" exec -v -e tcg -- "$build/abi/hostile" "$@" >got.out 2>got.err
	status=$?
	! grep -a -E 'BUG:|Kernel panic' got.err || atf_fail "$*: $(tail -n 20 got.err)"
}

same_as_linux()
{
	on_stub "$@"
	setarch -R true 2>/dev/null || atf_skip "needs setarch -R"
	setarch -R "$build/abi/hostile" "$@" >want.out 2>want.err
	want=$?
	diff -u want.out got.out || atf_fail "$*: Linux (-) and the stub (+) differ"
	[ $want = $status ] || atf_fail "$*: status $want on Linux, $status on the stub"
}

# How many seeds a case has.
run_same()
{
	case $1 in
	altstack) seeds="0 1 2 3 4 5 6" ;;
	frames) seeds="1 2" ;;
	*) seeds=1 ;;
	esac
	for seed in $seeds; do
		same_as_linux "$1" $seed
	done
}

system_calls_head()
{
	atf_set timeout 600
}

# Garbage may well fill the memory: then the end is that of out_of_memory.
system_calls_body()
{
	for seed in 1 2; do
		on_stub system_calls $seed
		grep -q 'went on' got.out || grep -q 'Out of memory: Killed process' got.err ||
			atf_fail "seed $seed: status $status: $(tail -n 5 got.err)"
	done
}

threads_head()
{
	atf_set timeout 600
}

threads_body()
{
	for seed in 1 2 3; do
		on_stub threads $seed
		[ $status = 0 ] || atf_fail "seed $seed: status $status: $(tail -n 5 got.err)"
		atf_check -o inline:'went on\n' cat got.out
	done
}

out_of_memory_head()
{
	atf_set timeout 600
}

out_of_memory_body()
{
	for what in out_of_pages out_of_tables out_of_pages_in_call; do
		on_stub $what
		[ $status = 137 ] || atf_fail "$what: status $status"
		grep -q 'Out of memory: Killed process 1 (hostile)' got.err ||
			atf_fail "$what: $(cat got.err)"
	done
}

atf_init_test_cases()
{
	for case in $same; do
		eval "${case}_head() { atf_set timeout 600; }"
		eval "${case}_body() { run_same $case; }"
		atf_add_test_case "$case"
	done
	atf_add_test_case system_calls
	atf_add_test_case threads
	atf_add_test_case out_of_memory
}
