/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /init of the machine in which check-svm tries the harness: loads kvm-amd, runs the commands in
 * /commands one after the other, sends /out/cells.csv up the second serial line, powers off.
 *
 * The console tells each command's exit status as "check-svm: status N: COMMAND", for the script
 * outside.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define MAX_ARGS 64

static void say(const char *what, const char *on, int err)
{
	printf("check-svm: %s %s: %s\n", what, on, strerror(err));
}

static void mount_at(const char *type, const char *where)
{
	mkdir(where, 0755);
	if (mount(type, where, type, 0, NULL) && errno != EBUSY)
		say("mount", where, errno);
}

static void load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		say("load", path, errno);
	if (fd >= 0)
		close(fd);
}

/* Runs one command line (words split at blanks); its exit status, 128 + signal if it was killed. */
static int run(char *line)
{
	char *argv[MAX_ARGS + 1];
	int argc = 0, status;
	pid_t pid;

	for (char *word = strtok(line, " "); word && argc < MAX_ARGS; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	pid = fork();
	if (pid == 0) {
		execv(argv[0], argv);
		say("exec", argv[0], errno);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void run_all(const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;

	if (!f) {
		say("open", path, errno);
		return;
	}
	while (getline(&line, &size, f) > 0) {
		char *name;
		int status;

		line[strcspn(line, "\n")] = 0;
		name = strdup(line);
		status = run(line);
		printf("check-svm: status %d: %s\n", status, name);
		free(name);
	}
	free(line);
	fclose(f);
}

static void send_file(const char *path, const char *tty)
{
	int from = open(path, O_RDONLY), to = open(tty, O_WRONLY | O_NOCTTY);
	struct termios t;
	char buf[4096];
	ssize_t n;

	if (from < 0 || to < 0) {
		say("send", from < 0 ? path : tty, errno);
		return;
	}
	tcgetattr(to, &t);
	cfmakeraw(&t);
	tcsetattr(to, TCSANOW, &t);
	while ((n = read(from, buf, sizeof(buf))) > 0)
		for (ssize_t at = 0, w; at < n; at += w)
			if ((w = write(to, buf + at, n - at)) < 0)
				return say("write to", tty, errno);
	tcdrain(to);
}

int main(void)
{
	mount_at("devtmpfs", "/dev");
	mount_at("proc", "/proc");
	mount_at("sysfs", "/sys");
	mkdir("/tmp", 01777);
	mkdir("/dev/shm", 01777);
	mount("tmpfs", "/dev/shm", "tmpfs", 0, NULL);
	setenv("PATH", "/bin", 1);
	setenv("HOME", "/tmp", 1);
	setenv("FAULTLINE_SOURCE", "/", 1);
	setvbuf(stdout, NULL, _IOLBF, 0);
	load_module("/modules/irqbypass.ko");
	load_module("/modules/kvm.ko");
	load_module("/modules/kvm-amd.ko");
	run_all("/commands");
	send_file("/out/cells.csv", "/dev/ttyS1");
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}
