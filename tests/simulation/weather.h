/* What may go wrong in a run, and how often. Every run draws its own weather, in which most
 * kinds of trouble do not occur at all: a storm of everything would hide what two of them do
 * to each other. */
#ifndef TESTS_SIMULATION_WEATHER_H
#define TESTS_SIMULATION_WEATHER_H

#include "tests/simulation/dice.h"

/* name: how often at most, in a million. At each call of a port by a process: */
#define WEATHER_OF_CALLS(X)                                                                    \
    X(crash, 4000)    /* the process dies, before it or after it */                            \
    X(nap, 5000)      /* it stands still for up to 2 s */                                      \
    X(sleep, 1500)    /* it stands still for up to 5 minutes, and wakes as if nothing was */   \
    X(refused, 20000) /* not done, and said so */                                              \
    X(unanswered, 20000) /* done, and no answer */                                             \
    X(dropped, 5000)     /* a record handed over is lost, and flush says so */

/* At each round of the simulation: */
#define WEATHER_OF_ROUNDS(X)                                                                   \
    X(evicted, 12000)   /* the group gives up on a process that is alive */                    \
    X(store_tail, 2500) /* Redis comes back as it was a few seconds ago */                     \
    X(replica, 1500)    /* a lagging replica of it is promoted, and not all know */            \
    X(log_tail, 600)    /* Kafka loses what had been applied */                                \
    X(store_empty, 800) /* Redis comes back empty */                                           \
    X(store_away, 1500) /* Redis does not answer for a while */                                \
    X(bus_away, 1500)   /* Kafka does not answer for a while */                                \
    X(jump, 2000)       /* the clock of a process is set, by up to an hour */                  \
    X(restart, 2500)    /* a clean stop and a new start */                                     \
    X(edit, 1500)       /* ... with an edited configuration */                                 \
    X(rolling, 500)     /* all are, one after the other */                                     \
    X(echo, 20000)      /* an old record is published once more */                             \
    X(poison, 4000)     /* a record nobody can read */                                         \
    X(gateway, 3000)    /* a gateway hears nothing for a while */                              \
    X(incident, 20000)  /* something is wrong with what was deployed */                        \
    X(alert, 5000)      /* an alert fires, or is over */                                       \
    X(freeze, 1500)                                                                            \
    X(kill, 800)       /* a person turns a feature off at the gateway */                       \
    X(whim, 8000)      /* a person asks for something at an odd moment */                      \
    X(withdrawal, 500) /* the acceptance is taken back */

/* At each thing a worker does: */
#define WEATHER_OF_WORK(X)                                                                     \
    X(bad_finding, 200000) /* an instance is sick */                                           \
    X(broken, 60000)       /* a program or a service does not do what it is asked, or lies */

/* At each start of a process: */
#define WEATHER_OF_LIVES(X)                                                                    \
    X(doomed, 600000) /* it will die at a place between its calls (ports/crash.h) */

struct weather {
#define X(name, most) unsigned name;
    WEATHER_OF_CALLS(X) WEATHER_OF_ROUNDS(X) WEATHER_OF_WORK(X) WEATHER_OF_LIVES(X)
#undef X
};

struct weather weather_draw(struct dice *dice);

#endif
