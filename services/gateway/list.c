/* GET of the list of deployments: filters and pages. */
#include "services/gateway/resources.h"

#include "common/base/base64.h"
#include "common/base/json.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_DEFAULT = 50, PAGE_MAX = 200, LIST_MAX = 5000, STEP_ANY = 8, TAG_SIZE = 16 };

/* --- filters: exact names; repeated values of one are alternatives --- */

struct list_filter {
    uint64_t step; /* STEP_ANY: all. */
    bool live;
    bool ended;
};

static bool read_filter(struct gateway_call *call, struct list_filter *ret)
{
    static const char *const lives[] = { "true", "false", "all", NULL };
    static const char *const exits[] = { "COMPLETED", "ABORTED", "ROLLED_BACK", NULL };
    static const char *const phases[] = {
        "AWAITING_INPUTS", "PLANNING",   "IN_REVIEW",    "QUEUED",     "CHECKING",
        "EXECUTING",       "VALIDATING", "ROLLING_OUT",  "CONFIRMING", "OBSERVING",
        "FINALISING",      "STOPPING",   "ROLLING_BACK", "BLOCKED",    "BLOCKED_ROLLBACK",
        "COMPLETED",       "ABORTED",    "ROLLED_BACK",  NULL,
    };
    const char *const live = call_query(call, "live");

    ret->live = live == NULL || strcmp(live, "false") != 0;
    ret->ended = live == NULL || strcmp(live, "true") != 0;
    return call_one_of(call, "live", lives) && call_one_of(call, "exit", exits) &&
           call_one_of(call, "state", phases) && call_one_of(call, "phase", phases) &&
           call_number(
               call, &(struct query_number){ "step", 0, STEP_ANY - 1, STEP_ANY }, &ret->step);
}

static bool service_filter(const struct gateway_call *call, const Pb__DeploymentState *state)
{
    if (call_query(call, "service") == NULL)
        return true;
    for (size_t i = 0; i < state->n_services; i++) {
        if (text_filter(call, "service", state->services[i]))
            return true;
    }
    return false;
}

static bool waits_for_viewer(const struct gateway_call *call, const Pb__DeploymentState *state)
{
    const char *const asked = call_query(call, "waiting_for");

    if (asked == NULL)
        return true;
    for (size_t i = 0; state->waiting_for != NULL && i < state->waiting_for->n_who; i++) {
        const char *const role = state->waiting_for->who[i];

        if (strcmp(asked, "me") == 0 ? auth_has_role(call->actor, role)
                                     : strcmp(asked, role) == 0)
            return true;
    }
    return false;
}

static bool is_wanted(const struct gateway_call *call,
                      const struct list_filter *filter,
                      const Pb__DeploymentState *state)
{
    const char *const phase = pb_phase_name(state->phase);
    const char *const part = call_query(call, "q");

    if (part != NULL && strstr(state->id, part) == NULL && strstr(state->title, part) == NULL)
        return false;
    return text_filter(call, "state", phase) && text_filter(call, "phase", phase) &&
           text_filter(call, "exit", phase) &&
           (filter->step == STEP_ANY || filter->step == state->step) &&
           text_filter(call, "environment", state->environment) &&
           text_filter(call, "feature", state->feature) && service_filter(call, state) &&
           waits_for_viewer(call, state);
}

/* --- pages --- */

/* Where a page begins, how long it may be, and where the next begins. */
struct page {
    uint64_t limit;
    const char *tag; /* Of the filter: a cursor is good for the list it came from. */
    bool ended;      /* Begins among the ended ones. */
    int64_t before;  /* Only what was updated before, or at it with a greater id. */
    const char *before_id;
    size_t shown;
    const char *last_id; /* Shown last. */
    int64_t last_at;
    bool last_ended;
    bool more;
};

static const char *filter_tag(struct gateway_call *call)
{
    struct text text = text_new(16 * 1024);
    char hex[DIGEST_HEX_SIZE];

    for (size_t i = 0; i < call->query_count; i++) {
        if (strcmp(call->query[i]->key, "cursor") != 0 &&
            strcmp(call->query[i]->key, "limit") != 0)
            text_add(&text, "%s=%s&", call->query[i]->key, call->query[i]->value);
    }
    digest_sha256(text.bytes, text.length, hex);
    text_release(&text);
    return arena_copy(call->arena, hex, TAG_SIZE);
}

/* "<tag>:<live or ended>:<place>:<id>", as base64. */
static const char *cursor_text(struct gateway_call *call, const struct page *page)
{
    const char *const plain = arena_printf(call->arena,
                                           "%s:%c:%lld:%s",
                                           page->tag,
                                           page->last_ended ? 'e' : 'l',
                                           (long long)page->last_at,
                                           page->last_id);
    struct text text = text_new(1024);
    char *copy;

    base64_write(&text, plain, strlen(plain));
    copy = arena_copy(call->arena, text.bytes, text.length);
    text_release(&text);
    for (char *c = copy; *c != '\0'; c++)
        *c = (char)(*c == '+' ? '-' : *c == '/' ? '_' : *c == '=' ? '\0' : *c);
    return copy;
}

static bool cursor_read(struct gateway_call *call, const char *cursor, struct page *page)
{
    size_t length = 0;
    const uint8_t *const bytes = base64_read(call->arena, cursor, strlen(cursor), &length);
    const char *const plain = bytes != NULL ? arena_copy(call->arena, bytes, length) : "";
    const char *rest = plain + TAG_SIZE;
    char *end = NULL;

    if (bytes == NULL || strlen(plain) != length || length < TAG_SIZE + 5 ||
        strncmp(plain, page->tag, TAG_SIZE) != 0 || rest[0] != ':' ||
        (rest[1] != 'l' && rest[1] != 'e') || rest[2] != ':')
        return false;
    page->ended = rest[1] == 'e';
    page->before = strtoll(rest + 3, &end, 10);
    if (end == rest + 3 || *end != ':')
        return false;
    page->before_id = end + 1;
    return true;
}

static bool read_page(struct gateway_call *call, struct page *ret)
{
    const char *const cursor = call_query(call, "cursor");

    *ret = (struct page){ .before = INT64_MAX, .before_id = "", .tag = filter_tag(call) };
    if (!call_number(
            call, &(struct query_number){ "limit", 1, PAGE_MAX, PAGE_DEFAULT }, &ret->limit))
        return false;
    if (cursor == NULL || cursor_read(call, cursor, ret))
        return true;
    call_problem(call,
                 &(struct problem){ .code = "malformed",
                                    .field = "cursor",
                                    .detail = "this cursor belongs to another list",
                                    .remedy = "Take it from the answer before, with the same "
                                              "filters." });
    return false;
}

static bool beyond_cursor(const struct page *page,
                          const struct store_member *member,
                          bool ended)
{
    if (ended != page->ended)
        return ended;
    if (member->score != page->before)
        return member->score < page->before;
    return strcmp(member->name, page->before_id) > 0;
}

/* --- writing --- */

struct listing {
    struct gateway_call *call;
    const struct list_filter *filter;
    struct page page;
    struct json json;
    enum err err;
    struct error error;
};

/* False when the page is full, or cannot be filled. */
static bool add_item(struct listing *listing, const struct store_member *member, bool ended)
{
    struct gateway_call *const call = listing->call;
    struct page *const page = &listing->page;
    Pb__DeploymentState *state = NULL;
    enum err err;

    if (!beyond_cursor(page, member, ended))
        return true;
    err = projection_deployment(
        call->projection, call_item(call), member->name, &state, &listing->error);
    /* One that was forgotten meanwhile is no longer listed. */
    if (err == ERR_NOT_FOUND)
        return true;
    listing->err = err;
    if (err != ERR_OK)
        return false;
    if (!is_wanted(call, listing->filter, state))
        return true;
    page->more = page->shown == page->limit;
    if (page->more)
        return false;
    view_summary(&listing->json, NULL, state);
    page->shown++;
    page->last_id = member->name;
    page->last_at = member->score;
    page->last_ended = ended;
    if (state->now_ms > call->as_of_ms)
        call->as_of_ms = state->now_ms;
    return true;
}

static void add_items(struct listing *listing, bool live)
{
    struct gateway_call *const call = listing->call;
    struct store_member *members = NULL;
    size_t count = 0;

    listing->err = projection_list(
        call->projection, call->arena, live, LIST_MAX, &members, &count, &listing->error);
    for (size_t i = 0; i < count && add_item(listing, &members[i], !live); i++)
        continue;
}

/* The same filters, escaped again, and the cursor. */
static const char *next_link(struct gateway_call *call, const char *next)
{
    struct text text = text_new(8 * 1024);
    const char *copy = NULL;

    text_add(&text, "</v1/deployments?cursor=%s", next);
    for (size_t i = 0; i < call->query_count; i++) {
        if (strcmp(call->query[i]->key, "cursor") == 0)
            continue;
        text_add(&text, "&%s=", call->query[i]->key);
        for (const char *c = call->query[i]->value; *c != '\0'; c++) {
            if (strchr("-_.", *c) != NULL || (*c >= '0' && *c <= '9') ||
                ((*c | 0x20) >= 'a' && (*c | 0x20) <= 'z'))
                text_add_char(&text, *c);
            else
                text_add(&text, "%%%02X", (unsigned)(unsigned char)*c);
        }
    }
    text_add(&text, ">; rel=\"next\"");
    if (text_ok(&text))
        copy = arena_text(call->arena, text.bytes);
    text_release(&text);
    return copy;
}

static void end_listing(struct listing *listing)
{
    struct gateway_call *const call = listing->call;
    const char *next = NULL;

    json_end_array(&listing->json);
    if (listing->page.more)
        next = cursor_text(call, &listing->page);
    if (next != NULL)
        json_put_text(&listing->json, "next", next);
    else
        json_put_null(&listing->json, "next");
    json_end_object(&listing->json);
    if (next != NULL)
        call->link = next_link(call, next);
}

void get_deployments(struct gateway_call *call)
{
    struct list_filter filter;
    struct listing listing = { .call = call, .filter = &filter };

    if (!read_filter(call, &filter) || !read_page(call, &listing.page))
        return;
    listing.json = call_json(call);
    json_put_object(&listing.json, NULL);
    json_put_array(&listing.json, "items");
    if (filter.live && !listing.page.ended)
        add_items(&listing, true);
    if (listing.err == ERR_OK && !listing.page.more && filter.ended)
        add_items(&listing, false);
    if (listing.err == ERR_OK)
        end_listing(&listing);
    else
        call_unavailable(call, &listing.error);
}
