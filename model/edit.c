#include "model/edit.h"

#include <stdlib.h>
#include <string.h>

#include "model/trace.h"

static bool wrong(Error *error, const char *text, const char *expected) {
    return error_set(error, ERROR_INPUT, "edit \"%.80s\": %s expected", text, expected);
}

/* A whole number at *s; moves *s behind it. */
static bool take_number(const char **s, int64_t *out) {
    if (**s < '0' || **s > '9') return false;
    char *end;
    long long x = strtoll(*s, &end, 10);
    if (x > INT32_MAX) return false;
    *s = end;
    *out = x;
    return true;
}

/* H3 or H0,H3 or H0-H3 up to the end or the next colon. */
static bool take_heads(const char **s, Edit *edit) {
    do {
        int64_t first, last;
        if (**s == ',') (*s)++;
        if (*(*s)++ != 'H' || !take_number(s, &first)) return false;
        last = first;
        if (**s == '-') {
            *s += (*s)[1] == 'H' ? 2 : 1;
            if (!take_number(s, &last)) return false;
        }
        if (last < first || last > 255) return false;
        for (int64_t h = first; h <= last; h++)
            edit->heads[h / 64] |= (uint64_t)1 << (h % 64);
    } while (**s == ',');
    return **s == '\0' || **s == ':';
}

/* "decoder.2.cross_attn", "encoder.1.mlp", "L5" or a hook name, n bytes long. */
static bool place_name(const char *text, size_t n, Edit *edit) {
    char name[HOOK_NAME_MAX];
    if (n + 16 >= sizeof name) return false;
    memcpy(name, text, n);
    name[n] = '\0';
    if (hook_parse(name, &edit->at)) return true;
    strcpy(name + n, ".hook_z");
    if (hook_parse(name, &edit->at)) return true;
    name[n] = '\0';
    char *dot = strrchr(name, '.');
    if (!dot || strcmp(dot, ".mlp") != 0) return false;
    strcpy(dot, ".hook_mlp_out");
    return hook_parse(name, &edit->at);
}

/* L5H3: the only stack's. */
static bool short_place(const char **s, Edit *edit) {
    int64_t layer;
    const char *at = *s + 1;
    if (**s != 'L' || !take_number(&at, &layer) || *at != 'H' || layer > 9999) return false;
    edit->at = (HookPoint){.site = SITE_Z, .stack = STACK_BLOCKS, .layer = (int)layer};
    *s = at;
    return take_heads(s, edit);
}

static bool parse_place(const char **s, Edit *edit) {
    if (short_place(s, edit)) return true;
    size_t n = strcspn(*s, ":");
    if (!place_name(*s, n, edit)) return false;
    *s += n;
    if ((*s)[0] != ':' || (*s)[1] != 'H') return true;
    (*s)++;
    return take_heads(s, edit);
}

/* PLACE:q4:k7 */
static bool parse_cell(const char **s, Edit *edit) {
    if (!parse_place(s, edit)) return false;
    if ((*s)[0] != ':' || (*s)[1] != 'q') return false;
    *s += 2;
    if (!take_number(s, &edit->query)) return false;
    if ((*s)[0] != ':' || (*s)[1] != 'k') return false;
    *s += 2;
    if (edit->at.site == SITE_Z) edit->at.site = SITE_PATTERN;
    return take_number(s, &edit->key) && edit->at.site == SITE_PATTERN;
}

/* SITE[@POS]=FILE: takes the tensor of that name from a trace. */
static bool parse_patch(const char *text, Edit *edit, Arena *arena, Error *error) {
    const char *equals = strchr(text, '='), *s = text;
    if (!equals || !equals[1])
        return wrong(error, text, "SITE=trace.safetensors or SITE@POSITION=trace.safetensors");
    char site[HOOK_NAME_MAX] = {0};
    size_t n = strcspn(text, "@=");
    if (n < sizeof site) memcpy(site, text, n);
    if (!hook_parse(site, &edit->at))
        return wrong(error, text, "a hook name (attnscope hooks lists them) before '@' or '='");
    edit->position = -1;
    if (text[n] == '@') {
        s = text + n + 1;
        if (!take_number(&s, &edit->position) || s != equals)
            return wrong(error, text, "a position counted from 0 behind '@'");
    }
    Trace *donor = trace_open(equals + 1, error);
    if (!donor) return false;
    const Tensor *x = trace_find(donor, site);
    if (x) edit->donor = tensor_clone(arena, *x);
    bool ok = x && (edit->position < 0 ||
                    edit->position <
                        x->shape[edit->at.site == SITE_PATTERN || edit->at.site == SITE_SCORES]);
    if (!x)
        error_set(error, ERROR_INPUT,
                  "%s: has no %s; keep it with --sites '%s' when the trace is "
                  "made",
                  equals + 1, site, site);
    else if (!ok)
        error_set(error, ERROR_INPUT, "edit \"%.80s\": position %lld is not in the donor", text,
                  (long long)edit->position);
    trace_release(donor);
    return ok;
}

static bool parse_value(const char *s, const char *text, Edit *edit, Error *error) {
    double x;
    if (*s != '=' || !number_parse(str(s + 1), &x))
        return wrong(error, text, edit->kind == EDIT_SET ? "PLACE:qN:kM=WEIGHT" : "PLACE=FACTOR");
    if (edit->kind == EDIT_SET && (x < 0 || x > 1))
        return wrong(error, text, "a weight from 0 to 1");
    edit->value = (float)x;
    return true;
}

static bool parse(Edit *edit, const char *text, Arena *arena, Error *error) {
    static const char place[] = "a place such as decoder.2.cross_attn:H3, L5H3 or encoder.1.mlp";
    const char *equals = strrchr(text, '=');
    char left[256] = {0};
    size_t n = equals && edit->kind != EDIT_ABLATE ? (size_t)(equals - text) : strlen(text);
    if (edit->kind == EDIT_PATCH) return parse_patch(text, edit, arena, error);
    if (n >= sizeof left) return wrong(error, text, place);
    memcpy(left, text, n);
    const char *s = left;
    if (edit->kind == EDIT_SET) {
        if (!parse_cell(&s, edit) || *s)
            return wrong(error, text,
                         "PLACE:qN:kM=WEIGHT, for example "
                         "decoder.1.cross_attn:H0:q4:k7=1");
        return parse_value(text + n, text, edit, error);
    }
    if (!parse_place(&s, edit) || *s) return wrong(error, text, place);
    return edit->kind == EDIT_ABLATE || parse_value(text + n, text, edit, error);
}

bool edits_add(Edits *edits, EditKind kind, const char *text, Arena *arena, Error *error) {
    int most = (int)(sizeof edits->items / sizeof *edits->items);
    if (edits->n == most) return error_set(error, ERROR_INPUT, "more than %d edits at once", most);
    Edit edit = {.kind = kind, .position = -1, .text = arena_strdup(arena, text)};
    if (!parse(&edit, text, arena, error)) return false;
    edits->items[edits->n++] = edit;
    return true;
}

/* ---- against a model ---- */

static bool has_heads(const Edit *edit) {
    return edit->heads[0] | edit->heads[1] | edit->heads[2] | edit->heads[3];
}

static int last_head(const Edit *edit) {
    int last = -1;
    for (int h = 0; h < 256; h++)
        if (edit->heads[h / 64] >> (h % 64) & 1) last = h;
    return last;
}

static bool check(const Edit *edit, const Model *model, Error *error) {
    const StackConfig *c = &model->config.stack[edit->at.stack];
    const HookSite *site = &hook_sites[edit->at.site];
    if (site->scope == SCOPE_MODEL) return true;
    if (c->n_layers == 0) {
        bool two = model_has_stack(model, STACK_ENCODER);
        return error_set(error, ERROR_INPUT,
                         "edit \"%.80s\": this model has no %s stack; its "
                         "places begin with %s",
                         edit->text, stack_prefix(edit->at.stack),
                         two ? "encoder. or decoder." : "blocks.");
    }
    if (edit->at.cross && !c->has_cross)
        return error_set(error, ERROR_INPUT,
                         "edit \"%.80s\": there is no cross-attention in this "
                         "stack",
                         edit->text);
    if (site->scope >= SCOPE_LAYER && edit->at.layer >= c->n_layers)
        return error_set(error, ERROR_INPUT, "edit \"%.80s\": layer %d, but the layers are 0 to %d",
                         edit->text, edit->at.layer, c->n_layers - 1);
    bool by_head = edit->at.site >= SITE_Q && edit->at.site <= SITE_Z;
    if (has_heads(edit) && !by_head)
        return error_set(error, ERROR_INPUT, "edit \"%.80s\": %s has no heads", edit->text,
                         site->name);
    bool keys = edit->at.site == SITE_K || edit->at.site == SITE_V || edit->at.site == SITE_ROT_K;
    int n_heads = keys ? c->n_kv_heads : c->n_heads;
    if (last_head(edit) >= n_heads)
        return error_set(error, ERROR_INPUT, "edit \"%.80s\": head %d, but the heads are 0 to %d",
                         edit->text, last_head(edit), n_heads - 1);
    return true;
}

bool edits_check(Edits *edits, const Model *model, Error *error) {
    for (int i = 0; i < edits->n; i++)
        if (!check(&edits->items[i], model, error)) return false;
    return true;
}
