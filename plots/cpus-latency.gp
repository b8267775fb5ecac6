# SPDX-License-Identifier: GPL-2.0-or-later
# The median and the 99th percentile of what ring 3 saw, against the number of CPUs, for one profile.
dir = ARG1
kind = ARG2
profile = ARG4
load ARG3.'/style.gp'
file = dir.'/cpus.csv'
stats file skip 1 using (strcol(1) eq profile ? add_curve(strcol(3)) : 0) nooutput
matching(name, value) = strcol(1) eq profile && strcol(3) eq name ? value : NaN
least = 1e300
most = 0
spread(v) = (v < least ? least = v : 0, v > most ? most = v : 0, 0)
do for [c = 7:8] {
	stats file skip 1 using (strcol(1) eq profile && strlen(strcol(c)) ? spread(column(c)) : 0) nooutput
}

set output dir.'/cpus-latency-'.profile.'.'.kind
load ARG3.'/cpus.gp'
set multiplot title heading('Latency against the number of CPUs, as ring 3 sees it: '.profile)."\n".tick noenhanced
set yrange [least / 1.3:most * 1.3]
eval panel(0.07, 0.49)
set ylabel unit.' (log scale)'
set title 'median' noenhanced offset 0,-0.5
plot for [i = 1:words(curves)] file skip 1 using (matching(word(curves, i), $4)):7 with linespoints ls look(i)
eval panel(0.56, 0.98)
unset ylabel
set title '99th percentile (where ten samples lie beyond it)'
plot for [i = 1:words(curves)] file skip 1 using (matching(word(curves, i), $4)):8 with linespoints ls look(i)
eval key_panel
plot for [i = 1:words(curves)] NaN with linespoints ls look(i) title word(curves, i)
unset multiplot
