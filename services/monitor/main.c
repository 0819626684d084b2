#include "services/monitor/monitor.h"

int main(int argc, char **argv)
{
    return worker_main(&monitor_spec, argc, argv);
}
