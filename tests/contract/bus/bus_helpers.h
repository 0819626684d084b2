/* What the tests of a bus share: short words for publishing, subscribing and waiting. All of
 * them fail the test that calls them when the bus does. */
#ifndef TESTS_CONTRACT_BUS_BUS_HELPERS_H
#define TESTS_CONTRACT_BUS_BUS_HELPERS_H

#include "tests/contract/bus/bus_contract.h"

/* Four, since that is what the development broker makes of a topic it does not know. */
enum { CONTRACT_PARTITIONS = 4, CONTRACT_NAME_SIZE = 64 };

/* What a listener saw. */
struct contract_share {
    int64_t start_at; /* Handed to partition 0; BUS_OFFSET_DEFAULT: not. */
    int owned;
    int32_t lowest; /* Lowest partition of the last assignment. */
    bool lost;      /* Some revocation came too late. */
};

/* Makes a topic nobody used; its name goes into name. Returns name. */
const char *contract_topic(struct bus_world *world, char name[CONTRACT_NAME_SIZE]);
struct bus_topic contract_settings(const char *name);

/* Publish without and with waiting. */
void contract_hand_over(struct bus_world *world,
                        const char *topic,
                        int32_t partition,
                        int number);
void contract_publish(struct bus_world *world, const struct bus_record *record);
void contract_flush(struct bus_world *world);

struct bus_consumer contract_subscribe(struct bus_world *world,
                                       const char *group,
                                       const char *topic,
                                       enum bus_start start,
                                       struct contract_share *share);

/* Without a group and a listener. */
struct bus_consumer contract_read(struct bus_world *world,
                                  const char *topic,
                                  enum bus_start start);

/* The first outcome that is neither "nothing yet" nor "unwell". */
enum err contract_outcome(struct bus_world *world,
                          struct bus_consumer *consumer,
                          struct error *error);
struct bus_record contract_next(struct bus_world *world, struct bus_consumer *consumer);
int contract_next_number(struct bus_world *world, struct bus_consumer *consumer);

/* Those of partition 3 must be so. A topic just made may be unavailable for a moment. */
void contract_watermarks(struct bus_world *world,
                         struct bus_consumer *consumer,
                         const char *topic,
                         int64_t low,
                         int64_t high);

/* Receive with both (second may be NULL) until that share owns so many. */
void contract_until_owned(struct bus_world *world,
                          struct bus_consumer *first,
                          struct bus_consumer *second,
                          const struct contract_share *share,
                          int owned);

#endif
