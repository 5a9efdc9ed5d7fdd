#include "app/views/position_table.h"

#include <math.h>

#include "model/position.h"
#include "model/run.h"

enum { DEFAULT_LIMIT = 512, MOST_ROWS = 1 << 20 };

static StackId stack_of(const ViewInput *input) {
    const char *name = input->state->attention;
    if (name && strcmp(name, "encoder") != 0 && model_has_stack(input->model, STACK_DECODER))
        return STACK_DECODER;
    return model_first_stack(input->model);
}

static const char *stack_words(StackId stack) {
    return stack == STACK_ENCODER   ? "Positions of the encoder"
           : stack == STACK_DECODER ? "Positions of the decoder"
                                    : "Positions";
}

static const char *sinusoid_note(Sinusoid kind) {
    switch (kind) {
    case SINUSOID_INTERLEAVED:
        return "sinusoids; sine and cosine alternate, as in the paper: dimensions 2i and 2i + 1";
    case SINUSOID_HALVES:
        return "sinusoids; sines stand in the first half and cosines in the second, as in Marian";
    case SINUSOID_FAIRSEQ:
        return "sinusoids; sines stand in the first half and cosines in the second, as in fairseq";
    case SINUSOID_NONE:
        break;
    }
    return "learned";
}

/* Rows of the table that is added to the embeddings. */
static bool read_table(const ViewInput *input, StackId stack, int n_rows, Arena *arena,
                       PositionTable *out, Error *error) {
    const StackConfig *c = &input->model->config.stack[stack];
    const Weight *w = &input->model->stack[stack].positions;
    if (!w->data || w->rows <= c->position_offset)
        return error_set(error, ERROR_UNSUPPORTED, "this stack has no position table");
    int64_t limit = w->rows - c->position_offset, d = w->cols;
    if (limit > MOST_ROWS) limit = MOST_ROWS;
    int n = n_rows > 0 && n_rows < limit ? n_rows : (int)limit;
    out->table = tensor_new(arena, 2, n, d);
    int64_t stride = w->stride ? w->stride : w->transposed ? w->rows : d;
    for (int64_t p = 0; p < n; p++)
        for (int64_t i = 0; i < (w->transposed ? d : 1); i++) {
            int64_t row = p + c->position_offset;
            if (w->transposed)
                dtype_to_f32(w->dtype, w->data, i * stride + row, 1, out->table.data + p * d + i);
            else
                dtype_to_f32(w->dtype, w->data, row * stride, d, out->table.data + p * d);
        }
    out->pairs = c->sinusoid == SINUSOID_NONE          ? PAIRS_NONE
                 : c->sinusoid == SINUSOID_INTERLEAVED ? PAIRS_INTERLEAVED
                                                       : PAIRS_HALVES;
    out->waves = c->sinusoid != SINUSOID_NONE;
    out->wave_base = 10000;
    out->column = "dimension";
    out->note = sinusoid_note(c->sinusoid);
    if (c->position_offset)
        out->note = arena_printf(arena, "%s · position 0 is row %d of the table", out->note,
                                 c->position_offset);
    if (input->state->n_positions > n)
        out->note = arena_printf(arena, "%s · the table has %d positions", out->note, n);
    return true;
}

/* sin and cos of the angle by which a pair of dimensions turns. */
static void read_rotary(const StackConfig *c, int n_rows, Arena *arena, PositionTable *out) {
    int n = n_rows > 0 ? n_rows : DEFAULT_LIMIT, d = c->rope_dims, half = d / 2;
    bool halves = c->position == POSITION_ROTARY_HALVES;
    out->table = tensor_new(arena, 2, n, d);
    tensor_fill(out->table, 0);
    for (int p = 0; p < n; p++)
        for (int i = 0; i < half; i++) {
            double angle = p * pow((double)c->rope_base, -2.0 * i / d);
            float *row = out->table.data + (int64_t)p * d;
            row[halves ? i : 2 * i] = (float)sin(angle);
            row[halves ? i + half : 2 * i + 1] = (float)cos(angle);
        }
    out->pairs = halves ? PAIRS_HALVES : PAIRS_INTERLEAVED;
    out->waves = true;
    out->wave_base = (double)c->rope_base;
    out->column = "dimension";
    char base[32];
    out->note = arena_printf(
        arena, "rotary: sine and cosine of the angle that pair i turns by, p / %s^(2i/%d); %s",
        number_text((double)c->rope_base, 6, base), d,
        halves ? "a pair is dimensions i and i + d/2" : "a pair is dimensions 2i and 2i + 1");
}

/* ALiBi, T5: what the score of (query, key) gets added, by key - query. */
static bool read_bias(const ViewInput *input, StackId stack, int n_rows, Arena *arena,
                      PositionTable *out, Error *error) {
    const StackConfig *c = &input->model->config.stack[stack];
    PositionBias bias;
    int reach = input->state->n_positions > 0 ? n_rows : 32;
    if (!position_bias(&bias, c, &input->model->stack[stack].layers[0].attn, false))
        return error_set(error, ERROR_UNSUPPORTED, "this stack has no position bias");
    Run run = {.arena = arena};
    Tensor q = tensor_new(arena, 3, 1, c->n_heads, c->d_head);
    Tensor k = tensor_new(arena, 3, 2 * reach + 1, c->n_heads, c->d_head);
    Tensor block = position_bias_block(&run, &bias, q, k, reach); // [head, 1, distance]
    int n = c->causal ? reach + 1 : 2 * reach + 1;
    out->table = tensor_new(arena, 2, n, c->n_heads);
    for (int r = 0; r < n; r++)
        for (int h = 0; h < c->n_heads; h++) {
            float zero = c->position == POSITION_ALIBI ? *tensor_at(block, h, 0, reach, 0) : 0;
            *tensor_at(out->table, r, h, 0, 0) = *tensor_at(block, h, 0, r, 0) - zero;
        }
    out->first = -reach;
    out->distances = true;
    out->pairs = PAIRS_NONE;
    out->column = "head";
    out->note = c->position == POSITION_ALIBI
                    ? "ALiBi: what is added to a score, by head and distance; no table"
                    : "T5: the learned bias added to a score, by head and distance; no table";
    return true;
}

/* Shaw et al. 2018: a vector for each distance, met by the query. */
static bool read_relative(const ViewInput *input, StackId stack, Arena *arena, PositionTable *out,
                          Error *error) {
    const StackConfig *c = &input->model->config.stack[stack];
    const float *table = input->model->stack[stack].layers[0].attn.distance_table;
    if (!table) return error_set(error, ERROR_UNSUPPORTED, "this stack has no table of distances");
    int n = 2 * c->relative_positions - 1;
    out->table = tensor_new(arena, 2, n, c->d_head);
    memcpy(out->table.data, table, (size_t)n * (size_t)c->d_head * sizeof(float));
    out->first = 1 - c->relative_positions;
    out->distances = true;
    out->pairs = PAIRS_NONE;
    out->column = "dimension";
    out->note = "learned by distance (layer 0), added to the keys before the product";
    return true;
}

bool position_table_read(const ViewInput *input, int n_rows, Arena *arena, PositionTable *out,
                         Error *error) {
    *out = (PositionTable){0};
    StackId stack = stack_of(input);
    const StackConfig *c = &input->model->config.stack[stack];
    out->title = stack_words(stack);
    switch (c->position) {
    case POSITION_TABLE:
        return read_table(input, stack, n_rows, arena, out, error);
    case POSITION_ROTARY_HALVES:
    case POSITION_ROTARY_INTERLEAVED:
        read_rotary(c, n_rows, arena, out);
        return true;
    case POSITION_ALIBI:
    case POSITION_T5_BUCKETS:
        return read_bias(input, stack, n_rows, arena, out, error);
    case POSITION_RELATIVE_KEY:
    case POSITION_RELATIVE_KEY_QUERY:
        if (input->model->stack[stack].positions.data)
            return read_table(input, stack, n_rows, arena, out, error);
        return read_relative(input, stack, arena, out, error);
    case POSITION_NONE:
        break;
    }
    return error_set(error, ERROR_UNSUPPORTED,
                     "this model knows no positions: its order comes from reading step by step");
}

int position_pair_of_wave(const PositionTable *t, double length) {
    int d = (int)t->table.shape[1], pair = 0;
    while (pair + 1 < d / 2 && 2 * M_PI * pow(t->wave_base, 2.0 * pair / d) < length)
        pair++;
    return pair;
}

bool position_pair(const PositionTable *t, int pair, int *sine, int *cosine) {
    int d = (int)t->table.shape[1];
    if (t->pairs == PAIRS_NONE || pair < 0 || pair >= d / 2) return false;
    *sine = t->pairs == PAIRS_HALVES ? pair : 2 * pair;
    *cosine = t->pairs == PAIRS_HALVES ? pair + (d + 1) / 2 : 2 * pair + 1;
    return *cosine < d;
}
