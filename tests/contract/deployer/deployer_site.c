#include "tests/contract/deployer/deployer_site.h"

#include "common/adapters/posix/posix.h"
#include "common/drivers/deployers/disk.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* tool VERB INSTANCE ...: keeps "version digest fence" in a file, of the traffic
 * "side fence". */
static const char tool[] =
    "cd \"$(dirname \"$0\")\"\n"
    "[ \"$1\" != observe ] && [ \"$1\" != side ] && echo \"$@\" >> changes\n"
    "[ \"$1\" != observe ] && [ \"$1\" != side ] && [ -e broken ] && { echo no luck; exit 1; "
    "}\n"
    "case $1 in\n"
    "observe) cat \"state.$2\" 2>/dev/null ;;\n"
    "apply) grep -q . -r \"$5\" && echo \"$3 $4 $SLIPWAY_FENCE\" > \"state.$2\" ;;\n"
    "revert) if [ -z \"$3\" ]; then rm -f \"state.$2\"; else echo \"$3 $4 $SLIPWAY_FENCE\" >"
    " \"state.$2\"; fi ;;\n"
    "shift) echo \"${2:--} $SLIPWAY_FENCE\" > side ;;\n"
    "side) cat side 2>/dev/null ;;\n"
    "esac\n"
    "exit 0\n";

static const char release_directory_yaml[] =
    "deployer:\n"
    "  restart: [/bin/sh, tool, restart, \"{instance}\", \"{version}\"]\n"
    "  keep: 0\n"
    "  router_link: router\n"
    "  router_to: upstream-{side}\n"
    "  router_reload: [/bin/sh, tool, reload, \"{side}\"]\n"
    "instances:\n"
    "  - directory: one\n"
    "  - directory: two\n";

static const char command_yaml[] =
    "deployer:\n"
    "  observe: [/bin/sh, tool, observe, \"{instance}\"]\n"
    "  check: [/bin/sh, check, \"{file}\", \"{version}\"]\n"
    "  apply: [/bin/sh, tool, apply, \"{instance}\", \"{version}\", \"{digest}\", \"{file}\"]\n"
    "  revert: [/bin/sh, tool, revert, \"{instance}\", \"{baseline_version}\","
    " \"{baseline_digest}\"]\n"
    "  shift: [/bin/sh, tool, shift, \"{side}\"]\n"
    "  side: [/bin/sh, tool, side]\n"
    "  state: fences\n"
    "instances:\n"
    "  - {}\n"
    "  - {}\n";

static const char *path_of(struct deployer_site *site, const char *path)
{
    return arena_printf(&site->arena, "%s/%s", site->root, path);
}

void site_put(struct deployer_site *site, const char *path, const char *text)
{
    FILE *const file = fopen(path_of(site, path), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

bool site_has(struct deployer_site *site, const char *path)
{
    return disk_exists(path_of(site, path));
}

unsigned site_changes(struct deployer_site *site)
{
    FILE *const file = fopen(path_of(site, "changes"), "r");
    unsigned lines = 0;
    int c;

    while (file != NULL && (c = getc(file)) != EOF)
        lines += c == '\n';
    if (file != NULL)
        (void)fclose(file);
    return lines;
}

void site_break(struct deployer_site *site)
{
    site_put(site, "broken", "");
}

void site_mend(struct deployer_site *site)
{
    (void)unlink(path_of(site, "broken"));
}

static void put_artifact(struct deployer_site *site, const char *version)
{
    const char *path = arena_printf(&site->arena, "artifacts/%s", version);

    if (site->kind->folder) {
        assert_int_equal(mkdir(path_of(site, path), 0755), 0);
        path = arena_printf(&site->arena, "%s/lib", path);
        assert_int_equal(mkdir(path_of(site, path), 0755), 0);
        path = arena_printf(&site->arena, "%s/shop.py", path);
    }
    site_put(site, path, version);
}

static bool stopped(void *self)
{
    return ((struct deployer_site *)self)->stop;
}

static void read_options(struct deployer_site *site)
{
    struct yaml_problems *const problems = arena_alloc(&site->arena, sizeof *problems);
    const bool directory = pb_same(site->kind->driver, "release-directory");
    const char *const yaml = directory ? release_directory_yaml : command_yaml;
    struct yaml_node *node;

    problems->arena = &site->arena;
    node = yaml_parse(&site->arena, "site.yaml", yaml, strlen(yaml), problems);
    assert_non_null(node);
    site->target.deployer.options = yaml_get(node, "deployer");
    for (size_t i = 0; i < 2; i++)
        site->instances[i].options = yaml_get(node, "instances")->items[i];
    site->book = deployer_book_read(&site->arena, &site->settings, problems);
    assert_int_equal(problems->errors, 0);
    assert_int_equal(site->book.count, 1);
}

struct deployer_site *site_new(const struct site_kind *kind)
{
    struct deployer_site *const site = calloc(1, sizeof *site);

    site->kind = kind;
    site->arena = arena_with_limit(16 * 1024 * 1024);
    (void)snprintf(site->root, sizeof site->root, "/tmp/deployer-site-XXXXXX");
    assert_non_null(mkdtemp(site->root));
    assert_int_equal(mkdir(path_of(site, "artifacts"), 0755), 0);
    put_artifact(site, "1.0");
    put_artifact(site, "1.1");
    site_put(site, "tool", tool);
    site_put(site, "check", "exit 0\n");
    site->settings.file = arena_printf(&site->arena, "%s/slipway.yaml", site->root);
    site->settings.targets = &site->target;
    site->settings.target_count = 1;
    site->target = (struct setting_target){
        .name = "shop",
        .service = "shop",
        .environment = "production",
        .deployer = { .name = "shop", .driver = kind->driver },
        .instances = site->instances,
        .instance_count = 2,
        .artifact_root = "artifacts",
    };
    site->instances[0] = (struct setting_instance){ "shop-1", "http://127.0.0.1:1", "blue", 0 };
    site->instances[1] = (struct setting_instance){ "shop-2", "", "green", NULL };
    read_options(site);
    site->env = (struct driver_env){
        .arena = &site->arena,
        .clock = posix_clock(),
        .process = posix_process_runner(),
        .settings = &site->settings,
        .stopped = stopped,
        .stopped_self = site,
    };
    return site;
}

void site_free(struct deployer_site *site)
{
    struct error error = { 0 };

    assert_int_equal(disk_remove(NULL, site->root, &error), ERR_OK);
    arena_release(&site->arena);
    free(site);
}

static Pb__Change *change_to(struct deployer_site *site, const char *version)
{
    Pb__Change *const change = pb_new(&site->arena, &pb__change__descriptor);
    const char *const path = arena_printf(&site->arena, "%s/artifacts/%s", site->root, version);
    char hex[DIGEST_HEX_SIZE];
    struct error error = { 0 };
    enum err err;

    err = site->kind->folder ? digest_tree(path, hex, &error) : digest_file(path, hex, &error);
    change->kind = PB__ARTIFACT_KIND__BACKEND;
    change->artifact = "shop";
    change->target = "shop";
    change->version = arena_text(&site->arena, version);
    change->source = change->version;
    change->digest = pb_new(&site->arena, &pb__digest__descriptor);
    change->digest->algorithm = "sha256";
    change->digest->value = arena_text(&site->arena, err == ERR_OK ? hex : "");
    return change;
}

struct deployer_order site_order(struct deployer_site *site,
                                 const char *version,
                                 uint64_t fence_version)
{
    struct deployer_order order =
        deployer_order_for(&site->book.entries[0], &site->instances[0]);
    Pb__Fence *const fence = pb_new(&site->arena, &pb__fence__descriptor);

    fence->grant = 7;
    fence->version = fence_version;
    order.fence = fence;
    order.change = change_to(site, version);
    order.deployment = "express-pay.1";
    order.side = "";
    return order;
}

Pb__Observed site_observe(struct deployer_site *site)
{
    const struct deployer_order order = site_order(site, "1.0", 0);
    struct error error = { 0 };
    Pb__Observed observed;
    enum err err;

    pb__observed__init(&observed);
    err = site->book.entries[0].driver->observe(&site->env, &order, &observed, &error);
    if (err != ERR_NOT_FOUND && err != ERR_OK)
        fail_msg("observe: %s", error.text);
    return observed;
}
