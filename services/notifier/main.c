#include "services/notifier/service.h"

int main(int argc, char **argv)
{
    return worker_main(&notifier_worker, argc, argv);
}
