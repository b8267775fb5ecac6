# SPDX-License-Identifier: GPL-2.0-or-later
# The stub as a guest of QEMU: what boot and the recorder cost, and what it refuses.

# touch NAME SETTING...: anon-touch on 512 pages, its results in NAME.
touch_pages() {
	name=$1
	shift
	"$(atf_config_get build)/faultline" run -e tcg -o "$name" -s pages=512 "$@" \
	    "$(atf_config_get top)/workloads/profiles/anon-touch.ini" >out 2>err ||
	    atf_fail "$name: $(cat err)"
}

# The first number behind "KEY": in a run's results.
result() {
	sed -n "s/.*\"$2\": *\([0-9]*\).*/\1/p" "$1/run.json" | head -n 1
}

# The sum of what ring 3 measured, in instructions.
ring3_sum() {
	awk -F, '$9 == "user" && $10 == "write" { print $13 }' "$1/cells.csv"
}

need_qemu() {
	atf_require_prog qemu-system-x86_64
}

atf_test_case boot_cost
boot_cost_head() {
	atf_set descr "at most 100,000 instructions to ring 3, with little and with much memory"
}
boot_cost_body() {
	need_qemu
	touch_pages small -s memory=64M
	touch_pages large -s memory=16G
	small=$(result small to_user)
	large=$(result large to_user)
	echo "64 MiB: $small, 16 GiB: $large"
	test "$small" -gt 0 && test "$small" -le 100000 || atf_fail "64 MiB: $small"
	test "$large" -le 100000 || atf_fail "16 GiB: $large"
	test "$large" -le $((small + small / 10)) || atf_fail "grows from $small to $large"
}

atf_test_case recorder_cost
recorder_cost_head() {
	atf_set descr "the histogram costs at most 20 instructions a fault, as ring 3 sees it"
}
recorder_cost_body() {
	need_qemu
	touch_pages off -s recorder=off
	touch_pages hist -s recorder=hist
	off=$(ring3_sum off)
	hist=$(ring3_sum hist)
	echo "512 faults: $off without, $hist with the recorder"
	test "$hist" -gt "$off" || atf_fail "nothing was recorded"
	test $((hist - off)) -le $((20 * 512)) || atf_fail "$(((hist - off) / 512)) a fault"
}

# invalid_means SETTING...: invalid-access, whose faults end in a signal; a line PHASE MEAN each.
invalid_means() {
	rm -rf run
	"$(atf_config_get build)/faultline" run -e tcg -o run -s iters=64 "$@" \
	    "$(atf_config_get top)/workloads/profiles/invalid-access.ini" >out 2>err ||
	    atf_fail "invalid-access $*: $(cat err)"
	awk -F, '$9 == "user" { print $10, $20 }' run/cells.csv
}

atf_test_case recorder_cost_signal
recorder_cost_signal_head() {
	atf_set descr "the same of faults that end in a signal"
}
recorder_cost_signal_body() {
	need_qemu
	invalid_means -s recorder=off >off
	invalid_means -s recorder=hist >hist
	join off hist | tee both
	[ "$(wc -l <both)" -ge 6 ] || atf_fail "phases are missing: $(cat both)"
	awk '{ d = $3 - $2; if (d <= 0 || d > 20) { print $1, "costs", d; bad = 1 } } END { exit bad }' both ||
	    atf_fail "more than 20 instructions, or nothing recorded"
}

atf_test_case raw_agrees
raw_agrees_head() {
	atf_set descr "recorder=raw counts the same faults as the histogram alone"
}
raw_agrees_body() {
	need_qemu
	touch_pages raw -s recorder=raw
	atf_check -o match:'user.minor.anon_alloc,0,512,' cat raw/cells.csv
}

# panics APPEND MESSAGE [QEMU-ARG]...: with that command line the stub stops and says so.
panics() {
	append=$1
	message=$2
	shift 2
	timeout 250 qemu-system-x86_64 -nodefaults -no-user-config -display none \
	    -M microvm,pit=off,pic=off,rtc=off,isa-serial=off,acpi=off -accel tcg -m 64M \
	    -cpu qemu64,+smep,+smap,+pdpe1gb -no-reboot \
	    -chardev file,id=dbg,path=console -device isa-debugcon,iobase=0xe9,chardev=dbg \
	    -device isa-debug-exit,iobase=0xf4,iosize=1 \
	    -kernel "$(atf_config_get build)/stub.elf" -append "$append" "$@"
	test $? -eq 35 || atf_fail "$append: no panic: $(cat console)"
	grep -qF "Kernel panic: $message" console || atf_fail "$append: $(cat console)"
}

atf_test_case bad_command_line
bad_command_line_head() {
	atf_set descr "a telemetry window that cannot be, a recorder that is not: a panic that says it"
}
bad_command_line_body() {
	need_qemu
	panics telemetry=foo "telemetry=foo: want SIZE@ADDR"
	panics telemetry=4096@ "telemetry=4096@: want SIZE@ADDR"
	panics telemetry=4095@0x2000000 "telemetry=4095@0x2000000: want whole pages"
	panics telemetry=4096@0x40000000 "telemetry=4096@0x40000000: not memory"
	panics telemetry=0x200000@0x3f00000 "telemetry=0x200000@0x3f00000: not memory"
	panics telemetry=4096@0x200000 "telemetry=4096@0x200000: overlaps"
	panics telemetry=4096@0x1000 "telemetry=4096@0x1000: "
	panics telemetry=4096@0x2000000 "telemetry: the window needs"
	panics "telemetry=0x200000@0x2000000 recorder=some" "recorder=some: want off, hist or raw"
	panics "telemetry=0x800000@0x2000000 recorder=raw ring=99999999" "ring=99999999: at most"
}

atf_test_case bad_cpus
bad_cpus_head() {
	atf_set descr "CPUs that there are not, or that do not come: a panic that says it"
}
bad_cpus_body() {
	need_qemu
	panics cpus=2 "cpus=2 apic_shift=0: the machine's APIC numbers end at 0"
	panics "cpus=2 apic_shift=1" "cpus=2 apic_shift=1: the machine's APIC numbers end at 0"
	panics cpus=0 "cpus=0: want 1 to 64"
	panics cpus=65 "cpus=65: want 1 to 64"
	panics cpus=some "command line: cpus= wants a number"
	panics "cpus=2 tsc_khz=1000" "the CPU with APIC number 1 did not start" -smp 1,maxcpus=2
}

# newc NAME...: an archive in the newc format, of files of those names; to stdout.
newc() {
	for name in "$@" TRAILER!!!; do
		size=0
		[ ! -f "$name" ] || size=$(wc -c <"$name")
		printf '070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X' \
		    0 33261 0 0 1 0 "$size" 0 0 0 0 $((${#name} + 1)) 0
		printf '%s' "$name"
		head -c $((4 - (110 + ${#name}) % 4)) /dev/zero
		[ "$size" = 0 ] || cat "$name"
		head -c $(((4 - size % 4) % 4)) /dev/zero
	done
}

atf_test_case rate_measured
rate_measured_head() {
	atf_set descr "a monitor that does not say the LAPIC's rate: measured at boot, no program pays"
}
rate_measured_body() {
	need_qemu
	mkdir faultline
	cp "$(atf_config_get build)/abi/processes" program
	: >faultline/envp
	for case in first_fork first_sleep; do
		printf 'program\0%s\0' $case >faultline/argv
		newc faultline/argv faultline/envp program >initrd
		timeout 60 qemu-system-x86_64 -nodefaults -no-user-config -display none \
		    -M microvm,pit=off,pic=off,rtc=off,isa-serial=off,acpi=off -m 64M \
		    -accel tcg,thread=single -icount shift=0,sleep=off \
		    -cpu qemu64,+smep,+smap,+pdpe1gb -no-reboot \
		    -chardev file,id=out,path=out -device isa-debugcon,iobase=0xea,chardev=out \
		    -device isa-debug-exit,iobase=0xf4,iosize=1 \
		    -kernel "$(atf_config_get build)/stub.elf" -initrd initrd -append "seed=1"
		test $? -eq 33 || atf_fail "$case: the machine did not end well"
		awk -F '[ ,]+' '{ exit !($1 < $3 + 10000) }' out || atf_fail "$case: $(cat out)"
		cat out
	done
	# about right: a sleep of 100,000 ns takes that long
	awk '{ exit !($3 >= 100000 && $3 < 110000) }' out || atf_fail "$(cat out)"
}

atf_init_test_cases() {
	atf_add_test_case boot_cost
	atf_add_test_case recorder_cost
	atf_add_test_case recorder_cost_signal
	atf_add_test_case raw_agrees
	atf_add_test_case bad_command_line
	atf_add_test_case bad_cpus
	atf_add_test_case rate_measured
}
