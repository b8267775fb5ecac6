# SPDX-License-Identifier: GPL-2.0-or-later
# What all figures share. A figure is drawn by: gnuplot -c FIGURE.gp CSVDIR png|svg SCRIPTDIR
# It sets dir and kind and loads this, which sets the terminal and leaves: engine, unit, subtitle, tick, rate, curves
# (quoted names for word()), and the functions add_curve(), look() and pick().

set datafile separator ','
set encoding utf8

if (kind eq 'svg') {
	set terminal svg size 1200,760 font 'DejaVu Sans,15' background '#ffffff' rounded dynamic
} else {
	set terminal pngcairo size 1200,760 font 'DejaVu Sans,12' linewidth 1.2 rounded background '#ffffff'
}

# Okabe and Ito's colours; seven of them by five dash types tell 35 curves apart, then they repeat.
array colour[7] = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000']
do for [i = 1:35] {
	dash = (i - 1) % 5 + 1
	set style line i lc rgb colour[(i - 1) % 7 + 1] lw 2.2 dt dash pt (i % 8 + 4) ps 0.9
}
set style line 100 lc rgb '#5a5a5a' lw 1
set style line 101 lc rgb '#dcdcdc' lw 0.8
set style line 102 lc rgb '#efefef' lw 0.5
set border 3 ls 100
set tics nomirror out scale 0.6 textcolor rgb '#303030'
set grid xtics ytics mxtics mytics ls 101, ls 102
set key outside right top Left reverse samplen 5 spacing 1.1 noenhanced font ',11'

# ---- about.csv ----
engine = '?'
unit = 'unit unknown'
commit = 'unknown'
caveat = ''
cells = '?'
tick = ''
rate = ''
keep(key, value) = (key eq 'engine' ? (engine = value, 0) : key eq 'unit' ? (unit = value, 0) : \
	key eq 'commit' ? (commit = value, 0) : key eq 'caveat' ? (caveat = value, 0) : \
	key eq 'cells' ? (cells = value, 0) : key eq 'tick' ? (tick = value, 0) : \
	key eq 'rate' ? (rate = value, 0) : 0)
stats dir.'/about.csv' using (keep(strcol(1), strcol(2))) nooutput
subtitle = 'engine '.engine.', commit '.commit.', '.cells.' cells, lengths in '.unit
cut(s, n) = strlen(s) <= n ? s : s[1:n].'…'
notes = caveat eq '' ? '' : "\n".cut(caveat, 150)
heading(text) = text."\n".subtitle.notes

# ---- the curves of a file ----
curves = ''
quoted(s) = '"'.s.'"'
add_curve(s) = (strstrt(curves, quoted(s)) ? 0 : (curves = curves.' '.quoted(s), 0))
look(i) = (i - 1) % 35 + 1
pick(name, value) = strcol('curve') eq name ? value : NaN
