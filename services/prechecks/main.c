#include "services/prechecks/prechecks.h"

int main(int argc, char **argv)
{
    return worker_main(&prechecks_spec, argc, argv);
}
