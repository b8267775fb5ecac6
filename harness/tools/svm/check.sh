#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Tries the kvm engine on a true hardware-style KVM, on any machine: Debian's kernel with kvm-amd inside
# QEMU's TCG, where SVM and nested paging are emulated. Every profile runs there, and its class counts
# must be those of the tcg engine out here; so must the CPU be that a program finds by CPUID.
#
#   check.sh BUILD_DIR
#
# Exit 0 if all agree, 1 if not, 2 if it can't be tried (and why).
set -eu
build=$(cd "$1" && pwd)
top=$(pwd)
work=$build/svm
memory=1024
limit=600
mkdir -p "$work"

give_up() {
	echo "check-svm: $*" >&2
	exit 2
}

# Debian's cloud kernel: small, with kvm-amd as a module. Unpacked, not installed.
fetch_kernel() {
	[ -e "$work/kernel/done" ] && return
	rm -rf "$work/kernel" "$work/deb"
	mkdir -p "$work/kernel" "$work/deb"
	package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null |
		sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p' | head -1)
	[ -n "$package" ] || give_up "apt knows no linux-image-cloud-amd64: run apt-get update (Debian)"
	(cd "$work/deb" && apt-get -q download "$package" >/dev/null 2>&1) ||
		give_up "apt-get download $package failed: is there a network?"
	dpkg-deb -x "$work"/deb/*.deb "$work/kernel"
	touch "$work/kernel/done"
}

module() {
	found=$(find "$work/kernel" -name "$1.ko" -o -name "$1.ko.xz" | head -1)
	[ -n "$found" ] || give_up "no module $1 in the kernel package"
	case $found in
	*.xz) xz -dc "$found" >"$work/root/modules/$1.ko" ;;
	*) cp "$found" "$work/root/modules/$1.ko" ;;
	esac
}

# The harness, what it links against, the stub, the workloads and their profiles, as one initramfs.
make_root() {
	rm -rf "$work/root"
	mkdir -p "$work/root/modules" "$work/root/out" "$work/root/build" "$work/root/dev"
	for m in irqbypass kvm kvm-amd; do module $m; done
	${CC:-gcc} -O2 -static -o "$work/root/init" "$top/harness/tools/svm/init.c"
	cp "$build/faultline" "$build/stub.elf" "$work/root/build/"
	cp -r "$build/workloads" "$work/root/build/"
	cp "$build/guests/program" "$work/root/program"
	mkdir -p "$work/root/workloads"
	cp -r "$top/workloads/profiles" "$top/workloads/matrix" "$work/root/workloads/"
	ldd "$build/faultline" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' |
		while read -r lib; do
			mkdir -p "$work/root$(dirname "$lib")"
			cp -L "$lib" "$work/root$lib"
		done
	printf '/build/faultline %s\n' "run -e kvm -o /out $*" "exec -e kvm -- /program cpuid" \
		>"$work/root/commands"
	mknod "$work/root/dev/console" c 5 1 2>/dev/null || true
	(cd "$work/root" && find . | cpio --quiet -o -H newc) >"$work/initramfs.cpio"
}

boot() {
	kernel=$(ls "$work"/kernel/boot/vmlinuz-* | head -1)
	timeout -k 5 "$limit" qemu-system-x86_64 -machine q35 -accel tcg,thread=single -cpu max,+svm \
		-smp 1 -m "$memory" -nodefaults -display none -no-reboot -serial "file:$work/console" \
		-serial "file:$work/cells.csv" -kernel "$kernel" -initrd "$work/initramfs.cpio" \
		-append "console=ttyS0 quiet panic=-1 rdinit=/init" </dev/null ||
		give_up "the machine did not end within $limit s; its console is $work/console"
}

# profile, repetition, kernel class or ring-3 phase, its x, count with the samples that an interrupt
# fell into; no column may be missing. A matter of timing, and left out: how many faults on a contended
# page find another CPU's there, and how much new memory a program gets to touch while another CPU
# reports an oops.
counts() {
	awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i
			for (n = split("profile rep side series x count interrupted", want, " "); n; n--)
				if (!(want[n] in at)) exit 1
			next }
		$at["profile"] == "threads-contended" && $at["series"] == "user.minor.spurious" { next }
		$at["profile"] == "kernel-oops-cpus" && $at["series"] == "user.minor.anon_alloc" { next }
		{ print $at["profile"], $at["rep"], $at["side"], $at["series"], $at["x"], $at["count"] + $at["interrupted"] }' \
		"$1" | sort
}

command -v qemu-system-x86_64 >/dev/null || give_up "qemu-system-x86_64 is missing: make deps"
profiles=$(cd "$top/workloads/profiles" && ls *.ini | sed 's/\.ini$//')
fetch_kernel
make_root $profiles
boot
cat "$work/console" | tr -d '\r' >"$work/console.txt"
rm -rf "$work/tcg"
"$build/faultline" run -e tcg -o "$work/tcg" $profiles >"$work/tcg.txt" 2>&1 || {
	cat "$work/tcg.txt"
	echo "check-svm: the tcg engine's own run failed" >&2
	exit 1
}
[ "$(grep -c '^check-svm: status 0: ' "$work/console.txt")" = 2 ] || {
	cat "$work/console.txt"
	echo "check-svm: a cell failed on the SVM machine" >&2
	exit 1
}
"$build/faultline" exec -e tcg -- "$build/guests/program" cpuid >"$work/tcg.cpuid"
grep '^cpuid ' "$work/console.txt" >"$work/svm.cpuid" || true
if ! diff -u "$work/tcg.cpuid" "$work/svm.cpuid"; then
	echo "check-svm: a program sees another CPU on tcg than on kvm on SVM" >&2
	exit 1
fi
tr -d '\r' <"$work/cells.csv" >"$work/svm.csv"
counts "$work/svm.csv" >"$work/svm.counts"
counts "$work/tcg/cells.csv" >"$work/tcg.counts"
if ! diff -u "$work/tcg.counts" "$work/svm.counts"; then
	echo "check-svm: class counts differ between tcg and kvm on SVM" >&2
	exit 1
fi
echo "check-svm: $(echo "$profiles" | wc -w) profiles, $(wc -l <"$work/svm.counts") class counts agree with tcg"
