#include "services/coordinator/service.h"
#include "services/coordinator/verify.h"

int main(int argc, char **argv)
{
    return service_main(
        verify_is_asked(argc, argv) ? verify_service() : coordinator_service(), argc, argv);
}
