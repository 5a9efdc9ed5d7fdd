#include "model/front.h"

#include <string.h>

#include "model/ops.h"

int front_grid(const Model *model) {
    const FrontConfig *c = &model->config.front;
    return c->kind == FRONT_PATCHES ? c->image_size / c->patch_size : 0;
}

int front_n_tokens(const Model *model) {
    const FrontConfig *c = &model->config.front;
    switch (c->kind) {
    case FRONT_TOKENS:
        return 0;
    case FRONT_PATCHES:
        return c->n_leading + front_grid(model) * front_grid(model);
    case FRONT_SOUND:
        return model->config.stack[STACK_ENCODER].n_positions;
    }
    return 0;
}

bool front_check(const Model *model, Tensor x, Error *error) {
    const FrontConfig *c = &model->config.front;
    int frames = 2 * front_n_tokens(model);
    switch (c->kind) {
    case FRONT_TOKENS:
        return error_set(error, ERROR_INPUT, "this model (%s) reads text, no pictures or sound",
                         model->config.model_type);
    case FRONT_PATCHES:
        if (x.rank == 3 && x.shape[0] == c->n_channels && x.shape[1] == c->image_size &&
            x.shape[2] == c->image_size)
            return true;
        return error_set(error, ERROR_INPUT,
                         "this model reads pictures of %d channels and %d x %d pixels",
                         c->n_channels, c->image_size, c->image_size);
    case FRONT_SOUND:
        if (x.rank == 2 && x.shape[0] == c->n_mels && x.shape[1] == frames) return true;
        return error_set(error, ERROR_INPUT,
                         "this model reads log-mel spectrograms of %d bands and %d frames",
                         c->n_mels, frames);
    }
    return false;
}

static Tensor embed_patches(Run *run, Tensor x) {
    const Model *m = run->model;
    const FrontConfig *c = &m->config.front;
    int grid = front_grid(m), p = c->patch_size, d = m->config.d_model;
    Tensor cut = tensor_new(run->arena, 2, grid * grid, c->n_channels * p * p);
    float *to = cut.data;
    for (int gy = 0; gy < grid; gy++)
        for (int gx = 0; gx < grid; gx++)
            for (int channel = 0; channel < c->n_channels; channel++)
                for (int y = 0; y < p; y++, to += p)
                    memcpy(to, tensor_at(x, channel, gy * p + y, gx * p, 0),
                           (size_t)p * sizeof *to);
    Tensor patches = op_linear(run, cut, &m->front.patch);
    Tensor out = run_tensor(run, 2, front_n_tokens(m), d);
    memcpy(out.data, m->front.leading, (size_t)(c->n_leading * d) * sizeof(float));
    tensor_copy(tensor_slice(out, 0, c->n_leading, out.shape[0]), patches);
    return out;
}

/* Row t holds the three columns around step * t, channel by channel: [n, channel * 3]. */
static Tensor columns(Run *run, Tensor x, int step) {
    int64_t n_in = x.shape[1], n = (n_in - 1) / step + 1, n_channels = x.shape[0];
    Tensor out = tensor_new(run->arena, 2, n, n_channels * 3);
    for (int64_t t = 0; t < n; t++)
        for (int64_t c = 0; c < n_channels; c++)
            for (int k = 0; k < 3; k++) {
                int64_t at = step * t + k - 1;
                out.data[(t * n_channels + c) * 3 + k] =
                    at >= 0 && at < n_in ? *tensor_at(x, c, at, 0, 0) : 0;
            }
    return out;
}

static Tensor embed_sound(Run *run, Tensor x) {
    const Linear *conv = run->model->front.conv;
    Tensor y = op_activation(run, ACTIVATION_GELU, op_linear(run, columns(run, x, 1), &conv[0]));
    y.grad = NULL;
    Tensor turned = tensor_swap(y, 0, 1);
    return op_activation(run, ACTIVATION_GELU, op_linear(run, columns(run, turned, 2), &conv[1]));
}

Tensor front_embed(Run *run, Tensor features) {
    return run->model->config.front.kind == FRONT_PATCHES ? embed_patches(run, features)
                                                          : embed_sound(run, features);
}

static Str label(const Model *m, int token, Arena *arena) {
    static const char *const leading[] = {"[CLS]", "[DIST]"};
    const FrontConfig *c = &m->config.front;
    if (c->kind == FRONT_SOUND) { /* 160 samples of 16,000 a second make a frame, two a token */
        char text[32];
        return str(arena_strdup(arena, number_text(token * 0.02, 6, text)));
    }
    if (token < c->n_leading) return str(leading[token < 1 ? 0 : 1]);
    int patch = token - c->n_leading, grid = front_grid(m);
    return str(arena_printf(arena, "%d,%d", patch / grid, patch % grid));
}

Tokens front_tokens(const Model *m, Arena *arena) {
    int n = front_n_tokens(m);
    Token *items = arena_calloc(arena, (size_t)n + 1, sizeof *items);
    for (int i = 0; i < n; i++)
        items[i] =
            (Token){.id = i, .label = label(m, i, arena), .special = i < m->config.front.n_leading};
    return (Tokens){.n = n, .items = items, .text = {"", 0}};
}
