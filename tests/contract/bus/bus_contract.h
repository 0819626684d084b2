/* What every struct bus must do: one suite, run against memory, the development broker and,
 * when SLIPWAY_TEST_KAFKA names its brokers, a real Kafka. */
#ifndef TESTS_CONTRACT_BUS_BUS_CONTRACT_H
#define TESTS_CONTRACT_BUS_BUS_CONTRACT_H

#include "common/ports/bus.h"

/* The bus under test. */
struct bus_world {
    struct bus bus;
    int patience_ms;   /* How long a thing that must happen may take. */
    bool makes_topics; /* Any topic exists as soon as it is asked for. */
    bool has_settings; /* Topics have settings beside their partitions. */
    char run[24];      /* Differs from run to run; part of topic and group names. */
    unsigned made;     /* Topics so far. */
};

/* Runs the suite; returns how many tests failed. The world is borrowed. */
int bus_contract_run(const char *name, struct bus_world *world);

#endif
