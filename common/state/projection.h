/* Reading what the coordinator has put into Redis: the same few calls for gateway, notifier,
 * monitor and command line tools. Everything is as of the last committed event. */
#ifndef COMMON_STATE_PROJECTION_H
#define COMMON_STATE_PROJECTION_H

#include "common/ports/store.h"
#include "common/wire/pb.h"

/* Where to look. Borrowed. */
struct projection {
    struct store store;
    const char *prefix;
    int32_t partitions; /* Of events.v1. */
};

/* The feature of "express-pay.3": "express-pay". */
const char *projection_feature_of(struct arena *arena, const char *deployment);

/* ERR_NOT_FOUND when there is none. */
enum err projection_deployment(const struct projection *projection,
                               struct arena *arena,
                               const char *id,
                               Pb__DeploymentState **ret,
                               struct error *error) MUST_CHECK;
enum err projection_plan(const struct projection *projection,
                         struct arena *arena,
                         const Pb__DeploymentState *state,
                         Pb__Plan **ret,
                         struct error *error) MUST_CHECK;
enum err projection_feature(const struct projection *projection,
                            struct arena *arena,
                            const char *feature,
                            Pb__FeatureState **ret,
                            struct error *error) MUST_CHECK;
/* lane: "<environment>/<service>". */
enum err projection_lane(const struct projection *projection,
                         struct arena *arena,
                         const char *lane,
                         Pb__LaneState **ret,
                         struct error *error) MUST_CHECK;

/* All entries of a deployment, oldest first. */
enum err projection_timeline(const struct projection *projection,
                             struct arena *arena,
                             const char *id,
                             Pb__TimelineEntry ***ret,
                             size_t *ret_count,
                             struct error *error) MUST_CHECK;

/* Ids of live or ended deployments with their places (keys_listed_at), newest first, of all
 * partitions. */
enum err projection_list(const struct projection *projection,
                         struct arena *arena,
                         bool live,
                         int limit,
                         struct store_member **ret,
                         size_t *ret_count,
                         struct error *error) MUST_CHECK;

/* Whether what Redis holds is to be believed: false while the coordinator of some partition
 * folds what Redis may have lost, and where it has not yet begun to. */
enum err projection_whole(const struct projection *projection,
                          struct arena *arena,
                          bool *ret,
                          struct error *error) MUST_CHECK;

/* The same of what concerns that feature only. */
enum err projection_whole_of(const struct projection *projection,
                             struct arena *arena,
                             const char *feature,
                             bool *ret,
                             struct error *error) MUST_CHECK;

/* Names of all lanes. */
enum err projection_lanes(const struct projection *projection,
                          struct arena *arena,
                          const char ***ret,
                          size_t *ret_count,
                          struct error *error) MUST_CHECK;

#endif
