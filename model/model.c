#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/arch.h"
#include "model/base/file.h"
#include "model/base/json.h"

/* Above this many bytes of weights, or of what they would be as f32, matrices stay in the file's
 * number type. */
static const int64_t packed_from_bytes = (int64_t)512 << 20;
static const double packed_from_f32_bytes = 0x1p30;

/* 32 MB a stack; the largest tables in use have a tenth of it. */
static const int64_t most_sines = (int64_t)1 << 23;

/* A tensor that would change the numbers if it were read. */
static bool changes_numbers(const char *name) {
    static const char *const parts[] = {".q_norm.",      ".k_norm.",   ".q_layernorm.",
                                        ".k_layernorm.", ".qweight",   ".qzeros",
                                        ".scales",       ".g_idx",     ".SCB",
                                        ".weight_scale", ".absmax",    ".quant_state",
                                        ".experts.",     ".lora_A.",   ".lora_B.",
                                        ".router.",      ".sinks",     ".adapter",
                                        "layer_scale",   ".lambda_q1", ".relative_attention_bias."};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(name, parts[i])) return true;
    return false;
}

/* Tensors that no weight was read from: said once, accepted; but not those that change numbers. */
static const char *surplus_note(const Loader *loader, Arena *arena, Error *error) {
    int n = 0;
    const char *first = NULL;
    for (int i = 0; i < checkpoint_n_tensors(loader->checkpoint); i++) {
        if (loader->used[i]) continue;
        const RawTensor *t = checkpoint_tensor(loader->checkpoint, i);
        if (changes_numbers(t->name)) {
            error_set(error, ERROR_UNSUPPORTED,
                      "%s: tensor %s changes the numbers and is not computed here", t->file,
                      t->name);
            return NULL;
        }
        if (!n++) first = checkpoint_tensor(loader->checkpoint, i)->name;
    }
    if (!n) return NULL;
    return arena_printf(arena, "%s: %d tensor%s not read: %s%s",
                        checkpoint_path(loader->checkpoint), n, n == 1 ? " is" : "s are", first,
                        n > 1 ? ", ..." : "");
}

/* What one family or another computes, or none: refused where the family does not know it. */
static const struct {
    const char *name, *harmless;
} foreign[] = {{"partial_rotary_factor", "1"},
               {"rotary_pct", "1"},
               {"rope_interleaved", "false"},
               {"qk_layernorm", "false"},
               {"sliding_window", NULL},
               {"use_sliding_window", "false"},
               {"use_mrope", "false"},
               {"clip_qkv", NULL},
               {"logit_scale", "1"},
               {"alibi", "false"},
               {"use_alibi", "false"},
               {"parallel_attn", "false"},
               {"multi_query", "false"},
               {"kv_lora_rank", NULL},
               {"scale_emb", "1"},
               {"scale_depth", NULL},
               {"dim_model_base", NULL},
               {"layerscale_value", NULL},
               {"layer_scale_init_value", NULL},
               {"cross_layer_sharing", "false"}};

static void refuse_foreign(const Fields *f, const Arch *arch) {
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (!arch_knows_field(arch, foreign[i].name))
            field_only(f, foreign[i].name, foreign[i].harmless);
    Fields rope = {json_object_get(f->root, "rope_parameters"), f->where, f->error};
    if (json_is_object(rope.root) && !arch_knows_field(arch, "partial_rotary_factor"))
        field_only(&rope, "partial_rotary_factor", "1");
}

static bool is_foreign(const char *name) {
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (strcmp(foreign[i].name, name) == 0) return true;
    return false;
}

/* Fields of config.json that the family has never heard of, if there are any. */
static const char *unknown_fields(const Model *model, const Arch *arch, const json_t *config) {
    const char *note = NULL, *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)config, name, value) {
        if (json_is_null(value) || arch_knows_field(arch, name) || is_foreign(name)) continue;
        note = note ? arena_printf(model->arena, "%s, %.40s", note, name)
                    : arena_printf(model->arena, "%.40s", name);
        if (strlen(note) > 200) break;
    }
    return note;
}

static const char *note_of(const Model *model, const Loader *loader, const Arch *arch,
                           Error *error) {
    const char *tensors = surplus_note(loader, model->arena, error);
    const char *fields = unknown_fields(model, arch, checkpoint_config(model->checkpoint));
    if (!fields) return tensors;
    return arena_printf(model->arena, "%s%s%s: config.json: not known and not read: %s",
                        tensors ? tensors : "", tensors ? "; " : "", model->path, fields);
}

/* What no family here computes. */
static void refuse_common(const Fields *f) {
    static const struct {
        const char *name, *harmless;
    } refused[] = {{"quantization_config", NULL},
                   {"attn_logit_softcapping", NULL},
                   {"final_logit_softcapping", NULL},
                   {"use_qk_norm", "false"},
                   {"qk_norm", "false"},
                   {"num_local_experts", "0"},
                   {"num_experts", "0"},
                   {"embedding_multiplier", "1"},
                   {"residual_multiplier", "1"},
                   {"logits_scaling", "1"},
                   {"attention_multiplier", NULL},
                   {"attention_chunk_size", NULL},
                   {"no_rope_layers", NULL},
                   {"query_pre_attn_scalar", NULL}};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        field_only(f, refused[i].name, refused[i].harmless);
}

/* Sines are computed, not read: no file says by its length how many there may be. */
static bool check_sinusoids(const Model *model, const char *where, Error *error) {
    for (StackId s = 0; s < STACK_COUNT; s++) {
        const StackConfig *c = &model->config.stack[s];
        if (c->n_layers == 0 || c->sinusoid == SINUSOID_NONE) continue;
        if ((int64_t)c->n_positions * model->config.d_model > most_sines)
            return error_set(error, ERROR_INPUT,
                             "%s: max_position_embeddings %d with a width of %d: a table of "
                             "positions has at most %lld numbers here",
                             where, c->n_positions, model->config.d_model, (long long)most_sines);
    }
    return true;
}

/* An id that is forced and is not there would leave nothing to be said. */
static bool check_forced(const ModelConfig *config, const char *where, Error *error) {
    const GenerationConfig *g = &config->generation;
    int32_t most = g->forced_bos_id > g->forced_eos_id ? g->forced_bos_id : g->forced_eos_id;
    if (config->n_vocab == 0 || most < config->n_vocab) return true;
    return error_set(error, ERROR_INPUT, "%s: %s is %d, but the ids are 0 to %d", where,
                     most == g->forced_bos_id ? "forced_bos_token_id" : "forced_eos_token_id", most,
                     config->n_vocab - 1);
}

static bool configure(Model *model, const json_t *config, const json_t *generation,
                      const Arch **arch, Error *error) {
    const char *where = arena_printf(model->arena, "%s: config.json", model->path);
    Fields fields = {config, where, error};
    *arch = arch_find(&fields);
    if (!*arch) return false;
    snprintf(model->config.model_type, sizeof model->config.model_type, "%s",
             field_string(&fields, "model_type", (*arch)->model_type));
    refuse_common(&fields);
    refuse_foreign(&fields, *arch);
    if (!(*arch)->configure(&fields, &model->config)) return false;
    if (!check_sinusoids(model, where, error)) return false;
    where = arena_printf(model->arena, "%s: generation_config.json", model->path);
    fields_generation(&fields, &(Fields){generation, where, error}, model->arena,
                      &model->config.generation);
    return error_ok(error) && check_forced(&model->config, model->path, error);
}

static bool bind(Model *model, const Arch *arch, Error *error) {
    int n = checkpoint_n_tensors(model->checkpoint);
    int64_t n_bytes = 0;
    double n_f32_bytes = 0;
    for (int i = 0; i < n; i++) {
        const RawTensor *t = checkpoint_tensor(model->checkpoint, i);
        const DtypeInfo *type = &dtype_info[t->dtype];
        n_bytes += (int64_t)t->n_bytes;
        n_f32_bytes += 4.0 * (double)t->n_bytes * type->block_items / type->block_bytes;
    }
    Loader loader = {.checkpoint = model->checkpoint,
                     .arena = model->arena,
                     .error = error,
                     .used = arena_calloc(model->arena, (size_t)n + 1, sizeof(bool)),
                     .keep_packed =
                         n_bytes >= packed_from_bytes || n_f32_bytes >= packed_from_f32_bytes};
    arch->bind(&loader, model);
    if (!error_ok(error)) return false;
    model->n_parameters = loader.n_parameters;
    model->note = note_of(model, &loader, arch, error);
    return error_ok(error);
}

Model *model_open_with(const char *path, const CheckpointOptions *options, Error *error) {
    Error local = {0};
    if (!error) error = &local;
    Checkpoint *checkpoint = checkpoint_open_with(path, options, error);
    if (!checkpoint) return NULL;
    Arena *arena = arena_new();
    Model *model = arena_calloc(arena, 1, sizeof *model);
    model->arena = arena;
    model->checkpoint = checkpoint;
    snprintf(model->path, sizeof model->path, "%s", checkpoint_path(checkpoint));
    const Arch *arch;
    if (configure(model, checkpoint_config(checkpoint), checkpoint_generation_config(checkpoint),
                  &arch, error) &&
        bind(model, arch, error))
        return model;
    model_free(model);
    return NULL;
}

Model *model_open(const char *path, Error *error) {
    return model_open_with(path, NULL, error);
}

/* Binds twice: once to count, once to hand out places in the array. */
static bool bind_made(Model *model, const Arch *arch, Parameters *made, Error *error) {
    Loader loader = {.made = made, .arena = model->arena, .error = error};
    arch->bind(&loader, model);
    if (!error_ok(error)) return false;
    made->data = aligned_alloc(64, ((size_t)made->n_floats * sizeof(float) + 63) / 64 * 64);
    if (!made->data)
        return error_set(error, ERROR_MEMORY, "no memory for %lld parameters",
                         (long long)made->n_floats);
    arch->bind(&loader, model);
    model->n_parameters = made->n_floats;
    return error_ok(error);
}

Model *model_make(const char *folder, Parameters *made, Error *error) {
    *made = (Parameters){0};
    Arena *arena = arena_new();
    Model *model = arena_calloc(arena, 1, sizeof *model);
    model->arena = arena;
    snprintf(model->path, sizeof model->path, "%s", folder);
    json_t *config = json_read_object(path_join(arena, folder, "config.json"), 1 << 24, error);
    const Arch *arch;
    bool ok = config && configure(model, config, NULL, &arch, error) &&
              bind_made(model, arch, made, error);
    json_decref(config);
    if (ok) return model;
    model_free(model);
    return NULL;
}

void model_free(Model *model) {
    if (!model) return;
    checkpoint_close(model->checkpoint);
    arena_free(model->arena);
}

bool model_has_stack(const Model *model, StackId stack) {
    return model->config.stack[stack].n_layers > 0;
}

StackId model_first_stack(const Model *model) {
    return model_has_stack(model, STACK_ENCODER) ? STACK_ENCODER : STACK_BLOCKS;
}

static uint64_t mix(uint64_t hash, const void *data, size_t n_bytes) {
    const unsigned char *p = data;
    uint64_t word;
    for (; n_bytes >= 8; p += 8, n_bytes -= 8) {
        memcpy(&word, p, 8);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    word = 0;
    memcpy(&word, p, n_bytes);
    hash = (hash ^ word ^ ((uint64_t)n_bytes << 56)) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 32;
}

const char *model_hash(const Model *model, char buffer[17]) {
    uint64_t hash = 0x243f6a8885a308d3u;
    for (int i = 0; i < checkpoint_n_tensors(model->checkpoint); i++) {
        const RawTensor *t = checkpoint_tensor(model->checkpoint, i);
        hash = mix(hash, t->name, strlen(t->name));
        hash = mix(hash, t->shape, (size_t)t->rank * sizeof *t->shape);
        hash = mix(hash, t->data, t->n_bytes);
    }
    snprintf(buffer, 17, "%016llx", (unsigned long long)hash);
    return buffer;
}

bool model_reads_source_twice(const Model *model) {
    HeadKind kind = model->config.head.kind;
    return model->config.family == FAMILY_ENCODER_DECODER &&
           (kind == HEAD_SEQUENCE || kind == HEAD_SPAN);
}
