/* Any bytes as the webhook of Alertmanager: refused with a reason, or a batch that can be
 * packed, with every alert that the message held. */
#include "services/gateway/alertmanager.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_with_limit(64 << 20);
    struct error error = { 0 };
    Pb__AlertBatch *batch = NULL;

    if (size > 256 * 1024)
        return 0;
    if (alertmanager_read(&arena, "fuzz", (struct pb_bytes){ data, size }, &batch, &error) ==
        ERR_OK) {
        const struct pb_bytes packed = pb_pack(&arena, batch);
        void *again = NULL;

        if (batch->n_alerts > ALERTMANAGER_ALERTS_MAX)
            abort();
        if (packed.length <= PB_RECORD_MAX &&
            pb_unpack(&arena, &pb__alert_batch__descriptor, packed, &again, &error) != ERR_OK &&
            error.text[0] == '\0')
            abort();
    } else if (error.text[0] == '\0') {
        abort();
    }
    arena_release(&arena);
    return 0;
}
