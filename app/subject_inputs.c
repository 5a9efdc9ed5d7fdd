/* --inputs: one row of a batch as Hugging Face's models take it, from a safetensors file.
 *
 *     input_ids            [row, token]      decoder_input_ids        [row, token]
 *     attention_mask       [row, token]      decoder_attention_mask   [row, token]
 *     position_ids         [row, token]      token_type_ids           [row, token]
 *     pixel_values         [row, channel, y, x]
 *     input_features       [row, mel, frame]
 *
 * A tensor without the row axis is taken as a batch of one.
 */
#include <math.h>
#include <string.h>

#include "app/subject.h"
#include "model/base/tensor.h"
#include "model/safetensors.h"

typedef struct Batch {
    const Safetensors *file;
    const char *path;
    int row;
    Arena *arena;
    Error *error;
} Batch;

/* Row of a tensor as f32, with the axes behind the row. data NULL and no error: it is not there. */
static Tensor read_row(const Batch *batch, const char *name, int rank) {
    Tensor none = {0};
    const RawTensor *raw = safetensors_find(batch->file, name);
    if (!raw) return none;
    bool single = raw->rank == rank;
    if (raw->rank != rank + 1 && !single) {
        error_set(batch->error, ERROR_INPUT, "%s: %s has %d axes, %d expected (row first)",
                  batch->path, name, raw->rank, rank + 1);
        return none;
    }
    int64_t n_rows = single ? 1 : raw->shape[0], n = 1;
    const int64_t *shape = raw->shape + (single ? 0 : 1);
    for (int i = 0; i < rank; i++)
        n *= shape[i];
    if (batch->row >= n_rows) {
        error_set(batch->error, ERROR_INPUT, "%s: %s has %lld rows, row %d was asked for",
                  batch->path, name, (long long)n_rows, batch->row);
        return none;
    }
    if (n == 0) {
        error_set(batch->error, ERROR_INPUT, "%s: %s is empty", batch->path, name);
        return none;
    }
    Tensor row = tensor_new_shape(batch->arena, rank, shape);
    dtype_to_f32(raw->dtype, raw->data, batch->row * n, n, row.data);
    return row;
}

/* Whole numbers in 0..end; NULL without an error when the tensor is not there. f32 is exact up to
 * 2^24, more than any vocabulary. */
static int32_t *read_whole(const Batch *batch, const char *name, double end, int *n) {
    Tensor row = read_row(batch, name, 1);
    if (!row.data) return NULL;
    int64_t count = row.shape[0];
    if (*n > 0 && count != *n) {
        error_set(batch->error, ERROR_INPUT, "%s: %s has %lld entries, %d expected, as many as ids",
                  batch->path, name, (long long)count, *n);
        return NULL;
    }
    int32_t *out = arena_alloc(batch->arena, (size_t)count * sizeof *out);
    for (int64_t i = 0; i < count; i++) {
        double x = (double)row.data[i];
        if (!(x >= 0 && x < end) || x != floor(x)) {
            error_set(batch->error, ERROR_INPUT,
                      "%s: %s[%d][%lld] is %g, a whole number from 0 to %.0f is expected",
                      batch->path, name, batch->row, (long long)i, x, end - 1);
            return NULL;
        }
        out[i] = (int32_t)x;
    }
    *n = (int)count;
    return out;
}

static const uint8_t *read_mask(const Batch *batch, const char *name, int n) {
    int32_t *mask = n > 0 ? read_whole(batch, name, 2, &n) : NULL;
    if (!mask) return NULL;
    uint8_t *keep = arena_alloc(batch->arena, (size_t)n);
    for (int i = 0; i < n; i++)
        keep[i] = (uint8_t)mask[i];
    return keep;
}

/* Arguments of Hugging Face's models that would change the numbers and are not read here. */
static bool check_no_other(const Batch *batch, const Subject *subject) {
    static const struct {
        const char *name, *advice;
    } others[] = {{"inputs_embeds", "give input_ids"},
                  {"decoder_inputs_embeds", "give decoder_input_ids"},
                  {"head_mask", "--ablate and --scale do what it does"},
                  {"decoder_head_mask", "--ablate and --scale do what it does"},
                  {"cross_attn_head_mask", "--ablate and --scale do what it does"},
                  {"bool_masked_pos", "leave it out"}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (safetensors_find(batch->file, others[i].name))
            return error_set(batch->error, ERROR_UNSUPPORTED, "%s: %s is not read here; %s",
                             batch->path, others[i].name, others[i].advice);
    /* GPT-2 and its kin look types up among the words */
    bool adds = str_starts(str(subject->model->config.model_type), "gpt") &&
                strcmp(subject->model->config.model_type, "gpt_neox") != 0;
    if (adds && safetensors_find(batch->file, "token_type_ids"))
        return error_set(batch->error, ERROR_UNSUPPORTED,
                         "%s: token_type_ids of %s are not computed here; leave them out",
                         batch->path, subject->model->config.model_type);
    return true;
}

/* What the first stack reads: ids, a picture or a sound. */
static bool read_first(const Batch *batch, const Subject *subject, Input *out) {
    const ModelConfig *config = &subject->model->config;
    int n = 0;
    /* A batch for CLIP has both: each tower takes its own. */
    bool reads_ids =
        config->front.kind == FRONT_TOKENS && safetensors_find(batch->file, "input_ids");
    if (!reads_ids) out->features = read_row(batch, "pixel_values", 3);
    if (!reads_ids && !out->features.data && error_ok(batch->error))
        out->features = read_row(batch, "input_features", 2);
    if (!error_ok(batch->error)) return false;
    int n_vocab = config->n_source_vocab > 0 ? config->n_source_vocab : config->n_vocab;
    int32_t *ids =
        out->features.data ? NULL : read_whole(batch, "input_ids", n_vocab > 0 ? n_vocab : 1e7, &n);
    if (!error_ok(batch->error)) return false;
    if (!ids && !out->features.data)
        return error_set(batch->error, ERROR_INPUT,
                         "%s: neither input_ids nor pixel_values nor input_features in it",
                         batch->path);
    if (!ids) return true;
    out->source = subject_tokens(subject, ids, n, false, batch->arena);
    out->source_keep = read_mask(batch, "attention_mask", n);
    out->positions = read_whole(batch, "position_ids", 1 << 24, &n);
    if (error_ok(batch->error)) out->types = read_whole(batch, "token_type_ids", 1 << 24, &n);
    return error_ok(batch->error);
}

bool subject_read_inputs(const Subject *subject, const char *path, int row, Arena *arena,
                         Input *out, Error *error) {
    Error failure = {0};
    Safetensors *file = safetensors_open(path, &failure);
    Batch batch = {file, path, row, arena, &failure};
    const ModelConfig *config = &subject->model->config;
    *out = (Input){0};
    if (file && check_no_other(&batch, subject) && read_first(&batch, subject, out)) {
        int n = 0;
        int32_t *ids = NULL;
        if (config->family == FAMILY_ENCODER_DECODER || config->family == FAMILY_RECURRENT)
            ids = read_whole(&batch, "decoder_input_ids", config->n_vocab, &n);
        if (ids) {
            out->target = subject_tokens(subject, ids, n, true, arena);
            out->target_keep = read_mask(&batch, "decoder_attention_mask", n);
        }
    }
    safetensors_close(file);
    return error_ok(&failure) || error_set(error, failure.kind, "%s", failure.message);
}
