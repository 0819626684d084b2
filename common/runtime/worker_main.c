#include "common/runtime/worker_internal.h"

int worker_main(const struct worker_spec *spec, int argc, char **argv)
{
    const struct service_spec service = worker_service(spec);

    return service_main(&service, argc, argv);
}
