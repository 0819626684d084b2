/* `digest: auto`: worked out from what lies there now. Private to common/config. */
#ifndef COMMON_CONFIG_FEATURE_MEASURE_H
#define COMMON_CONFIG_FEATURE_MEASURE_H

#include "common/config/feature.h"

/* The digest of the file or folder that the artifact's source names, node being the artifact in
 * the file. NULL after a complaint, or where the source is none that may be looked at. */
Pb__Digest *feature_measure(struct yaml_problems *problems,
                            const struct feature_file *file,
                            const struct yaml_node *node,
                            const Pb__Artifact *artifact);

#endif
