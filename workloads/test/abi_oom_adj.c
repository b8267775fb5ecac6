/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/self/oom_score_adj: what may be written (nothing below 0, which takes a privilege), what is
 * read, what fork keeps. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void show(const char *what)
{
	int fd = open("/proc/self/oom_score_adj", O_RDONLY);
	char text[32] = "";
	ssize_t n = read(fd, text, sizeof text - 1), again = read(fd, text + 16, 8);

	printf("%s: %zd %zd %s", what, n, again, text);
	close(fd);
}

static void *bad(void)
{
	void *volatile p = (void *)8;

	return p;
}

static void try(const char *text, size_t len)
{
	int fd = open("/proc/self/oom_score_adj", O_RDWR);
	ssize_t n = write(fd, text, len);

	printf("write %.*s: %zd %s\n", (int)len, text, n, n < 0 ? strerror(errno) : "");
	close(fd);
	show("then");
}

int main(void)
{
	static const char *const texts[] = {
		"0",  "17",   "-0", "0x1f", "0X", "08",	 "1000\n",  "1001",  "-1001",	 "+5",
		" 6", "7 \n", "",   "x",    "8x", "--9", "0000012", "  300", "\t\n 400 "};
	struct stat st;
	int fd;

	setvbuf(stdout, NULL, _IONBF, 0);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		try(texts[i], strlen(texts[i]));
	try("000000000000000013", 18);
	printf("stat: %d %o %ld\n", stat("/proc/self/oom_score_adj", &st), st.st_mode,
	       (long)st.st_size);
	fd = open("/proc/self/oom_score_adj", O_RDWR);
	printf("lseek: %ld\n", (long)lseek(fd, 1, SEEK_SET));
	printf("bad pointers: %zd %zd\n", read(fd, bad(), 4), write(fd, bad(), 4));
	try("55", 2);
	if (!fork()) {
		show("child");
		try("66", 2);
		_exit(0);
	}
	wait(NULL);
	show("parent");
	return 0;
}
