/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "measure/placement.h"
#include "proc/child.h"
#include "proc/stop.h"

/* After the kill: what is still in the pipes is read for so long. */
#define DRAIN_SECONDS 2.0
#define POLL_MS 200
#define POLL_SECONDS (POLL_MS / 1000.0)

void child_init(struct child *c)
{
	memset(c, 0, sizeof(*c));
	c->pid = -1;
	c->pid_fd = -1;
}

int child_stream(struct child *c, struct sink *sink)
{
	struct child_stream *s = &c->streams[c->nr_streams];
	int fds[2];

	if (c->nr_streams == CHILD_STREAMS) {
		errno = EMFILE;
		return -1;
	}
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	*s = (struct child_stream){sink, fds[0], fds[1]};
	c->nr_streams++;
	return fds[1];
}

void child_keep(struct child *c, int fd)
{
	if (c->nr_keep < sizeof(c->keep_fds) / sizeof(c->keep_fds[0]))
		c->keep_fds[c->nr_keep++] = fd;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static cpu_set_t pin_set(unsigned n)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (unsigned i = 0; i < n; i++)
		if (placement_cpu(i) >= 0)
			CPU_SET((unsigned)placement_cpu(i), &set);
	return set;
}

/* In the child, between fork and exec: async-signal-safe calls only. */
static void become(struct child *c, const char *const *argv, const char *const *envp, int out_fd,
		   int err_fd, pid_t parent, const cpu_set_t *pins)
{
	const char *const *own_env = (const char *const *)environ;
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (null < 0 || dup2(null, 0) < 0 || dup2(out_fd, 1) < 0 || dup2(err_fd, 2) < 0)
		return;
	for (unsigned i = 0; i < c->nr_streams; i++)
		fcntl(c->streams[i].write_fd, F_SETFD, 0);
	for (unsigned i = 0; i < c->nr_keep; i++)
		fcntl(c->keep_fds[i], F_SETFD, 0);
	if (CPU_COUNT(pins))
		sched_setaffinity(0, sizeof(*pins), pins);
	if (c->program)
		execve(c->program, (char *const *)argv, (char *const *)(envp ? envp : own_env));
	else
		execvpe(argv[0], (char *const *)argv, (char *const *)(envp ? envp : own_env));
}

/* exec's failure comes back through a pipe that a successful exec closes. */
static int exec_result(int fd)
{
	int err = 0;
	ssize_t n;

	do
		n = read(fd, &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	return n == sizeof(err) ? -err : 0;
}

int child_start(struct child *c, const char *const *argv, const char *const *envp, int out_fd,
		int err_fd)
{
	pid_t parent = getpid();
	cpu_set_t pins = pin_set(c->pin_cpus);
	int failed[2], err;

	if (pipe2(failed, O_CLOEXEC) < 0)
		return -errno;
	c->pid = fork();
	if (!c->pid) {
		become(c, argv, envp, out_fd, err_fd, parent, &pins);
		err = errno;
		if (write(failed[1], &err, sizeof(err)) < 0)
			_exit(126);
		_exit(127);
	}
	err = c->pid < 0 ? -errno : 0;
	close(failed[1]);
	if (c->pid > 0) {
		setpgid(c->pid, c->pid); /* also here: whoever is first, the group exists */
		err = exec_result(failed[0]);
	}
	close(failed[0]);
	for (unsigned i = 0; i < c->nr_streams; i++)
		close_fd(&c->streams[i].write_fd);
	if (!err) {
		c->pid_fd = pidfd_open(c->pid, 0);
		err = c->pid_fd < 0 ? -errno : 0;
	}
	return err;
}

/* Reads what is there. The stream is closed at its end. */
static void read_stream(struct child_stream *s)
{
	char buf[16384];
	ssize_t n = read(s->read_fd, buf, sizeof(buf));

	if (n > 0)
		sink_write(s->sink, buf, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		close_fd(&s->read_fd);
}

static int poll_once(struct child *c, bool *gone, double until)
{
	struct pollfd p[CHILD_STREAMS + 1];
	double left = until - now_seconds();
	int open = 0, timeout;

	for (unsigned i = 0; i < c->nr_streams; i++) {
		p[i] = (struct pollfd){c->streams[i].read_fd, POLLIN, 0};
		open += p[i].fd >= 0;
	}
	p[c->nr_streams] = (struct pollfd){*gone ? -1 : c->pid_fd, POLLIN, 0};
	if (!open && *gone)
		return 0;
	/* in slices, so that a stop which comes just before the poll is seen soon */
	timeout = left <= 0 ? 0 : left > POLL_SECONDS ? POLL_MS : (int)(left * 1000) + 1;
	if (poll(p, c->nr_streams + 1, timeout) < 0 && errno != EINTR)
		return -1;
	for (unsigned i = 0; i < c->nr_streams; i++)
		if (p[i].fd >= 0 && p[i].revents)
			read_stream(&c->streams[i]);
	if (p[c->nr_streams].revents)
		*gone = true;
	return 1;
}

static void reap(struct child *c)
{
	while (wait4(c->pid, &c->wait_status, 0, &c->usage) < 0 && errno == EINTR)
		;
	c->pid = -1;
}

void child_wait(struct child *c, double deadline, void (*on_timeout)(void *), void *arg)
{
	bool gone = false, draining = false;
	double until = deadline;

	while (poll_once(c, &gone, until) > 0) {
		bool late = now_seconds() >= until || (stop_requested() && !draining);

		if (!late && (draining || !gone))
			continue;
		if (draining)
			break;
		if (!gone) {
			c->timed_out = true;
			if (on_timeout)
				on_timeout(arg);
		}
		/* also when it is gone: a grandchild may hold a pipe open */
		kill(-c->pid, SIGKILL);
		draining = true;
		until = now_seconds() + DRAIN_SECONDS;
	}
	reap(c);
}

void child_close(struct child *c)
{
	if (c->pid > 0) {
		kill(-c->pid, SIGKILL);
		reap(c);
	}
	close_fd(&c->pid_fd);
	for (unsigned i = 0; i < c->nr_streams; i++) {
		close_fd(&c->streams[i].read_fd);
		close_fd(&c->streams[i].write_fd);
	}
}
