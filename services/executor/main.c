#include "services/executor/executor.h"

int main(int argc, char **argv)
{
    return worker_main(&executor_spec, argc, argv);
}
