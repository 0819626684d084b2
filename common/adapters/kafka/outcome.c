#include "common/adapters/kafka/client.h"

enum err kafka_outcome(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR: return ERR_OK;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE: return ERR_TOO_LARGE;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION: return ERR_NOT_FOUND;
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST:
    case RD_KAFKA_RESP_ERR__STATE: return ERR_CONFLICT;
    case RD_KAFKA_RESP_ERR__FATAL: return ERR_INTERNAL;
    /* Wrong rights and wrong passwords too: somebody will put them right, and then no record
     * may have been thrown away. */
    default: return ERR_UNAVAILABLE;
    }
}

enum err kafka_error(struct error *error, rd_kafka_resp_err_t code, const char *what)
{
    return error_set(error, kafka_outcome(code), "%s: %s", what, rd_kafka_err2str(code));
}
