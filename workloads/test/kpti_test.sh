# SPDX-License-Identifier: GPL-2.0-or-later
# kpti=on: ring 3's page tables have no kernel, and programs notice nothing.
#
# Needs: build, top; zstd; a program faultline with the engine tcg (kvm: /dev/kvm that opens).

need()
{
	build=$(atf_config_get build)
	top=$(atf_config_get top)
	[ -x "$build/faultline" ] || atf_skip "needs $build/faultline"
	case $1 in
	tcg) command -v qemu-system-x86_64 >/dev/null || atf_skip "needs qemu-system-x86_64" ;;
	kvm) (: <>/dev/kvm) 2>/dev/null || atf_skip "needs /dev/kvm: it cannot be opened" ;;
	esac
}

# on ENGINE CPUS PROGRAM KPTI: its output in out.KPTI, with the status behind it.
on()
{
	"$build/faultline" exec -e "$1" -c "$2" -s kpti="$4" -- "$build/abi/$3" >"out.$4" 2>"err.$4"
	echo "status $?" >>"out.$4"
}

# compare ENGINE CPUS PROGRAM...: that kpti=on changes nothing.
compare()
{
	engine=$1
	cpus=$2
	shift 2
	need "$engine"
	for program; do
		on "$engine" "$cpus" "$program" off
		on "$engine" "$cpus" "$program" on
		diff -u out.off out.on || atf_fail "$program: kpti=off (-) and kpti=on (+) differ"
	done
}

programs_tcg_body()
{
	compare tcg 1 abi_exec abi_fork abi_io abi_mmap abi_sched abi_sigframe abi_signal abi_sigreturn abi_trap
}

programs_cpus_body()
{
	compare tcg 4 abi_affinity abi_cow abi_kill abi_pipe
}

programs_kvm_body()
{
	compare kvm 2 abi_fork abi_signal
}

# error_codes KPTI: those of ring 3's faults on the kernel's text, as the processor gave them.
error_codes()
{
	"$build/faultline" run -e tcg -s recorder=raw -s kpti="$1" -o "run.$1" \
	    "$top/workloads/profiles/invalid-access.ini" >/dev/null 2>err || atf_fail "$(cat err)"
	zstd -dc "run.$1"/events/*.zst | od -An -v -tx1 -w32 |
		awk '$9 $10 $11 $12 $13 $14 $15 $16 == "00002080ffffffff" { print $30 }' | sort -u
}

# Present and forbidden, or not even present.
isolation_body()
{
	need tcg
	command -v zstd >/dev/null || atf_skip "needs zstd"
	atf_check_equal "$(error_codes off)" 05
	atf_check_equal "$(error_codes on)" 04
}

# What it costs is there to see.
cost_body()
{
	need tcg
	for kpti in off on; do
		"$build/faultline" run -e tcg -s kpti=$kpti -o run.$kpti \
		    "$top/workloads/profiles/anon-touch.ini" >/dev/null 2>err || atf_fail "$(cat err)"
	done
	"$build/faultline" compare run.off run.on >differences
	grep -q kpti=on run.on/cells.csv || atf_fail "the cell does not say kpti=on"
}

atf_init_test_cases()
{
	for case in programs_tcg programs_cpus programs_kvm isolation cost; do
		eval "${case}_head() { atf_set timeout 600; }"
		atf_add_test_case $case
	done
}
