/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pipes between processes: who waits for whom, ends of file, EPIPE and SIGPIPE, shared open files,
 * dup. What is printed doesn't depend on who runs first. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi.h"

static int status;

static void reap(const char *what, pid_t pid)
{
	waitpid(pid, &status, 0);
	if (WIFEXITED(status))
		printf("%-44s exited %d\n", what, WEXITSTATUS(status));
	else
		printf("%-44s killed by %d\n", what, WTERMSIG(status));
}

/* Reads n bytes, however they come. */
static long read_all(int fd, char *buf, long n)
{
	long done = 0, r;

	while (done < n && (r = read(fd, buf + done, (size_t)(n - done))) > 0)
		done += r;
	return done;
}

/* ---- waiting ---- */

static void ping_pong(void)
{
	int to[2], from[2], n = 0;
	pid_t pid;

	pipe(to);
	pipe(from);
	pid = fork();
	if (!pid) {
		close(to[1]);
		while (read(to[0], &n, sizeof(n)) == sizeof(n)) {
			n++;
			write(from[1], &n, sizeof(n));
		}
		_exit(n);
	}
	close(to[0]);
	for (int i = 0; i < 50; i++) {
		write(to[1], &n, sizeof(n));
		read(from[0], &n, sizeof(n));
	}
	printf("50 rounds: %d\n", n);
	close(to[1]);
	reap("the other side sees the end", pid);
	close(from[0]);
	close(from[1]);
}

/* More than a pipe holds, so that both sides have to wait. */
static void much(void)
{
	enum { TOTAL = 200000 };
	static char buf[TOTAL];
	unsigned bad = 0;
	pid_t pid;
	int fd[2];

	pipe(fd);
	pid = fork();
	if (!pid) {
		close(fd[0]);
		for (unsigned i = 0; i < TOTAL; i++)
			buf[i] = (char)(i * 7 + i / 256);
		_exit(write(fd[1], buf, TOTAL) != TOTAL);
	}
	close(fd[1]);
	show("read all", read_all(fd[0], buf, TOTAL));
	for (unsigned i = 0; i < TOTAL; i++)
		bad += buf[i] != (char)(i * 7 + i / 256);
	printf("wrong bytes: %u\n", bad);
	show("then the end", read(fd[0], buf, 1));
	close(fd[0]);
	reap("writer", pid);
}

/* A chain of processes, each passing on what it reads. */
static void chain(void)
{
	int first[2], in, fd[2];
	char byte = 0;

	pipe(first);
	in = first[0];
	for (int i = 0; i < 5; i++) {
		pipe(fd);
		if (!fork()) {
			close(first[1]);
			close(fd[0]);
			while (read(in, &byte, 1) == 1) {
				byte++;
				write(fd[1], &byte, 1);
			}
			_exit(0);
		}
		close(in);
		close(fd[1]);
		in = fd[0];
	}
	for (char c = 'a'; c < 'f'; c++) {
		write(first[1], &c, 1);
		read(in, &byte, 1);
		printf("%c becomes %c\n", c, byte);
	}
	close(first[1]);
	show("the end comes through", read(in, &byte, 1));
	close(in);
	for (int i = 0; i < 5; i++)
		wait(NULL);
}

/* ---- ends ---- */

static void no_reader(void)
{
	char byte = 'x';
	pid_t pid;
	int fd[2];

	pipe(fd);
	close(fd[0]);
	pid = fork();
	if (!pid) {
		write(fd[1], &byte, 1);
		_exit(0);
	}
	reap("write without a reader", pid);
	pid = fork();
	if (!pid) {
		signal(SIGPIPE, SIG_IGN);
		_exit(write(fd[1], &byte, 1) == -1 && errno == EPIPE);
	}
	reap("SIGPIPE ignored", pid);
	close(fd[1]);
}

/* The reader goes while the writer waits for room. */
static void reader_goes(void)
{
	static char buf[100000];
	int fd[2], ready[2];
	ssize_t r;
	pid_t pid;

	pipe(fd);
	pipe(ready);
	pid = fork();
	if (!pid) {
		close(fd[0]);
		signal(SIGPIPE, SIG_IGN);
		write(ready[1], "r", 1);
		r = write(fd[1], buf, sizeof(buf));
		printf("write cut short: %d\n", r > 0 && r < (ssize_t)sizeof(buf));
		show("write again", write(fd[1], buf, 1));
		_exit(0);
	}
	read(ready[0], buf, 1);
	show("read a page", read_all(fd[0], buf, PAGE));
	close(fd[0]);
	reap("writer", pid);
	close(fd[1]);
	close(ready[0]);
	close(ready[1]);
}

/* The last of several writers makes the end. */
static void several_writers(void)
{
	int fd[2], sum = 0;
	char byte;

	pipe(fd);
	for (int i = 0; i < 4; i++)
		if (!fork()) {
			byte = (char)(1 << i);
			write(fd[1], &byte, 1);
			_exit(0);
		}
	close(fd[1]);
	while (read(fd[0], &byte, 1) == 1)
		sum += byte;
	printf("four writers: %d\n", sum);
	close(fd[0]);
	for (int i = 0; i < 4; i++)
		wait(NULL);
}

/* ---- shared open files, descriptors ---- */

static void shared_position(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	char buf[16];
	pid_t pid = fork();

	if (!pid) {
		read(fd, buf, 16);
		lseek(fd, 100, SEEK_CUR);
		_exit(0);
	}
	reap("child moves the position", pid);
	show("the parent's", lseek(fd, 0, SEEK_CUR));
	show("of a duplicate", lseek(dup(fd), 4, SEEK_CUR));
	show("the first one's", lseek(fd, 0, SEEK_CUR));
	show("close", close(fd));
	show("the duplicate lives", lseek(fd + 1, 0, SEEK_CUR));
	close(fd + 1);
}

static void nonblocking(void)
{
	char byte;
	pid_t pid;
	int fd[2];

	pipe(fd);
	pid = fork();
	if (!pid) {
		fcntl(fd[0], F_SETFL, O_NONBLOCK);
		_exit(0);
	}
	reap("child sets O_NONBLOCK", pid);
	show("read in the parent", read(fd[0], &byte, 1));
	show("flags", fcntl(fd[0], F_GETFL));
	close(fd[0]);
	close(fd[1]);
}

static void dups(void)
{
	int fd[2], a;
	char buf[8] = "";

	pipe2(fd, O_CLOEXEC);
	show("close on exec", fcntl(fd[1], F_GETFD));
	a = dup(fd[1]);
	show("lowest free", a - fd[1]);
	show("not of a duplicate", fcntl(a, F_GETFD));
	show("dup2", dup2(fd[1], 20));
	show("dup2 to itself", dup2(20, 20));
	show("dup2 of nothing", dup2(50, 51));
	show("dup2 of nothing to itself", dup2(50, 50));
	show("dup2 beyond", dup2(fd[1], 1 << 24));
	show("dup3 to itself", dup3(20, 20, 0));
	show("dup3 flags", dup3(20, 21, 1));
	show("dup3", dup3(20, 21, O_CLOEXEC));
	show("its flag", fcntl(21, F_GETFD));
	show("F_DUPFD", fcntl(21, F_DUPFD, 30));
	show("F_DUPFD again", fcntl(21, F_DUPFD_CLOEXEC, 30));
	show("its flag", fcntl(31, F_GETFD));
	show("F_DUPFD beyond", fcntl(21, F_DUPFD, 1 << 24));
	show("dup of nothing", dup(50));
	show("write through one", write(30, "abc", 3));
	show("read", read(fd[0], buf, 8));
	printf("%s\n", buf);
	close(fd[1]);
	close(a);
	close(20);
	close(21);
	close(30);
	close(31);
	show("all writers closed", read(fd[0], buf, 1));
	dup2(fd[0], a);
	show("dup2 closes the old one", close(fd[0]) + close(a));
}

/* A child's standard output into a pipe, as a shell does it. */
static void redirect(void)
{
	char buf[64] = "";
	pid_t pid;
	int fd[2];

	pipe(fd);
	pid = fork();
	if (!pid) {
		dup2(fd[1], 1);
		close(fd[0]);
		close(fd[1]);
		printf("into the pipe");
		fflush(stdout);
		_exit(0);
	}
	close(fd[1]);
	show("read", read_all(fd[0], buf, 63));
	printf("[%s]\n", buf);
	close(fd[0]);
	reap("child", pid);
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	ping_pong();
	much();
	chain();
	no_reader();
	reader_goes();
	several_writers();
	shared_position();
	nonblocking();
	dups();
	redirect();
	return 0;
}
