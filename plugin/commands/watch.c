/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ifsteer watch: sleeps until the kernel tells of something that may matter, looks, and repairs.
 * How it looks is in watch-look.c.
 */
#include "commands/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "commands/message.h"
#include "commands/notify.h"
#include "kernel/kernel.h"

static void tell_manager(const struct watch *w, const char *state)
{
	notify(w->session.options->env(NULL, "NOTIFY_SOCKET"), state);
}

static void tell_ready(const struct watch *w)
{
	CLEANUP(strbuf_done) struct strbuf state = { 0 };

	strbuf_printf(&state, "READY=1\nSTATUS=%zu interfaces, %zu policies",
		      w->session.plan.path_count, w->session.plan.policy_count);
	tell_manager(w, state.failed ? "READY=1" : state.text);
}

static void watch_done(struct watch *w)
{
	monitor_close(&w->monitor);
	surroundings_close(&w->around);
	happened_done(&w->happened);
	patience_done(&w->patience);
	free(w->first_step);
	free(w->paths);
	if (w->signals >= 0)
		close(w->signals);
	session_done(&w->session);
}

/* Blocked first: one that comes before there is a descriptor waits for it. */
static int open_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* The ears are open before anything is looked at, so that nothing falls in between. */
static enum exit_code open_all(struct watch *w)
{
	int err = monitor_open(&w->monitor);

	if (err == 0)
		err = surroundings_open(&w->around);
	if (err == 0) {
		w->signals = open_signals();
		err = w->signals < 0 ? w->signals : 0;
	}
	if (err == 0)
		return EXIT_DONE;
	message_errno("the kernel's notifications", err);
	return EXIT_UNEXPECTED;
}

static void reload(struct watch *w)
{
	CLEANUP(strbuf_done) struct strbuf state = { 0 };
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	strbuf_printf(&state, "RELOADING=1\nMONOTONIC_USEC=%lld",
		      (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	tell_manager(w, state.failed ? "RELOADING=1" : state.text);
	watch_reload(w);
	tell_ready(w);
}

/* True: it is time to go. */
static bool take_signals(struct watch *w)
{
	struct signalfd_siginfo s;
	bool wants_reload = false;

	while (read(w->signals, &s, sizeof(s)) == (ssize_t)sizeof(s)) {
		if (s.ssi_signo != SIGHUP)
			return true;
		wants_reload = true;
	}
	if (wants_reload)
		reload(w);
	return false;
}

static int timeout_until(int64_t due)
{
	int64_t left = due == NEVER ? -1 : due - monotonic_ms();

	if (due != NEVER && left < 0)
		left = 0;
	return left > INT32_MAX ? INT32_MAX : (int)left;
}

/* Waits for something to happen, or for the next look to be due. True: it is time to go. */
static bool sleep_until_needed(struct watch *w)
{
	struct pollfd fds[] = {
		{ .fd = w->signals, .events = POLLIN },
		{ .fd = w->monitor.route, .events = POLLIN },
		{ .fd = w->monitor.nft, .events = POLLIN },
		{ .fd = w->around.files, .events = POLLIN },
		{ .fd = w->around.clock, .events = POLLIN },
	};

	(void)poll(fds, ARRAY_SIZE(fds), timeout_until(w->due));
	if (take_signals(w))
		return true;
	monitor_read(&w->monitor, &w->session.plan, &w->happened);
	if (surroundings_read(&w->around))
		w->around_changed = w->happened.host = true;
	if ((w->happened.host || w->happened.ours) && w->earliest < w->due)
		w->due = w->earliest;
	return false;
}

static enum exit_code run_watch(const struct options *o)
{
	CLEANUP(watch_done) struct watch w = {
		.monitor = MONITOR_CLOSED,
		.around = SURROUNDINGS_CLOSED,
		.due = NEVER,
		.signals = -1,
	};
	enum exit_code code = session_open(&w.session, o);

	if (code == EXIT_DONE)
		code = open_all(&w);
	if (code == EXIT_DONE)
		code = watch_begin(&w);
	if (code)
		return code;
	tell_ready(&w);
	while (!sleep_until_needed(&w))
		if (w.due != NEVER && monotonic_ms() >= w.due)
			watch_look(&w);
	tell_manager(&w, "STOPPING=1");
	return EXIT_DONE;
}

const struct command command_watch = {
	.name = "watch",
	.usage = "",
	.summary = "stay, and repair the moment something drifts",
	.help = "Applies what was accepted last (with -c: that policy, as it is now) and stays.\n"
		"What anybody removes or changes of the nftables table, the routing rules and\n"
		"the routes is repaired at once, and what no network manager announces is\n"
		"followed: carrier loss, late addresses, interfaces and cgroups that appear,\n"
		"changes of the clock. `ifsteer apply` and `ifsteer flush` are followed, too.\n"
		"Twenty repairs of one object in a minute come at once, further ones every five\n"
		"seconds. SIGHUP: reads the policy files anew. SIGTERM: ends, and all stays in\n"
		"force.\n\n"
		"Example:\n"
		"  sudo systemctl enable --now ifsteer-watch.service\n",
	.run = run_watch,
};
