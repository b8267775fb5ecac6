/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel messages: formatted into a line on the stack, written to the console port in one go. */
#include <stdarg.h>

#include "kern/boot/boot.h"
#include "kern/kern.h"

#define LINE_MAX 512

struct out {
	char *buf;
	size_t size, len; /* len: what an endless buffer would hold */
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

struct spec {
	bool zero, left, is_long;
	unsigned width;
	int precision; /* of %s; -1: none */
};

static void pad(struct out *o, unsigned n)
{
	while (n--)
		put(o, ' ');
}

static void put_padded(struct out *o, const struct spec *s, const char *text, size_t len)
{
	unsigned fill = s->width > len ? s->width - (unsigned)len : 0;

	if (!s->left)
		pad(o, fill);
	while (len--)
		put(o, *text++);
	if (s->left)
		pad(o, fill);
}

static void put_string(struct out *o, const struct spec *s, const char *text)
{
	size_t len = 0;

	if (!text)
		text = "(null)";
	while (text[len] && (s->precision < 0 || len < (size_t)s->precision))
		len++;
	put_padded(o, s, text, len);
}

/* With zeros in front made as other digits are: an oops report costs the same whatever the
 * registers hold. */
static void put_number(struct out *o, const struct spec *s, uint64_t v, unsigned base,
		       bool negative)
{
	char text[24];
	unsigned at = sizeof(text),
		 least = s->zero && s->width > negative ? s->width - negative : 1;

	if (least > sizeof(text) - 1)
		least = sizeof(text) - 1;
	do {
		text[--at] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v || sizeof(text) - at < least);
	if (negative)
		text[--at] = '-';
	put_padded(o, s, text + at, sizeof(text) - at);
}

static const char *parse_spec(const char *fmt, struct spec *s, va_list *ap)
{
	*s = (struct spec){.precision = -1};
	for (;; fmt++) {
		if (*fmt == '0')
			s->zero = true;
		else if (*fmt == '-')
			s->left = true;
		else
			break;
	}
	while (*fmt >= '0' && *fmt <= '9')
		s->width = s->width * 10 + (unsigned)(*fmt++ - '0');
	if (fmt[0] == '.' && fmt[1] == '*') {
		s->precision = va_arg(*ap, int);
		fmt += 2;
	}
	while (*fmt == 'l' || *fmt == 'z') {
		s->is_long = true;
		fmt++;
	}
	return fmt;
}

static void put_conversion(struct out *o, char c, struct spec *s, va_list *ap)
{
	int64_t d;
	char one;

	switch (c) {
	case 'd':
		d = s->is_long ? va_arg(*ap, long) : va_arg(*ap, int);
		put_number(o, s, d < 0 ? -(uint64_t)d : (uint64_t)d, 10, d < 0);
		break;
	case 'u':
	case 'x':
		put_number(o, s, s->is_long ? va_arg(*ap, unsigned long) : va_arg(*ap, unsigned),
			   c == 'u' ? 10 : 16, false);
		break;
	case 'p':
		*s = (struct spec){.zero = true, .width = 16};
		put_number(o, s, va_arg(*ap, unsigned long), 16, false);
		break;
	case 's':
		put_string(o, s, va_arg(*ap, const char *));
		break;
	case 'c':
		one = (char)va_arg(*ap, int);
		put_padded(o, s, &one, 1);
		break;
	default:
		put(o, c);
	}
}

/* The length that the whole text has; at most size bytes are stored, with a NUL. */
int kvsnprintf(char *buf, size_t size, const char *fmt, va_list *ap)
{
	struct out o = {buf, size, 0};
	struct spec s;

	for (; *fmt; fmt++) {
		if (*fmt != '%') {
			put(&o, *fmt);
			continue;
		}
		fmt = parse_spec(fmt + 1, &s, ap);
		if (!*fmt)
			break;
		put_conversion(&o, *fmt, &s, ap);
	}
	if (size)
		buf[o.len < size ? o.len : size - 1] = '\0';
	return (int)o.len;
}

int ksnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = kvsnprintf(buf, size, fmt, &ap);
	va_end(ap);
	return n;
}

void printk(const char *fmt, ...)
{
	char line[LINE_MAX];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = kvsnprintf(line, sizeof(line), fmt, &ap);
	va_end(ap);
	console_write(FL_PORT_CONSOLE, line, n < LINE_MAX ? (size_t)n : LINE_MAX - 1);
}

void panic(const char *fmt, ...)
{
	char reason[FL_REASON_MAX];
	va_list ap;

	va_start(ap, fmt);
	kvsnprintf(reason, sizeof(reason), fmt, &ap);
	va_end(ap);
	panic_end(reason);
}
