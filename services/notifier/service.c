#include "services/notifier/service.h"

#include "services/notifier/delivery.h"

static const struct worker_handler handlers[] = {
    { .body = PB__COMMAND__BODY_ANNOUNCE, .step = announce_step },
    { .body = PB__COMMAND__BODY_FINALISE, .step = finalise_step },
};

const struct worker_spec notifier_worker = {
    .name = "notifier",
    .summary = "tells people and tickets, publishes the documents, hands over to operations",
    .handlers = handlers,
    .handler_count = sizeof handlers / sizeof handlers[0],
    .check = channels_check,
};
