# SPDX-License-Identifier: GPL-2.0-or-later
# faultline exec and faultline doctor, as typed.

faultline() {
	"$(atf_config_get build)/faultline" "$@"
}

need() {
	faultline exec -e "$1" -- "$program" exit 0 >out 2>err || atf_skip "engine $1: $(cat err)"
}

each_engine_body() {
	program=$(atf_config_get build)/guests/program
	need "$1"
	atf_check -s exit:0 -o inline:'out one\n' -e match:'err two' \
	    "$(atf_config_get build)/faultline" exec -e "$1" -- "$program" print one two
	atf_check -s exit:7 -o empty -e ignore \
	    "$(atf_config_get build)/faultline" exec -e "$1" -- "$program" exit 7
	atf_check -s exit:139 -o empty -e ignore \
	    "$(atf_config_get build)/faultline" exec -e "$1" -- "$program" raise 11
	atf_check -s exit:2 -o empty -e match:'no end within' \
	    "$(atf_config_get build)/faultline" exec -e "$1" --timeout 1 -- "$program" hang
}

atf_test_case tcg
tcg_body() { each_engine_body tcg; }
atf_test_case kvm
kvm_body() { each_engine_body kvm; }
atf_test_case linux
linux_body() { each_engine_body linux; }

# What the guest gets beside the program.
atf_test_case extras
extras_body() {
	program=$(atf_config_get build)/guests/program
	faultline=$(atf_config_get build)/faultline
	atf_check -s exit:2 -e match:'-E ABC: a variable is NAME=VALUE' \
	    "$faultline" exec -E ABC -- "$program" exit 0
	atf_check -s exit:2 -e match:'--file nope: nope: No such file' \
	    "$faultline" exec --file nope -- "$program" exit 0
	echo some text >file
	atf_check -s exit:2 -e match:"the guest's name begins with /" \
	    "$faultline" exec --file file=name -- "$program" exit 0
	atf_check -s exit:2 -e match:'engine linux boots none' \
	    "$faultline" exec -e linux --append x -- "$program" exit 0
	NAME=other atf_check -o inline:'value\n' \
	    "$faultline" exec -e linux -E NAME=value -- "$program" getenv NAME
	need tcg
	atf_check -o inline:'value=1\n' \
	    "$faultline" exec -e tcg -E NAME=value=1 -- "$program" getenv NAME
	atf_check -o inline:'2\n' \
	    "$faultline" exec -e tcg -E NAME=1 -E OTHER=0 -E NAME=2 -- "$program" getenv NAME
	atf_check -o inline:'some text\n' \
	    "$faultline" exec -e tcg --file file -- "$program" cat /file
	atf_check -o inline:'some text\n' \
	    "$faultline" exec -e tcg --file file=/a/b -- "$program" cat /a/b
	atf_check -s exit:2 -e match:'the guest has a file /program already' \
	    "$faultline" exec -e tcg --file file=/program -- "$program" exit 0
	atf_check -s exit:2 -e match:'cpus=0: want 1 to' \
	    "$faultline" exec -e tcg --append cpus=0 --append x -- "$program" exit 0
}

# As many CPUs as were asked for, seen by the program itself.
cpus_on() {
	faultline=$(atf_config_get build)/faultline
	program=$(atf_config_get build)/guests/program
	need "$1"
	atf_check -o inline:"$2 CPUs\n" "$faultline" exec -e "$1" -c "$2" -- "$program" cpus
}
atf_test_case cpus_tcg
cpus_tcg_body() {
	cpus_on tcg 1
	cpus_on tcg 3
	cpus_on tcg 64
}
atf_test_case cpus_kvm
cpus_kvm_body() {
	cpus_on kvm 2
	cpus_on kvm 5
}
atf_test_case cpus_linux
cpus_linux_body() {
	cpus_on linux 1
	[ "$(nproc)" -lt 2 ] || cpus_on linux 2
	atf_check -s exit:2 -e match:'64 CPUs' taskset -c 0 \
	    "$faultline" exec -e linux -c 64 -- "$program" cpus
}

# QEMU's own default for the code that it translates is 1 GiB, which a host that commits no more than
# it has (vm.overcommit_memory=2) refuses; a limit of the address space does the same.
atf_test_case little_memory_tcg
little_memory_tcg_body() {
	faultline=$(atf_config_get build)/faultline
	program=$(atf_config_get build)/guests/program
	need tcg
	(
		ulimit -v 1048576
		atf_check -o inline:'out one\n' -e ignore "$faultline" exec -e tcg -- "$program" print one
	) || atf_fail "a cell asks for 1 GiB or more: $(cat err)"
}

atf_test_case wrong_use
wrong_use_body() {
	faultline=$(atf_config_get build)/faultline
	program=$(atf_config_get build)/guests/program
	atf_check -s exit:2 -e match:'which program' "$faultline" exec
	atf_check -s exit:2 -e match:'no engine x' "$faultline" exec -e x -- "$program"
	atf_check -s exit:2 -e match:'memory = 1Q' "$faultline" exec -m 1Q -- "$program"
	atf_check -s exit:2 -e match:'from 32M to 511G' "$faultline" exec -m 1T -- "$program"
	atf_check -s exit:2 -e match:'cpus = 0' "$faultline" exec -c 0 -- "$program"
	atf_check -s exit:2 -e match:'KEY=VALUE' "$faultline" exec -s memory -- "$program"
	atf_check -s exit:2 -e match:'no setting panic_on_oop: did you mean panic_on_oops' \
	    "$faultline" exec -s panic_on_oop=1 -- "$program"
	atf_check -s exit:2 -e match:'panic_on_oops = 2' \
	    "$faultline" exec -s panic_on_oops=2 -- "$program"
	atf_check -s exit:2 -e match:'timeout' "$faultline" exec --timeout=-1 -- "$program"
	atf_check -s exit:2 -e match:'dynamically linked' "$faultline" exec -e linux -- /bin/sh
	atf_check -s exit:2 -e match:'No such file' "$faultline" exec -e linux -- ./nothing
	atf_check -s exit:0 -o match:'PROGRAM' "$faultline" exec --help
}

# A caller that closed the standard streams, a disk that is full, a reader that went away.
streams_body() {
	faultline=$(atf_config_get build)/faultline
	program=$(atf_config_get build)/guests/program
	need "$1"
	"$faultline" exec -e "$1" -- "$program" exit 7 <&- >&- 2>&-
	atf_check_equal 7 $?
	"$faultline" exec -e "$1" -- "$program" print one two >/dev/full 2>err
	atf_check_equal 2 $?
	atf_check -o match:'two' -o match:'cut short: No space left' cat err
	{ until [ -e gone ]; do sleep 0.01; done
	  "$faultline" exec -e "$1" -- "$program" print one two 2>err; echo $? >status; } |
		{ exec <&-; : >gone; }
	atf_check -o inline:'141\n' cat status
}

atf_test_case streams_tcg
streams_tcg_body() { streams_body tcg; }
atf_test_case streams_linux
streams_linux_body() { streams_body linux; }

# An oops shows the kernel's console; where it is told to panic, the program has no status.
atf_test_case oops
oops_body() {
	faultline=$(atf_config_get build)/faultline
	oops=$(atf_config_get build)/workloads/kernel-oops
	"$faultline" exec -e tcg -- "$oops" >out 2>err
	status=$?
	test $status -ne 2 || atf_skip "engine tcg: $(cat err)"
	atf_check_equal 0 $status
	atf_check -o match:'BUG: ' -o match:'arch_raw_read\+0' -o match:'\.c:[0-9]' cat err
	atf_check -s exit:2 -o ignore -e match:'exec: kernel panic: ' -e match:'BUG: ' \
	    "$faultline" exec -e tcg -s panic_on_oops=1 -- "$oops"
}

# Killed harshly, the harness takes its emulator with it.
atf_test_case no_orphans
no_orphans_body() {
	program=$(atf_config_get build)/guests/program
	need tcg
	# not by the function: $! would be a subshell of ours
	"$(atf_config_get build)/faultline" exec -e tcg --timeout 3000 -- "$program" hang &
	harness=$!
	child=
	while [ -z "$child" ]; do
		child=$(cat /proc/$harness/task/$harness/children) || atf_fail "no emulator runs"
	done
	kill -9 $harness
	wait $harness
	# for ever, if one outlives it: then the time of the case ends this
	for pid in $child; do
		while grep -q '^State:.[^Z]' "/proc/$pid/status" 2>/dev/null; do sleep 0.1; done
	done
}

atf_test_case doctor
doctor_body() {
	faultline doctor >out 2>err
	status=$?
	cat out err
	test $status -eq 0 -o $status -eq 2 || atf_fail "exit status $status"
	for word in kvm tcg linux CPUs: stub PAPI_TLB_DM topology TSC governor gnuplot; do
		grep -q "$word" out || atf_fail "nothing is said of $word"
	done
}

atf_init_test_cases() {
	atf_add_test_case tcg
	atf_add_test_case kvm
	atf_add_test_case linux
	atf_add_test_case extras
	atf_add_test_case cpus_tcg
	atf_add_test_case cpus_kvm
	atf_add_test_case cpus_linux
	atf_add_test_case little_memory_tcg
	atf_add_test_case wrong_use
	atf_add_test_case streams_tcg
	atf_add_test_case streams_linux
	atf_add_test_case oops
	atf_add_test_case no_orphans
	atf_add_test_case doctor
}
