/* The artifacts of the plan: there, with the digests of the plan, and fit for their way. */
#include "services/prechecks/configuration.h"
#include "services/prechecks/prechecks.h"
#include "services/prechecks/tally.h"

#include "common/drivers/deployers/artifact.h"
#include "common/wire/signature.h"

#include <ctype.h>
#include <stdlib.h>

#define KIND(name) (1U << PB__ARTIFACT_KIND__##name)

enum {
    CODE = KIND(BACKEND) | KIND(MIDDLEWARE) | KIND(FRONTEND),
    CONFIGURED = KIND(CONFIGURATION) | KIND(ENVIRONMENT) | KIND(FLAG_DEFINITION),
    INFRASTRUCTURE = KIND(INFRASTRUCTURE) | KIND(THIRD_PARTY),
    MIGRATIONS = KIND(MIGRATION),
};

static bool is_of(const Pb__Change *change, unsigned kinds)
{
    return change->kind < 32 && (kinds >> change->kind & 1) != 0;
}

/* An order on the target's first instance: enough for what changes nothing. */
static struct deployer_order order_of(const struct look *look,
                                      const struct deployer_entry *entry,
                                      const Pb__Change *change)
{
    struct deployer_order order = deployer_order_for(
        entry, entry->target->instance_count > 0 ? &entry->target->instances[0] : NULL);

    order.change = change;
    order.fence = look->command->fence;
    order.deployment = look->command->deployment;
    order.side = "";
    return order;
}

static Pb__Verdict verdict_of(enum err err)
{
    if (err == ERR_OK)
        return PB__VERDICT__PASS;
    return err == ERR_UNAVAILABLE || err == ERR_TIMED_OUT || err == ERR_STALE
               ? PB__VERDICT__ERROR
               : PB__VERDICT__FAIL;
}

/* By the key that the operator names; without one nobody asks. */
static enum err check_signature(const struct look *look,
                                const struct deployer_order *order,
                                struct error *error)
{
    const char *const key = look->env.settings->security.artifact_key;
    struct artifact artifact;
    enum err err;

    if (key == NULL || key[0] == '\0')
        return ERR_OK;
    err = artifact_find(&look->env, order, &artifact, error);
    return err == ERR_OK ? signature_check_beside(driver_path(&look->env, key),
                                                  order->change->digest->value,
                                                  artifact.path,
                                                  error)
                         : err;
}

/* Is it there, with its digest and signature, for a deployer that can bring it? */
static void add_artifact(const struct look *look, const Pb__Change *change, struct tally *tally)
{
    const struct deployer_entry *const entry =
        deployer_book_find(&look->prechecks->book, change->target);
    struct error error = { 0 };
    struct deployer_order order;
    enum err err;

    if (entry == NULL) {
        tally_add(tally, PB__VERDICT__FAIL, "target %s is not configured", change->target);
        return;
    }
    if (!is_of(change, entry->driver->kinds)) {
        tally_add(tally,
                  PB__VERDICT__FAIL,
                  "%s: %s cannot bring it to %s",
                  change->artifact,
                  entry->driver->name,
                  change->target);
        return;
    }
    order = order_of(look, entry, change);
    err = entry->driver->check_artifact != NULL
              ? entry->driver->check_artifact(&look->env, &order, &error)
              : error_set(&error, ERR_UNAVAILABLE, "its deployer cannot check artifacts");
    if (err == ERR_OK)
        err = check_signature(look, &order, &error);
    tally_add(
        tally, verdict_of(err), "%s %s: %s", change->artifact, change->version, error.text);
}

static void add_artifacts(const struct look *look, unsigned kinds, struct tally *tally)
{
    for (size_t i = 0; i < look->asked->n_changes; i++)
        if (is_of(look->asked->changes[i], kinds))
            add_artifact(look, look->asked->changes[i], tally);
}

static void end_artifacts(const struct look *look, struct tally *tally, Pb__Finding *ret)
{
    ret->evidence = "sha256sum of the artifact; for a folder see digest_tree in digest.h";
    tally_end(tally,
              look->env.arena,
              ret,
              look->env.settings->security.artifact_key[0] != '\0'
                  ? "artifacts with the digests of the plan, signed"
                  : "artifacts with the digests of the plan",
              "the plan brings none");
}

void look_at_code(const struct look *look, Pb__Finding *ret)
{
    struct tally tally = tally_begin();

    add_artifacts(look, CODE, &tally);
    ret->wanted = "every code artifact with its digest";
    end_artifacts(look, &tally, ret);
}

void look_at_infrastructure(const struct look *look, Pb__Finding *ret)
{
    struct tally tally = tally_begin();

    add_artifacts(look, INFRASTRUCTURE, &tally);
    ret->wanted = "every infrastructure artifact with its digest";
    end_artifacts(look, &tally, ret);
}

static const char *release_text(struct arena *arena, const char *version, const char *digest)
{
    return version[0] != '\0' ? arena_printf(arena, "%s sha256:%.12s", version, digest)
                              : "nothing";
}

/* What the target has now, for the reader: "r1 -> r2". */
static const char *difference(const struct look *look, const Pb__Change *change)
{
    const char *const wanted = change->digest != NULL ? change->digest->value : "";

    for (size_t i = 0; i < look->sighting_count; i++) {
        const Pb__Observed *const observed = look->sightings[i].observed;

        if (observed == NULL || !pb_same(look->sightings[i].target, change->target) ||
            look->sightings[i].instance == NULL)
            continue;
        if (pb_same(observed->digest, wanted))
            return arena_printf(look->env.arena, "%s: no difference", change->artifact);
        return arena_printf(look->env.arena,
                            "%s: %s -> %s",
                            change->artifact,
                            release_text(look->env.arena, observed->version, observed->digest),
                            release_text(look->env.arena, change->version, wanted));
    }
    return arena_printf(look->env.arena, "%s: nothing to compare with", change->artifact);
}

static void add_configuration(const struct look *look,
                              const Pb__Change *change,
                              struct tally *tally)
{
    const struct deployer_entry *const entry =
        deployer_book_find(&look->prechecks->book, change->target);
    struct error error = { 0 };
    struct deployer_order order;
    struct artifact artifact;
    enum err err;

    if (entry == NULL)
        return;
    order = order_of(look, entry, change);
    err = artifact_find(&look->env, &order, &artifact, &error);
    if (err == ERR_OK)
        err = configuration_check(look->env.arena, artifact.path, &error);
    if (err != ERR_OK)
        tally_add(tally, verdict_of(err), "%s", error.text);
}

void look_at_configuration(const struct look *look, Pb__Finding *ret)
{
    struct tally tally = tally_begin();
    struct text differences = text_new(1024);

    add_artifacts(look, CONFIGURED, &tally);
    for (size_t i = 0; i < look->asked->n_changes; i++) {
        const Pb__Change *const change = look->asked->changes[i];

        if (!is_of(change, CONFIGURED))
            continue;
        add_configuration(look, change, &tally);
        text_add(
            &differences, "%s%s", differences.length > 0 ? "; " : "", difference(look, change));
    }
    ret->wanted = "every configuration artifact with its digest, and well-formed";
    end_artifacts(look, &tally, ret);
    if (ret->verdict == PB__VERDICT__PASS)
        ret->observed = arena_text(look->env.arena, differences.bytes);
    text_release(&differences);
}

/* Orders "2" before "10" and "0002_a" before "0010_b": numbers count as numbers. */
static int compare_natural(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            char *end_a, *end_b;
            const unsigned long long left = strtoull(a, &end_a, 10);
            const unsigned long long right = strtoull(b, &end_b, 10);

            if (left != right)
                return left < right ? -1 : 1;
            a = end_a;
            b = end_b;
            continue;
        }
        if (*a != *b)
            return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        a++;
        b++;
    }
    return (*a != '\0') - (*b != '\0');
}

static void add_order(const Pb__Change *before, const Pb__Change *change, struct tally *tally)
{
    if (before == NULL || !pb_same(before->target, change->target))
        return;
    if (compare_natural(before->version, change->version) >= 0)
        tally_add(tally,
                  PB__VERDICT__FAIL,
                  "%s (%s) comes after %s (%s)",
                  change->artifact,
                  change->version,
                  before->artifact,
                  before->version);
}

static void add_way_back(const Pb__Change *change, struct tally *tally)
{
    const bool described =
        change->on_rollback != PB__ON_ROLLBACK__MANUAL || change->way_back[0] != '\0';

    if (change->on_rollback == PB__ON_ROLLBACK__ON_ROLLBACK_UNSPECIFIED)
        tally_add(tally, PB__VERDICT__FAIL, "%s does not say on_rollback", change->artifact);
    else if (!described)
        tally_add(tally, PB__VERDICT__FAIL, "%s: manual without a way_back", change->artifact);
}

void look_at_migrations(const struct look *look, Pb__Finding *ret)
{
    const Pb__Change *before = NULL;
    struct tally tally = tally_begin();

    add_artifacts(look, MIGRATIONS, &tally);
    for (size_t i = 0; i < look->asked->n_changes; i++) {
        const Pb__Change *const change = look->asked->changes[i];

        if (!is_of(change, MIGRATIONS))
            continue;
        add_order(before, change, &tally);
        add_way_back(change, &tally);
        before = change;
    }
    ret->wanted = "every migration with its digest, in rising order, with its way back";
    end_artifacts(look, &tally, ret);
}
