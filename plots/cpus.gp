# SPDX-License-Identifier: GPL-2.0-or-later
# What the figures against the number of CPUs share: the axis, with a mark at each number that was run,
# and a page of panels with the key below them, over the whole width. Needs file, curves.
stats file skip 1 using 4 nooutput name 'CPUS'
set logscale x 2
set logscale y 10
set xrange [CPUS_min * 0.85:CPUS_max * 1.18]
set xlabel 'CPUs (log scale)' offset 0,0.4
unset mxtics
set xtics ()
mark(n) = sprintf('set xtics add ("%d" %d)', n, n)
do for [n = 1:64] {
	stats file skip 1 using ($4 == n ? 1 : 0) nooutput name 'HERE'
	if (HERE_sum > 0) { eval mark(n) }
}

# Marks at 1, 2 and 5 of each decade: latencies may not span one.
set ytics ()
do for [e = -3:12] {
	do for [m in '1 2 5'] {
		eval sprintf('set ytics add ("%s" %ge%d)', gprintf('%.0s%c', real(m) * 10.0 ** e), real(m), e)
	}
}

# The key has so many columns and, of lines of 22 points, as many rows as it takes.
key_columns = 2
key_height = 0.03 * ((words(curves) + key_columns) / key_columns) + 0.03
panel(left, right) = sprintf('set lmargin at screen %g; set rmargin at screen %g; set tmargin at screen 0.83; set bmargin at screen %g; unset key', left, right, key_height + 0.09)
key_panel = sprintf('set lmargin at screen 0.02; set rmargin at screen 0.98; set bmargin at screen 0.01; set tmargin at screen %g; unset border; unset xtics; unset ytics; unset xlabel; unset ylabel; unset title; unset grid; unset logscale; set xrange [0:1]; set yrange [1:2]; set key inside center center horizontal maxcols %d Left reverse noenhanced font ",11"', key_height, key_columns)
