# SPDX-License-Identifier: GPL-2.0-or-later
# Samples of ring 3 that an interrupt falls into: marked, left out of the histogram, counted.
#
# Needs: build; a program faultline with the engines tcg and linux (kvm: /dev/kvm that opens).

tool()
{
	build=$(atf_config_get build)
	[ -x "$build/faultline" ] || atf_skip "needs $build/faultline"
	command -v qemu-system-x86_64 >/dev/null || atf_skip "needs qemu-system-x86_64"
	atf_check -o save:out -e save:err "$build/faultline" "$@"
}

# counts PHASE: its samples in the histogram, and those left out.
counts()
{
	awk -F, -v phase="$1" '$9 == "user" && $10 == phase { print $12, $NF }' run/cells.csv
}

# Exactly those: what is left is as long as if nothing had come between.
exactly_those_body()
{
	tool exec -e tcg -- "$(atf_config_get build)/abi/interrupted"
}

# On kvm lengths are the machine's; how many were marked, and that none is lost, is the program's check.
some_on_kvm_body()
{
	(: <>/dev/kvm) 2>/dev/null || atf_skip "needs /dev/kvm: it cannot be opened"
	tool exec -e kvm -- "$(atf_config_get build)/abi/interrupted" samples=4000
}

# Two threads on one CPU: as many samples as ever, in the results together with those left out.
in_results_body()
{
	tool run -e tcg -o run -s cpus=1 -s memory=256M -s per_cpu=2 -s pages=16384 threads-touch
	counts fault >got
	read -r count interrupted <got
	[ "$((count + interrupted))" = 32768 ] || atf_fail "$count samples and $interrupted left out"
	[ "$interrupted" -gt 0 ] && [ "$interrupted" -lt 20 ] || atf_fail "$interrupted left out"
	# of the whole stretch of time they are a part
	[ "$(counts elapsed)" = '1 0' ] || atf_fail "elapsed: $(counts elapsed)"
}

# Linux tells nobody, which is not the same as none.
linux_does_not_tell_body()
{
	tool run -e linux -o run -s pages=64 anon-touch
	[ "$(counts write)" = '64 ' ] || atf_fail "write: $(counts write)"
	atf_check -o match:'"interrupted": *null' -o match:'"user.interrupted": *"Linux does not tell' \
		cat run/run.json
}

atf_init_test_cases()
{
	for case in exactly_those some_on_kvm in_results linux_does_not_tell; do
		eval "${case}_head() { atf_set timeout 120; }"
		atf_add_test_case $case
	done
}
