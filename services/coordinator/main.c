#include "services/coordinator/service.h"

int main(int argc, char **argv)
{
    return service_main(coordinator_service(), argc, argv);
}
