/* GGUF files as Hugging Face has the same model: llama.cpp's converter run backwards
 * (convert_hf_to_gguf.py). It renamed tensors, and changed three things that are undone here:
 *
 *   llama    rows of q and k were interleaved in pairs: row 2j+t of a head was row t*d_head/2 + j
 *   gemma    1 was added to the weights of all norms
 *   gpt2     Conv1D weights were transposed into Linear's order
 *
 * A family is a row of a table: how its keys become config fields, how its tensors are called. A
 * key of the family's or a tensor that no row knows is refused by name. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/checkpoint/gguf.h"

typedef enum Change { AS_IS, UNPERMUTE_Q, UNPERMUTE_K, MINUS_ONE, TRANSPOSE } Change;

typedef struct TensorName {
    const char *gguf, *hf; /* %d: the layer; without ".weight", ".bias" */
    Change change;
} TensorName;

typedef enum FieldKind { FIELD_INTEGER, FIELD_REAL, FIELD_IGNORED } FieldKind;

typedef struct Field {
    const char *key; /* behind "llama." */
    FieldKind kind;
    const char *names[2]; /* in config.json */
} Field;

typedef struct Family {
    const char *architecture;
    const char *model_type, *model_class;
    const Field *fields;
    const TensorName *tensors;
    const char *constants; /* JSON of config fields that the file does not say */
} Family;

static const Field llama_fields[] = {
    {"context_length", FIELD_INTEGER, {"max_position_embeddings"}},
    {"embedding_length", FIELD_INTEGER, {"hidden_size"}},
    {"block_count", FIELD_INTEGER, {"num_hidden_layers"}},
    {"feed_forward_length", FIELD_INTEGER, {"intermediate_size"}},
    {"attention.head_count", FIELD_INTEGER, {"num_attention_heads"}},
    {"attention.head_count_kv", FIELD_INTEGER, {"num_key_value_heads"}},
    {"attention.layer_norm_rms_epsilon", FIELD_REAL, {"rms_norm_eps"}},
    {"attention.key_length", FIELD_INTEGER, {"head_dim"}},
    {"attention.value_length", FIELD_IGNORED, {0}}, /* compared with key_length */
    {"attention.sliding_window", FIELD_INTEGER, {"sliding_window"}},
    {"rope.freq_base", FIELD_REAL, {"rope_theta"}},
    {"rope.dimension_count", FIELD_IGNORED, {0}}, /* compared with the head's size */
    {"rope.scaling.type", FIELD_IGNORED, {0}},    /* these four: rope_scaling */
    {"rope.scaling.factor", FIELD_IGNORED, {0}},
    {"rope.scale_linear", FIELD_IGNORED, {0}},
    {"rope.scaling.original_context_length", FIELD_IGNORED, {0}},
    {"rope.scaling.finetuned", FIELD_IGNORED, {0}},
    {"vocab_size", FIELD_IGNORED, {0}}, /* the embedding says it */
    {"tensor_data_layout", FIELD_IGNORED, {0}},
    {"expert_count", FIELD_IGNORED, {0}}, /* these: refused unless 0 */
    {"expert_used_count", FIELD_IGNORED, {0}},
    {NULL, FIELD_IGNORED, {0}},
};

static const Field gpt2_fields[] = {
    {"context_length", FIELD_INTEGER, {"n_positions", "n_ctx"}},
    {"embedding_length", FIELD_INTEGER, {"n_embd"}},
    {"block_count", FIELD_INTEGER, {"n_layer"}},
    {"feed_forward_length", FIELD_INTEGER, {"n_inner"}},
    {"attention.head_count", FIELD_INTEGER, {"n_head"}},
    {"attention.layer_norm_epsilon", FIELD_REAL, {"layer_norm_epsilon"}},
    {"vocab_size", FIELD_IGNORED, {0}},
    {NULL, FIELD_IGNORED, {0}},
};

#define LLAMA_TENSORS(q, k, norm)                                                                  \
    {"token_embd", "model.embed_tokens", AS_IS}, {"output_norm", "model.norm", norm},              \
        {"output", "lm_head", AS_IS},                                                              \
        {"blk.%d.attn_norm", "model.layers.%d.input_layernorm", norm},                             \
        {"blk.%d.attn_q", "model.layers.%d.self_attn.q_proj", q},                                  \
        {"blk.%d.attn_k", "model.layers.%d.self_attn.k_proj", k},                                  \
        {"blk.%d.attn_v", "model.layers.%d.self_attn.v_proj", AS_IS},                              \
        {"blk.%d.attn_output", "model.layers.%d.self_attn.o_proj", AS_IS},                         \
        {"blk.%d.ffn_norm", "model.layers.%d.post_attention_layernorm", norm},                     \
        {"blk.%d.ffn_gate", "model.layers.%d.mlp.gate_proj", AS_IS},                               \
        {"blk.%d.ffn_up", "model.layers.%d.mlp.up_proj", AS_IS},                                   \
        {"blk.%d.ffn_down", "model.layers.%d.mlp.down_proj", AS_IS}, {                             \
        NULL, NULL, AS_IS                                                                          \
    }

static const TensorName llama_tensors[] = {LLAMA_TENSORS(UNPERMUTE_Q, UNPERMUTE_K, AS_IS)};
static const TensorName qwen2_tensors[] = {LLAMA_TENSORS(AS_IS, AS_IS, AS_IS)};
static const TensorName gemma_tensors[] = {LLAMA_TENSORS(AS_IS, AS_IS, MINUS_ONE)};
static const TensorName gpt2_tensors[] = {
    {"token_embd", "transformer.wte", AS_IS},
    {"position_embd", "transformer.wpe", AS_IS},
    {"output_norm", "transformer.ln_f", AS_IS},
    {"output", "lm_head", AS_IS},
    {"blk.%d.attn_norm", "transformer.h.%d.ln_1", AS_IS},
    {"blk.%d.attn_qkv", "transformer.h.%d.attn.c_attn", TRANSPOSE},
    {"blk.%d.attn_output", "transformer.h.%d.attn.c_proj", TRANSPOSE},
    {"blk.%d.ffn_norm", "transformer.h.%d.ln_2", AS_IS},
    {"blk.%d.ffn_up", "transformer.h.%d.mlp.c_fc", TRANSPOSE},
    {"blk.%d.ffn_down", "transformer.h.%d.mlp.c_proj", TRANSPOSE},
    {NULL, NULL, AS_IS},
};

static const Family families[] = {
    {"llama", "llama", "LlamaForCausalLM", llama_fields, llama_tensors,
     "{\"hidden_act\": \"silu\", \"rope_theta\": 10000.0}"},
    {"qwen2", "qwen2", "Qwen2ForCausalLM", llama_fields, qwen2_tensors,
     "{\"hidden_act\": \"silu\", \"rope_theta\": 10000.0}"},
    {"gemma", "gemma", "GemmaForCausalLM", llama_fields, gemma_tensors,
     "{\"hidden_act\": \"gelu_pytorch_tanh\", \"hidden_activation\": \"gelu_pytorch_tanh\", "
     "\"rope_theta\": 10000.0}"},
    {"gpt2", "gpt2", "GPT2LMHeadModel", gpt2_fields, gpt2_tensors,
     "{\"activation_function\": \"gelu_new\"}"},
};
enum { N_FAMILIES = sizeof families / sizeof *families };

static const char *full_key(char buffer[160], const Family *family, const char *key) {
    snprintf(buffer, 160, "%s.%s", family->architecture, key);
    return buffer;
}

static const Family *find_family(const GgufFile *file, Error *error) {
    Str name;
    if (!gguf_text(file, "general.architecture", &name)) {
        error_set(error, ERROR_INPUT, "%s: no general.architecture", gguf_path(file));
        return NULL;
    }
    for (int i = 0; i < N_FAMILIES; i++)
        if (str_is(name, families[i].architecture)) return &families[i];
    error_set(error, ERROR_UNSUPPORTED,
              "%s: general.architecture %.*s is not read; llama, qwen2, gemma and gpt2 are",
              gguf_path(file), (int)(name.n < 100 ? name.n : 100), name.data);
    return NULL;
}

/* Config. */

static bool add_field(json_t *config, const GgufFile *file, const Family *family,
                      const Field *field, Error *error) {
    char buffer[160];
    const char *key = full_key(buffer, family, field->key);
    if (field->kind == FIELD_IGNORED || !gguf_key(file, key)) return true;
    int64_t integer = 0;
    double real = 0;
    bool whole = field->kind == FIELD_INTEGER;
    bool ok = whole ? gguf_integer(file, key, &integer) : gguf_real(file, key, &real);
    if (!ok || (!whole && !isfinite(real)))
        return error_set(error, ERROR_UNSUPPORTED, "%s: key %s: one %s number expected",
                         gguf_path(file), key, whole ? "whole" : "finite");
    for (int i = 0; i < 2 && field->names[i]; i++)
        json_object_set_new(config, field->names[i],
                            whole ? json_integer(integer) : json_real(real));
    return true;
}

/* Keys of the family's own that nobody here knows may change the numbers. */
static bool check_keys(const GgufFile *file, const Family *family, Error *error) {
    char buffer[160];
    size_t n_prefix = strlen(family->architecture);
    for (int i = 0; i < gguf_n_keys(file); i++) {
        const GgufKey *key = gguf_key_at(file, i);
        if (!str_starts(key->name, family->architecture) || key->name.data[n_prefix] != '.')
            continue;
        const Field *field = family->fields;
        while (field->key && !str_is(key->name, full_key(buffer, family, field->key)))
            field++;
        if (!field->key)
            return error_set(error, ERROR_UNSUPPORTED,
                             "%s: key %.*s is not known here and may change the numbers",
                             gguf_path(file), (int)key->name.n, key->name.data);
    }
    int64_t n_experts;
    if (gguf_integer(file, full_key(buffer, family, "expert_count"), &n_experts) && n_experts > 0)
        return error_set(error, ERROR_UNSUPPORTED,
                         "%s: key %s: mixtures of experts are not computed", gguf_path(file),
                         buffer);
    return true;
}

static int64_t config_integer(const json_t *config, const char *name) {
    return json_integer_value(json_object_get(config, name));
}

static int64_t d_head_of(const json_t *config) {
    int64_t d_head = config_integer(config, "head_dim");
    int64_t n_heads = config_integer(config, "num_attention_heads");
    return d_head ? d_head : config_integer(config, "hidden_size") / n_heads;
}

/* Rotary parameters that differ from a plain llama's must be said in Hugging Face's way. */
static bool check_rotary(const GgufFile *file, const Family *family, json_t *config, Error *error) {
    char buffer[160];
    int64_t n_heads = config_integer(config, "num_attention_heads"), n;
    if (n_heads < 1 || config_integer(config, "hidden_size") % n_heads != 0)
        return error_set(error, ERROR_INPUT, "%s: %lld heads do not divide the width %lld",
                         gguf_path(file), (long long)n_heads,
                         (long long)config_integer(config, "hidden_size"));
    int64_t d_head = d_head_of(config);
    static const char *const must_be_d_head[] = {"rope.dimension_count", "attention.value_length"};
    for (int i = 0; i < 2; i++) {
        const char *key = full_key(buffer, family, must_be_d_head[i]);
        if (gguf_integer(file, key, &n) && n != d_head)
            return error_set(error, ERROR_UNSUPPORTED, "%s: key %s: %lld, the head's %lld expected",
                             gguf_path(file), key, (long long)n, (long long)d_head);
    }
    if (!json_object_get(config, "num_key_value_heads"))
        json_object_set_new(config, "num_key_value_heads", json_integer(n_heads));
    return true;
}

static void add_rope_scaling(const GgufFile *file, const Family *family, json_t *config) {
    char buffer[160];
    Str type = {"linear", 6};
    double factor = 1;
    int64_t original;
    bool typed = gguf_text(file, full_key(buffer, family, "rope.scaling.type"), &type);
    if (!gguf_real(file, full_key(buffer, family, "rope.scaling.factor"), &factor))
        gguf_real(file, full_key(buffer, family, "rope.scale_linear"), &factor);
    if ((typed && str_is(type, "none")) || (str_is(type, "linear") && factor == 1)) return;
    json_t *scaling =
        json_pack("{s:o, s:f}", "type", json_stringn(type.data, type.n), "factor", factor);
    if (gguf_integer(file, full_key(buffer, family, "rope.scaling.original_context_length"),
                     &original))
        json_object_set_new(scaling, "original_max_position_embeddings", json_integer(original));
    json_object_set_new(config, "rope_scaling", scaling);
}

/* Llama 3.1's scaling comes as a table of divisors, one for each pair of a head; the formula that
 * made it (modeling_rope_utils.py, llama3) is found again and checked. */
static double llama3_divisor(double wavelength, double factor, double original) {
    const double low = 1, high = 4;
    if (wavelength < original / high) return 1;
    if (wavelength > original / low) return factor;
    double smooth = (original / wavelength - low) / (high - low);
    return 1 / ((1 - smooth) / factor + smooth);
}

static bool recognise_llama3(const RawTensor *table, int64_t d_head, json_t *config, Error *error) {
    int64_t n = raw_tensor_count(table);
    if (table->dtype != DTYPE_F32 || n < 1 || 2 * n != d_head)
        return error_set(error, ERROR_UNSUPPORTED, "%s: tensor %s: F32 [d_head / 2] expected",
                         table->file, table->name);
    const float *divisors = table->data;
    double theta = json_number_value(json_object_get(config, "rope_theta"));
    double factor = (double)divisors[n - 1], original = 8192;
    for (int64_t pair = 0; pair < n; pair++) {
        double wavelength = 2 * 3.14159265358979323846 * pow(theta, (double)pair / (double)n);
        double expected = llama3_divisor(wavelength, factor, original);
        if (!(fabs(expected - (double)divisors[pair]) <= 1e-3 * expected))
            return error_set(
                error, ERROR_UNSUPPORTED,
                "%s: tensor %s is not the llama3 scaling of 8192 positions: %g at %lld, %g "
                "expected",
                table->file, table->name, (double)divisors[pair], (long long)pair, expected);
    }
    json_object_set_new(config, "rope_scaling",
                        json_pack("{s:s, s:f, s:f, s:f, s:i}", "rope_type", "llama3", "factor",
                                  factor, "low_freq_factor", 1.0, "high_freq_factor", 4.0,
                                  "original_max_position_embeddings", (int)original));
    return true;
}

static void add_token_ids(const GgufFile *file, json_t *config) {
    static const char *const ids[][2] = {
        {"tokenizer.ggml.bos_token_id", "bos_token_id"},
        {"tokenizer.ggml.eos_token_id", "eos_token_id"},
        {"tokenizer.ggml.padding_token_id", "pad_token_id"},
    };
    int64_t id;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        if (gguf_integer(file, ids[i][0], &id))
            json_object_set_new(config, ids[i][1], json_integer(id));
}

static const RawTensor *find_tensor(const GgufParts *parts, const char *name) {
    for (int part = 0; part < parts->n; part++) {
        const TensorList *list = gguf_tensors(parts->files[part]);
        for (int i = 0; i < list->n; i++)
            if (strcmp(list->items[i].name, name) == 0) return &list->items[i];
    }
    return NULL;
}

static bool make_config(const GgufParts *parts, const Family *family, json_t *config,
                        Error *error) {
    const GgufFile *file = parts->files[0];
    if (!check_keys(file, family, error)) return false;
    json_t *constants = json_loads(family->constants, 0, NULL);
    json_object_update(config, constants);
    json_decref(constants);
    json_object_set_new(config, "model_type", json_string(family->model_type));
    json_object_set_new(config, "architectures", json_pack("[s]", family->model_class));
    for (const Field *field = family->fields; field->key; field++)
        if (!add_field(config, file, family, field, error)) return false;
    const RawTensor *embedding = find_tensor(parts, "token_embd.weight");
    if (!embedding || embedding->rank != 2)
        return error_set(error, ERROR_INPUT,
                         "%s: tensor token_embd.weight [vocabulary, width] missing",
                         gguf_path(file));
    json_object_set_new(config, "vocab_size", json_integer(embedding->shape[0]));
    bool tied = !find_tensor(parts, "output.weight");
    json_object_set_new(config, "tie_word_embeddings", json_boolean(tied));
    add_token_ids(file, config);
    if (strcmp(family->model_type, "gpt2") == 0) return true;
    if (find_tensor(parts, "blk.0.attn_q.bias") && strcmp(family->model_type, "llama") == 0)
        json_object_set_new(config, "attention_bias", json_true());
    if (!check_rotary(file, family, config, error)) return false;
    add_rope_scaling(file, family, config);
    const RawTensor *table = find_tensor(parts, "rope_freqs.weight");
    return !table || recognise_llama3(table, d_head_of(config), config, error);
}

/* Tensors. */

/* To f32, through the change. Norm weights are small; GPT-2's matrices have to be turned round,
 * which packed rows cannot be. */
static void minus_one(Arena *arena, RawTensor *t) {
    int64_t n = raw_tensor_count(t);
    float *x = arena_alloc(arena, (size_t)n * sizeof *x);
    dtype_to_f32(t->dtype, t->data, 0, n, x);
    for (int64_t i = 0; i < n; i++)
        x[i] -= 1;
    raw_tensor_set_f32(t, x);
}

static const TensorName *find_name(const Family *family, const char *name, char layer[16],
                                   const char **suffix) {
    const char *dot = strrchr(name, '.');
    if (!dot) return NULL;
    *suffix = dot;
    size_t n = (size_t)(dot - name);
    *layer = '\0';
    const char *rest = name;
    bool in_block = strncmp(name, "blk.", 4) == 0;
    if (in_block) {
        size_t n_digits = strspn(name + 4, "0123456789");
        if (!n_digits || n_digits > 9 || name[4 + n_digits] != '.') return NULL;
        memcpy(layer, name + 4, n_digits);
        layer[n_digits] = '\0';
        rest = name + 4 + n_digits;
    }
    for (const TensorName *row = family->tensors; row->gguf; row++) {
        const char *want = row->gguf;
        if ((strncmp(want, "blk.%d", 6) == 0) != in_block) continue;
        if (in_block) want += 6;
        if (strlen(want) == n - (size_t)(rest - name) && strncmp(want, rest, strlen(want)) == 0)
            return row;
    }
    return NULL;
}

static const char *hf_name(Arena *arena, const TensorName *row, const char *layer,
                           const char *suffix) {
    const char *at = strstr(row->hf, "%d");
    if (!at) return arena_printf(arena, "%s%s", row->hf, suffix);
    return arena_printf(arena, "%.*s%s%s%s", (int)(at - row->hf), row->hf, layer, at + 2, suffix);
}

static bool add_tensor(Checkpoint *checkpoint, const Family *family, const RawTensor *from,
                       Error *error) {
    RawTensor t = *from;
    const json_t *config = checkpoint->config;
    char layer[16];
    const char *suffix;
    if (strcmp(t.name, "rope_freqs.weight") == 0) return true; /* in the config */
    const TensorName *row = find_name(family, t.name, layer, &suffix);
    if (!row || (strcmp(suffix, ".weight") != 0 && strcmp(suffix, ".bias") != 0))
        return error_set(error, ERROR_UNSUPPORTED,
                         "%s: tensor %.200s is not one that a %s model has here", t.file, t.name,
                         family->architecture);
    t.name = hf_name(checkpoint->arena, row, layer, suffix);
    bool ok = true;
    switch (row->change) {
    case AS_IS:
        break;
    case UNPERMUTE_Q:
        ok = raw_tensor_unpermute(checkpoint->arena, &t,
                                  config_integer(config, "num_attention_heads"), error);
        break;
    case UNPERMUTE_K:
        ok = raw_tensor_unpermute(checkpoint->arena, &t,
                                  config_integer(config, "num_key_value_heads"), error);
        break;
    case MINUS_ONE:
        minus_one(checkpoint->arena, &t);
        break;
    case TRANSPOSE:
        if (t.rank == 2) raw_tensor_transpose(checkpoint->arena, &t);
        break;
    }
    tensor_list_add(&checkpoint->tensors, &t);
    return ok;
}

static bool open_model(Checkpoint *checkpoint, const Source *source, Error *error) {
    GgufParts parts;
    if (!gguf_parts_open(checkpoint, source_path(checkpoint->arena, source, ".gguf"), &parts,
                         error))
        return false;
    const Family *family = find_family(parts.files[0], error);
    checkpoint->config = json_object();
    if (!family || !make_config(&parts, family, checkpoint->config, error)) return false;
    for (int part = 0; part < parts.n; part++) {
        const TensorList *list = gguf_tensors(parts.files[part]);
        for (int i = 0; i < list->n; i++)
            if (!add_tensor(checkpoint, family, &list->items[i], error)) return false;
    }
    return true;
}

static json_t *tokenizer(const Source *source, Error *error) {
    Arena *arena = arena_new();
    const char *path = gguf_first_part(arena, source_path(arena, source, ".gguf"));
    GgufFile *file = gguf_open(path, error);
    json_t *out = file ? gguf_tokenizer(file, error) : NULL;
    gguf_close(file);
    arena_free(arena);
    return out;
}

static Probe probe(const Source *source, Error *error) {
    if (source->is_folder) return gguf_probe_folder(source, error);
    bool named = str_ends(str(source->path), ".gguf");
    return named || memcmp(source->head, "GGUF", 4) == 0 ? PROBE_MINE : PROBE_NOT_MINE;
}

const CheckpointFormat format_gguf = {"gguf", probe, open_model, tokenizer};
