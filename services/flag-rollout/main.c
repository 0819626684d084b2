#include "services/flag-rollout/service.h"

int main(int argc, char **argv)
{
    return worker_main(&flag_rollout_worker, argc, argv);
}
