/* What every struct store must do: one suite, run against memory and a real Redis. */
#ifndef TESTS_CONTRACT_STORE_STORE_CONTRACT_H
#define TESTS_CONTRACT_STORE_STORE_CONTRACT_H

#include "common/ports/store.h"

/* The store under test: two clients of one empty key space. */
struct store_world {
    struct store store;
    struct store other;

    /* Let at least that much time pass. */
    void (*elapse)(void *self, int ms);
    void *self;
};

/* Runs the suite; returns how many tests failed. The world is borrowed. */
int store_contract_run(const char *name, struct store_world *world);

#endif
