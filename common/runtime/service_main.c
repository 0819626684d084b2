#include "common/runtime/service_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SETTINGS_MEMORY = 32 << 20,
    SOURCE_MAX = 256 * 1024,
    HOST_MAX = 64,
    PROBLEMS_MAX = 1 << 20
};

enum task { RUN, CHECK, DONE };

struct command_line {
    const char *config;
    const char *listen;
    const char *port_file;
    const char *instance;
    enum task task;
};

static void print_help(const struct service_spec *spec)
{
    (void)printf("slipway-%s: %s\n\n"
                 "  --config FILE      slipway.yaml (/etc/slipway/slipway.yaml)\n"
                 "  --listen ADDRESS   /healthz, /readyz, /metrics; port 0 takes a free one\n"
                 "  --port-file FILE   where the address taken is written\n"
                 "  --instance NAME    unique among the running ones\n"
                 "  --check-config     read slipway.yaml, say what is wrong, and end\n"
                 "  --crash-places     where a test may make it die, and end\n",
                 spec->name,
                 spec->summary);
    for (size_t i = 0; i < spec->flag_count; i++)
        (void)printf("  %-18s %s\n", spec->flags[i].name, spec->flags[i].help);
    (void)printf("  --version, --help\n");
}

/* The value of "--name VALUE" or "--name=VALUE" at *place, which moves on; false if it is not
 * that. */
static bool value_of(const char *name, int argc, char **argv, int *place, const char **ret)
{
    const char *const argument = argv[*place];
    const size_t length = strlen(name);

    if (strncmp(argument, name, length) != 0)
        return false;
    if (argument[length] == '=') {
        *ret = argument + length + 1;
        return true;
    }
    if (argument[length] != '\0' || *place + 1 >= argc)
        return false;
    *ret = argv[++*place];
    return true;
}

static bool take_value(struct command_line *line, int argc, char **argv, int *place)
{
    const struct {
        const char *name;
        const char **to;
    } values[] = { { "--config", &line->config },
                   { "--listen", &line->listen },
                   { "--port-file", &line->port_file },
                   { "--instance", &line->instance } };

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (value_of(values[i].name, argc, argv, place, values[i].to))
            return true;
    }
    return false;
}

static bool take_flag(const struct service_spec *spec, const char *argument)
{
    for (size_t i = 0; i < spec->flag_count; i++) {
        if (strcmp(spec->flags[i].name, argument) == 0)
            return setenv(spec->flags[i].variable, "1", 1) == 0;
    }
    return false;
}

/* False when something cannot be understood, and says so. */
static bool read_command_line(const struct service_spec *spec,
                              int argc,
                              char **argv,
                              struct command_line *line)
{
    for (int i = 1; i < argc; i++) {
        if (take_value(line, argc, argv, &i) || take_flag(spec, argv[i]))
            continue;
        if (strcmp(argv[i], "--check-config") == 0) {
            line->task = CHECK;
        } else if (strcmp(argv[i], "--crash-places") == 0) {
            crash_places_print();
            line->task = DONE;
        } else if (strcmp(argv[i], "--version") == 0) {
            (void)printf("slipway-%s %s\n", spec->name, SLIPWAY_VERSION);
            line->task = DONE;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(spec);
            line->task = DONE;
        } else {
            (void)fprintf(stderr, "slipway-%s: what is %s? See --help.\n", spec->name, argv[i]);
            return false;
        }
    }
    return true;
}

/* --- settings --- */

/* The file's text, for the carets under the problems; "" if it cannot be read. */
static const char *source_of(struct arena *arena, const char *path)
{
    FILE *const file = fopen(path, "rb");
    char *const bytes = arena_alloc(arena, SOURCE_MAX + 1);

    if (file == NULL)
        return "";
    (void)!fread(bytes, 1, SOURCE_MAX, file);
    (void)fclose(file);
    return bytes;
}

static const struct settings *load_settings(const struct service_spec *spec,
                                            struct arena *arena,
                                            const char *path)
{
    struct yaml_problems *const problems = arena_alloc(arena, sizeof *problems);
    struct text text = text_new(PROBLEMS_MAX);
    const struct settings *settings;

    problems->arena = arena;
    settings = settings_load(arena, path, problems);
    if (settings != NULL && spec->check != NULL)
        spec->check(arena, settings, problems);
    yaml_print_problems(problems, source_of(arena, path), &text);
    (void)fputs(text.bytes, stderr);
    text_release(&text);
    return problems->errors == 0 ? settings : NULL;
}

static const char *instance_name(struct arena *arena, const char *service)
{
    char host[HOST_MAX] = "localhost";

    (void)gethostname(host, sizeof host - 1);
    return arena_printf(arena, "%s-%s-%ld", service, host, (long)getpid());
}

/* False when it says something that cannot be understood: a test that kills nothing proves
 * nothing. */
static bool read_crash_plan(struct service *service)
{
    const char *const text = getenv("SLIPWAY_CRASH_AT");

    if (text == NULL || text[0] == '\0')
        return true;
    if (crash_plan_read(text, &service->crash)) {
        service->ports.crash = &service->crash;
        return true;
    }
    (void)fprintf(stderr,
                  "slipway-%s: SLIPWAY_CRASH_AT=%s: there is no such place, see "
                  "--crash-places\n",
                  service->spec->name,
                  text);
    return false;
}

static int run(const struct service_spec *spec,
               const struct command_line *line,
               const struct settings *settings,
               struct arena *arena)
{
    struct service *const service = arena_alloc(arena, sizeof *service);
    int status;

    service->spec = spec;
    if (!read_crash_plan(service))
        return SERVICE_USAGE;
    service->port_file = line->port_file;
    service->listen = line->listen;
    if (service->listen == NULL)
        service->listen = spec->listen != NULL ? spec->listen(settings) : "127.0.0.1:0";
    service->ports.settings = settings;
    service->ports.service = spec->name;
    service->ports.detail = spec->detail;
    service->ports.instance =
        line->instance != NULL ? line->instance : instance_name(arena, spec->name);
    service->log = (struct line_log){ .clock = wiring_clock(),
                                      .service = spec->name,
                                      .instance = service->ports.instance,
                                      .least = LOG_INFO,
                                      .fd = STDERR_FILENO };
    service->ports.log = line_log_port(&service->log);
    (void)pthread_mutex_init(&service->lock, NULL);
    status = service_start(service);
    if (status == SERVICE_STOPPED)
        status = service_run(service);
    else
        wiring_web_close(&service->web);
    if (service->ports.bus.close != NULL)
        service->ports.bus.close(service->ports.bus.self);
    metrics_free(service->metrics);
    (void)pthread_mutex_destroy(&service->lock);
    wiring_stop();
    return status;
}

int service_main(const struct service_spec *spec, int argc, char **argv)
{
    struct command_line line = { .config = "/etc/slipway/slipway.yaml" };
    struct arena arena = arena_with_limit(SETTINGS_MEMORY);
    const struct settings *settings;
    int status = SERVICE_STOPPED;

    if (!read_command_line(spec, argc, argv, &line))
        return SERVICE_USAGE;
    if (line.task != DONE) {
        settings = load_settings(spec, &arena, line.config);
        if (settings == NULL)
            status = SERVICE_MISCONFIGURED;
        else if (line.task == CHECK)
            (void)printf("%s: good, configuration %.8s\n", line.config, settings->hash);
        else
            status = run(spec, &line, settings, &arena);
    }
    arena_release(&arena);
    return status;
}
