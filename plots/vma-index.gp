# SPDX-License-Identifier: GPL-2.0-or-later
# The median cost of each operation against the number of VMAs, a panel an operation, a line a VMA index.
dir = ARG1
kind = ARG2
load ARG3.'/style.gp'
file = dir.'/vma-index.csv'

# The panels in the order of the file, and the indexes in theirs: each has its colour in every panel.
phases = ''
indexes = ''
add_phase(s) = (strstrt(phases, quoted(s)) ? 0 : (phases = phases.' '.quoted(s), 0))
add_index(s) = (strstrt(indexes, quoted(s)) ? 0 : (indexes = indexes.' '.quoted(s), 0))
stats file skip 1 using (add_phase(strcol(1)) + add_index(strcol(2))) nooutput
stats file skip 1 using 7 name 'cost' nooutput
stats file skip 1 using 3 name 'x' nooutput
columns = words(phases) < 3 ? words(phases) : 3
rows = (words(phases) + columns - 1) / columns

set output dir.'/vma-index.'.kind
set multiplot layout rows,columns title heading('What finding a VMA costs: median of an operation as ring 3 sees it, by VMA index') \
	noenhanced margins 0.085,0.985,0.09,0.87 spacing 0.055,0.09
set datafile missing NaN # a curve goes on past the rows of the others
set logscale x 10
set logscale y 10
set format x '%.0s%c'
set format y '%.0s%c'
set xrange [x_min / 1.6:x_max * 1.6]
set yrange [10 ** floor(log10(cost_min)):10 ** ceil(log10(cost_max))]
set key inside left top Left reverse noenhanced samplen 3 spacing 1.1 opaque
at(phase, index) = strcol('phase') eq phase && strcol('vma_index') eq index ? column('p50') : NaN
do for [p = 1:words(phases)] {
	set title word(phases, p) offset 0,-0.6 noenhanced
	set xlabel (p > words(phases) - columns ? 'VMAs (log scale)' : '')
	set ylabel ((p - 1) % columns == 0 ? unit.' (log scale)' : '') offset 0.5
	plot for [i = 1:words(indexes)] file using (column('x')):(at(word(phases, p), word(indexes, i))) \
		with linespoints ls look(i) title (p == 1 ? word(indexes, i) : '')
}
unset multiplot
