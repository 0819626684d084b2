#include "services/validator/validator.h"

int main(int argc, char **argv)
{
    return worker_main(&validator_spec, argc, argv);
}
