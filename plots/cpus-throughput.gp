# SPDX-License-Identifier: GPL-2.0-or-later
# Operations in a million ticks against the number of CPUs. Where all CPUs run at once, in proportion to them
# is parallel to the grey lines.
dir = ARG1
kind = ARG2
load ARG3.'/style.gp'
file = dir.'/cpus.csv'
stats file skip 1 using (strlen(strcol(2)) ? add_curve(strcol(2)) : 0) nooutput
stats file skip 1 using 6 nooutput name 'RATE'
matching(name, value) = strcol(2) eq name ? value : NaN
at_once = unit ne 'instructions'
proportional(n, k) = at_once ? RATE_min / CPUS_max * 2.0 ** k * n : NaN

set output dir.'/cpus-throughput.'.kind
load ARG3.'/cpus.gp'
set multiplot title heading('Throughput of all CPUs against their number')."\n".rate."\n".tick noenhanced
eval panel(0.07, 0.98)
set yrange [RATE_min / 1.5:RATE_max * 1.5]
set ylabel 'operations in a million '.unit.' (log scale)'
set samples 2
plot for [k = 0:16] proportional(x, k) with lines lc rgb '#cccccc' lw 0.8, \
	for [i = 1:words(curves)] file skip 1 using (matching(word(curves, i), $4)):6 \
	with linespoints ls look(i)
eval key_panel
plot for [i = 1:words(curves)] NaN with linespoints ls look(i) title word(curves, i)
unset multiplot
