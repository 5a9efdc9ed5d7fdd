#include "model/begin.h"

/* The language whose token is most probable behind the start token. */
static bool detect_language(const Model *model, const Input *input, const Edits *edits,
                            int32_t *out, Error *error) {
    static const char *const sites[] = {"logits", NULL};
    const GenerationConfig *c = &model->config.generation;
    Token start = {.id = c->start_id, .label = str("start"), .special = true};
    Input first = *input;
    first.target = (Tokens){.n = 1, .items = &start, .text = {"", 0}};
    first.next = NULL;
    first.next_tokens = NULL;
    first.target_keep = NULL;
    Trace *trace = trace_run(model, &first, &(TraceOptions){.sites = sites, .edits = edits}, error);
    if (!trace) return false;
    const Tensor *logits = trace_find(trace, "logits");
    for (int i = 0; logits && i < c->n_language_ids; i++) {
        int32_t id = c->language_ids[i];
        if (id < 0 || id >= model->config.n_vocab) continue;
        if (*out < 0 || logits->data[id] > logits->data[*out]) *out = id;
    }
    trace_release(trace);
    return true;
}

bool begin_ids(const Model *model, const Input *input, const Edits *edits, Arena *arena,
               const int32_t **ids, int *n, Error *error) {
    const GenerationConfig *c = &model->config.generation;
    *n = 0;
    if (model->config.front.kind != FRONT_SOUND || c->start_id < 0) return true;
    if (c->n_forced == 0 && c->n_language_ids == 0) return true;
    int32_t *out = arena_alloc(arena, ((size_t)c->n_forced + 4) * sizeof *out);
    int32_t language = c->n_forced > 0 ? c->forced[0] : -1;
    if (language < 0 && c->n_language_ids > 0 &&
        !detect_language(model, input, edits, &language, error))
        return false;
    out[(*n)++] = c->start_id;
    if (language >= 0) out[(*n)++] = language;
    for (int i = 1; i < c->n_forced; i++)
        if (c->forced[i] >= 0) out[(*n)++] = c->forced[i];
    if (c->no_timestamps_id >= 0 && out[*n - 1] != c->no_timestamps_id)
        out[(*n)++] = c->no_timestamps_id;
    *ids = out;
    return true;
}
