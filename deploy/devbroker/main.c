/* slipway-devbroker: see README.md. */
#include "common/wire/topics.h"
#include "deploy/devbroker/port.h"

#include <getopt.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    BROKER = 1,
    EXIT_USAGE = 2,
    PARTITIONS_DEFAULT = 4,
    PARTITIONS_MOST = 1000,
    BETWEEN_REQUESTS_MS = 3,
};

struct arguments {
    const char *port_file;
    long partitions;
    long port;
};

static const char usage[] =
    "usage: slipway-devbroker [--partitions N] [--port PORT] [--port-file FILE]\n"
    "A Kafka broker for development, in memory, on 127.0.0.1.\n"
    "  --partitions N    of Slipway's own topics (4)\n"
    "  --port PORT       listen there (any free port)\n"
    "  --port-file FILE  write the address there once it listens\n";

static bool number_read(const char *text, long most, long *ret)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (*text == '\0' || *end != '\0' || number < 1 || number > most)
        return false;
    *ret = number;
    return true;
}

/* False: the command line is wrong. */
static bool arguments_read(int argc, char **argv, struct arguments *ret)
{
    static const struct option options[] = {
        { "partitions", required_argument, NULL, 'n' },
        { "port", required_argument, NULL, 'p' },
        { "port-file", required_argument, NULL, 'f' },
        { NULL, 0, NULL, 0 },
    };
    bool right = true;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'n': right &= number_read(optarg, PARTITIONS_MOST, &ret->partitions); break;
        case 'p': right &= number_read(optarg, 65535, &ret->port); break;
        case 'f': ret->port_file = optarg; break;
        default: right = false;
        }
    }
    return right && optind == argc;
}

/* Whole or not at all: who waits for the file never reads half an address. */
static bool address_write(const char *file, const char *address)
{
    char part[4096];

    if (snprintf(part, sizeof part, "%s.part", file) >= (int)sizeof part)
        return false;
    FILE *stream = fopen(part, "w");

    if (stream == NULL)
        return false;
    bool written = fprintf(stream, "%s\n", address) > 0;

    written &= fclose(stream) == 0;
    return written && rename(part, file) == 0;
}

/* A request to the test cluster's thread that comes too soon after the one before is noticed a
 * second later: it wakes up no more often than so. */
static bool topics_make(rd_kafka_mock_cluster_t *cluster, int32_t partitions)
{
    const struct timespec moment = { .tv_nsec = BETWEEN_REQUESTS_MS * 1000000L };
    struct bus_topic topics[TOPICS_MAX];
    size_t count = topics_all(partitions, topics);

    for (size_t i = 0; i < count; i++) {
        nanosleep(&moment, NULL);
        if (rd_kafka_mock_topic_create(cluster, topics[i].name, topics[i].partitions, 1) !=
            RD_KAFKA_RESP_ERR_NO_ERROR)
            return false;
    }
    return true;
}

static void serve(rd_kafka_mock_cluster_t *cluster, const sigset_t *signals)
{
    int signal = 0;

    while (sigwait(signals, &signal) == 0) {
        if (signal == SIGUSR1)
            rd_kafka_mock_broker_set_down(cluster, BROKER);
        else if (signal == SIGUSR2)
            rd_kafka_mock_broker_set_up(cluster, BROKER);
        else
            return;
    }
}

static int run(const struct arguments *arguments, rd_kafka_t *host, const sigset_t *signals)
{
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(host, 1);

    if (cluster == NULL) {
        fprintf(stderr, "slipway-devbroker: cannot listen on port %ld\n", arguments->port);
        return EXIT_FAILURE;
    }
    const char *address = rd_kafka_mock_cluster_bootstraps(cluster);
    int status = EXIT_FAILURE;

    if (!topics_make(cluster, (int32_t)arguments->partitions)) {
        fprintf(stderr, "slipway-devbroker: cannot make the topics\n");
    } else if (arguments->port_file != NULL && !address_write(arguments->port_file, address)) {
        fprintf(stderr, "slipway-devbroker: cannot write %s\n", arguments->port_file);
    } else {
        printf("%s\n", address);
        fflush(stdout);
        serve(cluster, signals);
        status = EXIT_SUCCESS;
    }
    rd_kafka_mock_cluster_destroy(cluster);
    return status;
}

int main(int argc, char **argv)
{
    struct arguments arguments = { .partitions = PARTITIONS_DEFAULT };
    char text[256];
    sigset_t signals;

    if (!arguments_read(argc, argv, &arguments)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    port_choose((unsigned)arguments.port);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    /* It would warn that it knows no brokers. */
    rd_kafka_conf_set(conf, "log_level", "3", text, sizeof text);
    rd_kafka_t *host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);

    if (host == NULL) {
        fprintf(stderr, "slipway-devbroker: %s\n", text);
        return EXIT_FAILURE;
    }
    int status = run(&arguments, host, &signals);

    rd_kafka_destroy(host);
    return status;
}
