#include "model/checkpoint/nanogpt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LAYERS = 1024 };

typedef struct Sizes {
    int64_t n_layer, n_head, n_embd, n_vocab, n_positions;
    bool nano; /* exact GELU; minGPT has the one with tanh */
} Sizes;

static const char first_matrix[] = "transformer.h.0.attn.c_attn.weight";

/* Without what torch.compile and DistributedDataParallel put before a name. */
static const char *bare_name(const char *name) {
    static const char *const prefixes[] = {"_orig_mod.", "module."};
    for (int i = 0; i < 2; i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0) name += strlen(prefixes[i]);
    return name;
}

bool nanogpt_is(const Checkpoint *checkpoint) {
    if (json_object_get(checkpoint->config, "model_type")) return false;
    for (int i = 0; i < checkpoint->tensors.n; i++) {
        const RawTensor *t = &checkpoint->tensors.items[i];
        if (strcmp(bare_name(t->name), first_matrix) == 0)
            return t->rank == 2 && t->shape[0] == 3 * t->shape[1];
    }
    return false;
}

/* Once the names are bare and sorted. */
static const RawTensor *find(const Checkpoint *c, const char *name) {
    return tensor_list_find(&c->tensors, name);
}

static int64_t head_count(const TorchFile *file, const json_t *config) {
    static const struct {
        const char *name;
        int n_heads;
    } known[] = {{"gpt-nano", 3},     {"gpt-micro", 4},   {"gpt-mini", 6},
                 {"gopher-44m", 16},  {"openai-gpt", 12}, {"gpt2", 12},
                 {"gpt2-medium", 16}, {"gpt2-large", 20}, {"gpt2-xl", 25}};
    const PickleValue *args = pickle_find(torch_file_root(file), "model_args");
    const PickleValue *n = pickle_find(args, "n_head");
    if (n && n->kind == PICKLE_INT) return n->integer;
    const json_t *model = json_object_get(config, "model");
    if (!model) model = config;
    if (json_is_integer(json_object_get(model, "n_head")))
        return json_integer_value(json_object_get(model, "n_head"));
    const char *type = json_string_value(json_object_get(model, "model_type"));
    for (size_t i = 0; type && i < sizeof known / sizeof *known; i++)
        if (strcmp(type, known[i].name) == 0) return known[i].n_heads;
    return 0;
}

static bool read_sizes(const Checkpoint *c, const TorchFile *file, Sizes *sizes, Error *error) {
    const RawTensor *wte = find(c, "transformer.wte.weight");
    const RawTensor *wpe = find(c, "transformer.wpe.weight");
    if (!wte || !wpe || wte->rank != 2 || wpe->rank != 2 || wte->shape[1] != wpe->shape[1])
        return error_set(
            error, ERROR_INPUT,
            "%s: transformer.wte.weight and transformer.wpe.weight of one width expected", c->path);
    *sizes = (Sizes){.n_vocab = wte->shape[0],
                     .n_positions = wpe->shape[0],
                     .n_embd = wte->shape[1],
                     .n_head = head_count(file, c->config),
                     .nano = pickle_find(torch_file_root(file), "model_args") != NULL};
    char name[64];
    do
        snprintf(name, sizeof name, "transformer.h.%lld.attn.c_attn.weight",
                 (long long)++sizes->n_layer);
    while (sizes->n_layer < MAX_LAYERS && find(c, name));
    if (sizes->n_head >= 1 && sizes->n_embd % sizes->n_head == 0) return true;
    return error_set(error, ERROR_INPUT,
                     "%s: the number of heads is not known (%lld); model_args in the file or a "
                     "config.json {\"model\": {\"n_head\": ...}} beside it says it",
                     c->path, (long long)sizes->n_head);
}

static json_t *make_config(const Sizes *s, bool tied) {
    return json_pack("{s:s, s:[s], s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:f, s:b}", "model_type",
                     "gpt2", "architectures", "GPT2LMHeadModel", "n_layer", (json_int_t)s->n_layer,
                     "n_head", (json_int_t)s->n_head, "n_embd", (json_int_t)s->n_embd, "vocab_size",
                     (json_int_t)s->n_vocab, "n_positions", (json_int_t)s->n_positions, "n_ctx",
                     (json_int_t)s->n_positions, "activation_function",
                     s->nano ? "gelu" : "gelu_new", "layer_norm_epsilon", 1e-5,
                     "tie_word_embeddings", tied);
}

static bool is_conv(const char *name) {
    static const char *const turned[] = {".attn.c_attn.weight", ".attn.c_proj.weight",
                                         ".mlp.c_fc.weight", ".mlp.c_proj.weight"};
    for (int i = 0; i < 4; i++)
        if (str_ends(str(name), turned[i])) return true;
    return false;
}

/* Zeroes where a bias would be: one for each vector of weights and each matrix. */
static void add_zero_bias(Checkpoint *c, TensorList *to, const RawTensor *weight) {
    size_t n_stem = strlen(weight->name) - strlen(".weight");
    char *name = arena_printf(c->arena, "%.*s.bias", (int)n_stem, weight->name);
    if (find(c, name)) return;
    RawTensor bias = {.name = name, .rank = 1, .file = weight->file};
    bias.shape[0] = weight->shape[weight->rank - 1];
    raw_tensor_set_f32(&bias, arena_calloc(c->arena, (size_t)bias.shape[0], sizeof(float)));
    tensor_list_add(to, &bias);
}

bool nanogpt_translate(Checkpoint *c, const TorchFile *file, Error *error) {
    Sizes sizes = {0};
    for (int i = 0; i < c->tensors.n; i++)
        c->tensors.items[i].name = bare_name(c->tensors.items[i].name);
    if (!tensor_list_sort(&c->tensors, error)) return false;
    if (!read_sizes(c, file, &sizes, error)) return false;
    const RawTensor *wte = find(c, "transformer.wte.weight"), *head = find(c, "lm_head.weight");
    bool tied = !head ||
                (head->n_bytes == wte->n_bytes && memcmp(head->data, wte->data, wte->n_bytes) == 0);
    json_decref(c->config);
    c->config = make_config(&sizes, tied);
    TensorList list = {0};
    for (int i = 0; i < c->tensors.n; i++) {
        RawTensor t = c->tensors.items[i];
        if (str_ends(str(t.name), ".attn.bias") || str_ends(str(t.name), ".attn.masked_bias"))
            continue; /* the mask */
        bool conv = is_conv(t.name) && t.rank == 2, norm = t.rank == 1;
        if (conv) raw_tensor_transpose(c->arena, &t);
        tensor_list_add(&list, &t);
        if ((conv || norm) && str_ends(str(t.name), ".weight")) add_zero_bias(c, &list, &t);
    }
    tensor_list_free(&c->tensors);
    c->tensors = list;
    return true;
}
