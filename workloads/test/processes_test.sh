# SPDX-License-Identifier: GPL-2.0-or-later
# What the stub does at the ends of its tether, with several processes, on tcg; processes.c has the
# cases.
#
# Needs: build; a program faultline with the engine tcg.

# on_stub MEMORY CASE [ARG...]: its output in out and err, its end in $status. On $cpus CPUs, or 1.
on_stub()
{
	memory=$1
	shift
	build=$(atf_config_get build)
	[ -x "$build/faultline" ] || atf_skip "needs $build/faultline"
	command -v qemu-system-x86_64 >/dev/null || atf_skip "needs qemu-system-x86_64"
	"$build/faultline" exec -v -e tcg -c "${cpus:-1}" -m "$memory" -- "$build/abi/processes" "$@" >out 2>err
	status=$?
	! grep -a -E 'BUG:|Kernel panic' err || atf_fail "$*: $(tail -n 20 err)"
}

ends_with()
{
	[ "$status" -eq "$1" ] || atf_fail "status $status, not $1: $(tail -n 5 err)"
}

out_of_memory_body()
{
	on_stub 32M out_of_memory
	ends_with 0
	atf_check -o inline:'status 0x9\nstatus 0x9\nstatus 0x9\n' cat out
	atf_check -o match:'Out of memory: Killed process' cat err
}

# Each time one dies, who is chosen is said, and the others' data is right.
oom_victims_body()
{
	on_stub 32M oom_victims
	ends_with 0
	for round in 0 1 2; do
		echo "the largest: 0 0x9 0"
		echo "the hungry: 0 0 0x9"
		echo "not that one: 0 0 0x9"
		echo "the favourite: 0x9 0 0"
	done >want
	atf_check diff -u want out
	[ "$(grep -c 'Out of memory: Killed process' err)" = 12 ] || atf_fail "$(cat err)"
}

crowds_body()
{
	on_stub 32M crowds 4
	ends_with 0
	for round in 0 1 2 3; do
		echo "round $round: Cannot allocate memory"
	done >want
	atf_check diff -u want out
}

# What is free on another CPU's page list is not missing: who is chosen, and how often somebody is,
# is the same on two CPUs.
out_of_memory_cpus2_body()
{
	cpus=2
	out_of_memory_body
}

oom_victims_cpus2_body()
{
	cpus=2
	oom_victims_body
}

# The children begin while the parent still forks: some have been killed by then, and of about 390
# processes 5 to 30 are missing in the end, by the order of things. None is lost for good.
crowds_cpus2_body()
{
	cpus=2
	on_stub 32M crowds 8 60
	ends_with 0
	for round in 0 1 2 3 4 5 6 7; do
		echo "round $round: Cannot allocate memory"
	done >want
	atf_check diff -u want out
}

numbers_run_out_body()
{
	on_stub 1G crowds 2
	ends_with 0
	for round in 0 1; do
		echo "round $round: Resource temporarily unavailable"
	done >want
	atf_check diff -u want out
}

turnover_body()
{
	on_stub 32M turnover
	ends_with 0
	atf_check -o inline:'400 children\n' cat out
}

deadlock_body()
{
	on_stub 32M deadlock
	ends_with 137
	atf_check -o match:'every process waits and nobody is left to wake one' cat err
}

first_ends_body()
{
	on_stub 32M first_ends
	ends_with 7
}

# The timer is virtual time: each run is pre-empted at the same instructions.
repeatable_body()
{
	on_stub 32M clock_at_end
	ends_with 0
	mv out first
	on_stub 32M clock_at_end
	atf_check diff -u first out
}

# The timer is there, and its rate known, before there is a program.
first_deadlines_body()
{
	on_stub 32M first_fork
	ends_with 0
	on_stub 32M first_sleep
	ends_with 0
	cpus=2
	on_stub 64M first_sleep
	ends_with 0
}

atf_init_test_cases()
{
	for case in out_of_memory oom_victims crowds out_of_memory_cpus2 oom_victims_cpus2 crowds_cpus2 \
		numbers_run_out turnover deadlock first_ends repeatable first_deadlines; do
		eval "${case}_head() { atf_set timeout 600; }"
		atf_add_test_case $case
	done
}
