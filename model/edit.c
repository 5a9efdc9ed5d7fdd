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

/* The same of a recurrent model, whose cells have other gates each (rnn.h). */
static bool recurrent_computes(const HookPoint *at, const RnnConfig *c) {
    switch ((int)at->site) {
    case SITE_EMBED:
    case SITE_LOGITS:
    case SITE_RNN_H:
        return true;
    case SITE_SCORES:
    case SITE_PATTERN:
        return at->stack == STACK_DECODER && at->cross && at->layer <= 0;
    case SITE_RNN_CONTEXT:
        return at->stack == STACK_DECODER;
    case SITE_RNN_H_BACKWARD:
        return at->stack == STACK_ENCODER && c->bidirectional;
    case SITE_RNN_C:
    case SITE_RNN_I:
    case SITE_RNN_F:
    case SITE_RNN_G:
    case SITE_RNN_O:
        return c->cell == CELL_LSTM;
    case SITE_RNN_R:
    case SITE_RNN_Z:
    case SITE_RNN_N:
        return c->cell == CELL_GRU;
    default:
        return false;
    }
}

/* Does the forward pass of this model come by this place at all? */
static bool is_computed(const Edit *edit, const Model *model) {
    const StackConfig *c = &model->config.stack[edit->at.stack];
    const Stack *stack = &model->stack[edit->at.stack];
    bool rotates =
        c->position == POSITION_ROTARY_HALVES || c->position == POSITION_ROTARY_INTERLEAVED;
    Site site = edit->at.site;
    if (model->config.family == FAMILY_RECURRENT)
        return recurrent_computes(&edit->at, &model->config.rnn);
    if (site >= SITE_RNN_H) return false;
    switch ((int)site) {
    case SITE_POS_EMBED:
        return stack->positions.data != NULL;
    case SITE_ROT_Q:
    case SITE_ROT_K:
        return rotates && !edit->at.cross;
    case SITE_RESID_MID:
        return !c->parallel;
    case SITE_NORMALIZED_RESID_MID:
    case SITE_NORMALIZED_RESID_POST:
        return !c->parallel && c->norm_place == NORM_POST;
    case SITE_LN2_SCALE:
    case SITE_LN2_NORMALIZED:
        return stack->layers[edit->at.layer].ln2.scale != NULL;
    case SITE_MLP_LINEAR:
        return c->gated;
    case SITE_FINAL_SCALE:
    case SITE_FINAL_NORMALIZED:
        return c->final_norm;
    case SITE_LOGITS:
        return model->output.weight.data != NULL;
    default:
        return true;
    }
}

/* Last axis of a site's tensor in this model; -1: not known here. */
static int64_t width_of(const Edit *edit, const Model *model) {
    const StackConfig *c = &model->config.stack[edit->at.stack];
    switch ((int)edit->at.site) {
    case SITE_LN1_SCALE:
    case SITE_LN2_SCALE:
    case SITE_FINAL_SCALE:
        return 1;
    case SITE_MLP_PRE:
    case SITE_MLP_LINEAR:
    case SITE_MLP_POST:
        return c->d_ff;
    case SITE_LOGITS:
        return model->config.head.pick == PICK_ALL ? model->output.weight.rows : -1;
    case SITE_EMBED: /* of some models before a projection */
        return c->n_layers ? model->stack[edit->at.stack].embed.cols : -1;
    default:
        return edit->at.site < SITE_RNN_H ? model->config.d_model : -1;
    }
}

static int heads_of(const Edit *edit, const StackConfig *c) {
    bool keys = edit->at.site == SITE_K || edit->at.site == SITE_V || edit->at.site == SITE_ROT_K;
    return keys ? c->n_kv_heads : c->n_heads;
}

static bool is_by_head(const Edit *edit) {
    return edit->at.site >= SITE_Q && edit->at.site <= SITE_Z;
}

static bool is_pattern(const Edit *edit) {
    return edit->at.site == SITE_PATTERN || edit->at.site == SITE_SCORES;
}

/* All axes of the donor but those that count tokens. */
static bool donor_fits(const Edit *edit, const Model *model) {
    const StackConfig *c = &model->config.stack[edit->at.stack];
    const Tensor *x = &edit->donor;
    int64_t width = width_of(edit, model);
    if (is_pattern(edit)) return x->rank == 3 && x->shape[0] == c->n_heads;
    if (is_by_head(edit))
        return x->rank == 3 && x->shape[1] == heads_of(edit, c) && x->shape[2] == c->d_head;
    return x->rank == 2 && (width < 0 || x->shape[1] == width);
}

/* The rest of a row is scaled so that it sums to 1; here there is no rest. */
static bool only_key(const Edit *edit, Error *error) {
    return error_set(
        error, ERROR_INPUT,
        "edit \"%.80s\": query %lld sees one key only, whose weight is 1 and cannot be "
        "another: the row has to sum to 1",
        edit->text, (long long)edit->query);
}

static bool check(const Edit *edit, const Model *model, Error *error) {
    const StackConfig *c = &model->config.stack[edit->at.stack];
    const HookSite *site = &hook_sites[edit->at.site];
    if (has_heads(edit) && !is_by_head(edit))
        return error_set(error, ERROR_INPUT, "edit \"%.80s\": %s has no heads", edit->text,
                         site->name);
    if (c->n_layers == 0 && site->scope != SCOPE_MODEL) {
        bool two = model_has_stack(model, STACK_ENCODER);
        return error_set(error, ERROR_INPUT,
                         "edit \"%.80s\": this model has no %s stack; its "
                         "places begin with %s",
                         edit->text, stack_prefix(edit->at.stack),
                         two ? "encoder. or decoder." : "blocks.");
    }
    bool recurrent = model->config.family == FAMILY_RECURRENT;
    if (edit->at.cross && !c->has_cross && !(recurrent && edit->at.stack == STACK_DECODER))
        return error_set(error, ERROR_INPUT,
                         "edit \"%.80s\": there is no cross-attention in this "
                         "stack",
                         edit->text);
    if (site->scope >= SCOPE_LAYER && edit->at.layer >= c->n_layers)
        return error_set(error, ERROR_INPUT, "edit \"%.80s\": layer %d, but the layers are 0 to %d",
                         edit->text, edit->at.layer, c->n_layers - 1);
    if (last_head(edit) >= heads_of(edit, c))
        return error_set(error, ERROR_INPUT, "edit \"%.80s\": head %d, but the heads are 0 to %d",
                         edit->text, last_head(edit), heads_of(edit, c) - 1);
    if (!is_computed(edit, model))
        return error_set(error, ERROR_INPUT, "edit \"%.80s\": this model does not compute %s%s",
                         edit->text, site->name,
                         recurrent && edit->at.cross
                             ? "; decoder.hook_context is what its attention hands on"
                             : "");
    if (edit->kind == EDIT_SET && !edit->at.cross && c->causal && edit->key > edit->query)
        return error_set(error, ERROR_INPUT,
                         "edit \"%.80s\": a query of this attention sees no key behind itself",
                         edit->text);
    bool first = !edit->at.cross && c->causal && edit->query == 0;
    if (edit->kind == EDIT_SET && first && edit->value != 1) return only_key(edit, error);
    if (edit->kind == EDIT_PATCH && !donor_fits(edit, model))
        return error_set(error, ERROR_INPUT,
                         "edit \"%.80s\": the donor is of another model: its %s has other axes",
                         edit->text, site->name);
    return true;
}

bool edits_check(const Edits *edits, const Model *model, Error *error) {
    for (int i = 0; i < edits->n; i++)
        if (!check(&edits->items[i], model, error)) return false;
    return true;
}

/* Positions that the edit's site has; -1: not known. */
static int64_t positions_of(const Edit *edit, const EditInput *in) {
    bool keys = edit->at.site == SITE_K || edit->at.site == SITE_V;
    if (edit->at.cross && keys) return in->n_source;
    if (edit->at.site == SITE_LOGITS) return in->n_target > 0 ? in->n_target : -1; /* or one */
    return edit->at.stack == STACK_DECODER ? in->n_target : in->n_source;
}

/* May the query of a set look at that key, of those there are? */
static bool sees(const Edit *edit, const EditInput *in, int64_t key) {
    const StackConfig *c = &in->model->config.stack[edit->at.stack];
    bool target = edit->at.stack == STACK_DECODER && !edit->at.cross;
    const uint8_t *keep = target ? in->target_keep : in->source_keep;
    int window = c->window > 0 ? stack_window(c, edit->at.layer) : 0;
    if (keep && !keep[key]) return false;
    if (edit->at.cross) return true;
    return !(c->causal && key > edit->query) && !(window > 0 && key + window <= edit->query);
}

static bool set_fits(const Edit *edit, const EditInput *in, int64_t n, Error *error) {
    const StackConfig *c = &in->model->config.stack[edit->at.stack];
    int64_t n_keys = edit->at.cross ? in->n_source : n, n_seen = 0;
    if (n >= 0 && edit->query >= n)
        return error_set(error, ERROR_INPUT,
                         "edit \"%.80s\": there is no query %lld, they are 0 to %lld", edit->text,
                         (long long)edit->query, (long long)n - 1);
    if (n_keys >= 0 && edit->key >= n_keys)
        return error_set(error, ERROR_INPUT,
                         "edit \"%.80s\": there is no key %lld, they are 0 to %lld", edit->text,
                         (long long)edit->key, (long long)n_keys - 1);
    if (n_keys < 0 && !(c->causal && !edit->at.cross)) return true;
    if (n_keys < 0) n_keys = edit->query + 1;
    if (!sees(edit, in, edit->key))
        return error_set(error, ERROR_INPUT,
                         "edit \"%.80s\": query %lld may not look at key %lld, it is masked",
                         edit->text, (long long)edit->query, (long long)edit->key);
    for (int64_t key = 0; key < n_keys && n_seen < 2; key++)
        n_seen += sees(edit, in, key);
    return n_seen > 1 || edit->value == 1 || only_key(edit, error);
}

static bool fits(const Edit *edit, const EditInput *in, Error *error) {
    int64_t n = positions_of(edit, in);
    int64_t n_keys = edit->at.cross ? in->n_source : n;
    if (edit->kind == EDIT_SET) return set_fits(edit, in, n, error);
    if (edit->kind != EDIT_PATCH || n < 0) return true;
    int64_t in_donor = edit->donor.shape[is_pattern(edit)];
    if (edit->position >= n)
        return error_set(error, ERROR_INPUT, "edit \"%.80s\": the positions are 0 to %lld",
                         edit->text, (long long)n - 1);
    if (edit->position < 0 && in_donor != n)
        return error_set(error, ERROR_INPUT,
                         "edit \"%.80s\": the donor has %lld positions, this input %lld; patch one "
                         "of them with SITE@POSITION",
                         edit->text, (long long)in_donor, (long long)n);
    if (is_pattern(edit) && n_keys >= 0 && edit->donor.shape[2] != n_keys)
        return error_set(error, ERROR_INPUT,
                         "edit \"%.80s\": the donor has %lld keys, this input %lld", edit->text,
                         (long long)edit->donor.shape[2], (long long)n_keys);
    return true;
}

bool edits_fit(const Edits *edits, const EditInput *input, Error *error) {
    for (int i = 0; edits && i < edits->n; i++)
        if (!fits(&edits->items[i], input, error)) return false;
    return true;
}
