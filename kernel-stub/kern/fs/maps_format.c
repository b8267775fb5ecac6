/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "START-END PERMS OFFSET MAJ:MIN INODE" and, from column 73, the name if there is one. Numbers
 * are hexadecimal with at least eight digits (device: two), the inode decimal; without a name the
 * line ends in the blank after the inode. A newline in a name is written \012.
 */
#include "kern/fs/maps_format.h"

#include "kern/lib/put_decimal.h"

#define NAME_PAD 72u   /* and a blank more: the name stands in column 73, counted from 0 */
#define FIXED_MAX 128u /* more than everything before the name can take */

/* At least `digits` hexadecimal digits of v. */
static char *put_hex(char *p, uint64_t v, int digits)
{
	int n = 16 - (v ? __builtin_clzll(v) / 4 : 15);

	if (n < digits)
		n = digits;
	while (n--)
		*p++ = "0123456789abcdef"[v >> (4 * n) & 15];
	return p;
}

/* The bytes that a name takes, newlines escaped. */
static size_t name_length(const char *name)
{
	size_t n = 0;

	for (; *name; name++)
		n += *name == '\n' ? 4 : 1;
	return n;
}

static char *put_name(char *p, const char *name)
{
	for (; *name; name++) {
		if (*name != '\n') {
			*p++ = *name;
			continue;
		}
		__builtin_memcpy(p, "\\012", 4);
		p += 4;
	}
	return p;
}

static size_t put_fixed(char *buf, const struct maps_line *line)
{
	char *p = put_hex(buf, line->start, 8);

	*p++ = '-';
	p = put_hex(p, line->end, 8);
	*p++ = ' ';
	__builtin_memcpy(p, line->perms, 4);
	p[4] = ' ';
	p = put_hex(p + 5, line->offset, 8);
	*p++ = ' ';
	p = put_hex(p, line->dev_major, 2);
	*p++ = ':';
	p = put_hex(p, line->dev_minor, 2);
	*p++ = ' ';
	p = put_decimal(p, line->inode);
	*p++ = ' ';
	return (size_t)(p - buf);
}

size_t maps_format(char *buf, size_t size, const struct maps_line *line)
{
	char fixed[FIXED_MAX];
	size_t n = put_fixed(fixed, line), column = n;
	char *p;

	if (line->name)
		column = (n < NAME_PAD ? NAME_PAD : n) + 1;
	if (column + (line->name ? name_length(line->name) : 0) + 1 > size)
		return 0;
	__builtin_memcpy(buf, fixed, n);
	__builtin_memset(buf + n, ' ', column - n);
	p = buf + column;
	if (line->name)
		p = put_name(p, line->name);
	*p++ = '\n';
	return (size_t)(p - buf);
}
