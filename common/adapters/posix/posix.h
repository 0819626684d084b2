/* The machine itself behind the ports: its clocks, and programs run by argv. */
#ifndef COMMON_ADAPTERS_POSIX_POSIX_H
#define COMMON_ADAPTERS_POSIX_POSIX_H

#include "common/ports/clock.h"
#include "common/ports/process.h"

/* CLOCK_REALTIME and CLOCK_MONOTONIC. */
struct clock_port posix_clock(void);

/* Runs programs in a session of their own, so that the whole family can be ended. It first asks
 * (SIGTERM), and a second later does not ask any more (SIGKILL). What a program that ended by
 * itself left running in the background is left alone: a restart command may start a daemon.
 * Thread-safe. Killed here: the program goes on, and whoever drives the task next observes what
 * it did. */
struct process_runner posix_process_runner(void);

#endif
