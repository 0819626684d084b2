/* What really went wrong in a run, counted where it happens: a kind of trouble that never comes
 * about is a defect of the simulation, and so is one that comes about and changes nothing. */
#ifndef TESTS_SIMULATION_FAULTS_H
#define TESTS_SIMULATION_FAULTS_H

#include <stdint.h>

/* name, what it is. Done to the processes: */
#define FAULTS(X)                                                                              \
    X(died_before, "a process dies at a call, which is not done")                              \
    X(died_after, "a process dies at a call, which is done")                                   \
    X(died_at_place, "a process dies between two calls")                                       \
    X(nap, "a process stands still for up to 2 s")                                             \
    X(sleep, "a process stands still for up to 5 minutes")                                     \
    X(evicted, "a group gives up on a process that is alive")                                  \
    X(woke_evicted, "a process goes on in the middle of a turn, given up by its groups")       \
    X(restart, "a clean stop")                                                                 \
    X(rolling, "an upgrade of all, one after the other")                                       \
    X(edit_coordinator, "a coordinator starts under an edited configuration")                  \
    X(edit_worker, "a worker starts under an edited configuration")                            \
    X(jump_coordinator, "a coordinator's clock is set, by up to an hour")                      \
    X(jump_worker, "a worker's clock is set, by up to an hour")                                \
    /* to their calls: */                                                                      \
    X(refused, "a call is not done, and says so")                                              \
    X(unanswered, "a call is done, and says nothing")                                          \
    X(dropped, "a record is taken and lost; its flush says so")                                \
    X(not_there, "a call finds Redis or Kafka away")                                           \
    /* to Redis and Kafka: */                                                                  \
    X(store_tail, "Redis comes back as it was seconds ago")                                    \
    X(replica, "a lagging replica of Redis is promoted")                                       \
    X(behind, "a process goes on speaking to the former master")                               \
    X(store_empty, "Redis comes back empty")                                                   \
    X(store_away, "Redis is away for up to 20 s")                                              \
    X(bus_away, "Kafka is away for up to 20 s")                                                \
    X(log_tail, "events.v1 loses its end, below what was applied")                             \
    X(log_adopted, "an operator goes on at the end of such a log")                             \
    X(log_rebuilt, "an operator has such a log folded anew")                                   \
    /* to records: */                                                                          \
    X(echo, "an old record is published once more")                                            \
    X(poison, "a record nobody can read, or whose writer is not proven")                       \
    /* to the outside: */                                                                      \
    X(gateway, "a gateway hears nothing for up to a minute")                                   \
    X(sick, "an instance becomes sick")                                                        \
    X(program_lies, "a program says something else than what it did")                          \
    X(program_silent, "a program does not end in time")                                        \
    X(program_late, "a program does its work after its caller gave up")                        \
    X(excuse, "somebody over HTTP answers with an excuse, or not at all")                      \
    /* and by people and monitoring: */                                                        \
    X(alert, "an alert fires on its topic")                                                    \
    X(incident, "something is wrong with what is live")                                        \
    X(freeze, "a freeze")                                                                      \
    X(kill, "a person turns a feature off")                                                    \
    X(whim, "a person asks for something at an odd moment")                                    \
    X(withdrawal, "an acceptance is taken back")

/* What came of it, as the record shows: */
#define CONSEQUENCES(X)                                                                        \
    X(completed, "deployments end COMPLETED")                                                  \
    X(aborted, "deployments end ABORTED")                                                      \
    X(rolled_back, "deployments end ROLLED_BACK")                                              \
    X(blocked, "deployments rest and call a person")                                           \
    X(shifted, "traffic goes to a side of its target")                                         \
    X(task_lost, "tasks are declared lost")                                                    \
    X(task_error, "tasks end with an error")                                                   \
    X(task_cancelled, "tasks are cancelled")                                                   \
    X(task_drift, "forward work is refused under another configuration")                       \
    X(task_driven_again, "commands of a later drive")                                          \
    X(late_word, "results come after their drive was declared lost")                           \
    X(said_again, "records go out a second time")                                              \
    X(told_by_monitor, "incidents that the monitor makes of alerts")                           \
    X(letter, "dead letters")                                                                  \
    X(latch, "latches")

enum fault {
#define X(name, words) FAULT_OF_##name,
    FAULTS(X) CONSEQUENCES(X)
#undef X
        FAULTS_COUNT
};

struct faults {
    uint64_t count[FAULTS_COUNT];
};

/* Adds one run. */
struct faults_seen {
    uint64_t times[FAULTS_COUNT];
    uint64_t runs[FAULTS_COUNT]; /* In which it happened at all. */
    uint64_t all_runs;
};

void faults_add(struct faults_seen *seen, const struct faults *run);

/* A line each. Returns how many never happened. */
unsigned faults_print(const struct faults_seen *seen);

#endif
