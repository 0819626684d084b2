#include "services/coordinator/told.h"

#include "common/state/projection.h"
#include "common/wire/topics.h"

Pb__Event *told_event(struct arena *arena, const char *deployment)
{
    Pb__Event *const event = pb_new(arena, &pb__event__descriptor);

    event->deployment = arena_text(arena, deployment);
    event->feature = projection_feature_of(arena, deployment);
    return event;
}

void told_add(struct coordinator *shell,
              struct outbox *outbox,
              const char *id,
              Pb__Event *event)
{
    outbox_add(outbox,
               &(struct outgoing){
                   .kind = PB__OUTBOX_KIND__OUTBOX_RECORD,
                   .id = id,
                   .topic = TOPIC_EVENTS,
                   .key = event->feature,
                   .subject = event->deployment,
                   .traceparent = "",
                   .at_ms = shell_now_ms(shell),
                   .message = &event->base,
                   .deployment = event->deployment,
                   .approach = "",
               });
}
