/* A LoRA adapter of PEFT over its base model, merged when it is opened:
 *
 *     W [out, in]  becomes  W + scale * B A        A [r, in], B [out, r]
 *     scale = lora_alpha / r, or lora_alpha / sqrt(r) with use_rslora
 *
 * GPT-2's Conv1D keeps W turned round, [in, out], and an embedding is [words, width]: those take
 * the product turned round too. A tensor of the adapter that is no factor (modules_to_save, biases)
 * stands for the base's of that name. Fields and kinds that would change the numbers otherwise are
 * refused by name. Source: Hu et al. 2021; peft/tuners/lora/layer.py, get_delta_weight. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/checkpoint/torch.h"
#include "model/hub.h"
#include "model/safetensors.h"

enum { MAX_PATTERNS = 4096 };

static const char config_file[] = "adapter_config.json";
static const char *const weight_files[] = {"adapter_model.safetensors", "adapter_model.bin"};

/* Above this merged weights keep the type of the base, as PEFT's merge does; below they are f32. */
static const size_t max_f32_bytes = (size_t)2 << 30;

/* Known fields that are without effect on a merged forward pass, or are read below. */
static const char *const harmless[] = {
    "peft_type",
    "auto_mapping",
    "base_model_name_or_path",
    "revision",
    "task_type",
    "inference_mode",
    "r",
    "target_modules",
    "exclude_modules",
    "lora_alpha",
    "lora_dropout",
    "fan_in_fan_out",
    "bias",
    "use_rslora",
    "modules_to_save",
    "init_lora_weights",
    "layers_to_transform",
    "layers_pattern",
    "rank_pattern",
    "alpha_pattern",
    "megatron_core",
    "megatron_config",
    "loftq_config",
    "eva_config",
    "corda_config",
    "lora_ga_config",
    "runtime_config",
    "peft_version",
    "qalora_group_size",
    "ensure_weight_tying",
    "parent_library",
};

static bool means_nothing(const json_t *value) {
    return json_is_null(value) || json_is_false(value) ||
           (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}

static bool check_config(const json_t *config, const char *path, Error *error) {
    const char *kind = json_string_value(json_object_get(config, "peft_type"));
    if (!kind || strcmp(kind, "LORA") != 0)
        return error_set(error, ERROR_UNSUPPORTED,
                         "%s: peft_type is %.100s; LORA adapters are read", path,
                         kind ? kind : "missing");
    const char *start = json_string_value(json_object_get(config, "init_lora_weights"));
    static const char *const changes_base[] = {"pissa", "olora", "corda", "loftq"};
    for (int i = 0; start && i < 4; i++)
        if (str_starts(str(start), changes_base[i]))
            return error_set(error, ERROR_UNSUPPORTED,
                             "%s: init_lora_weights %.100s changes the base's weights; convert the "
                             "adapter to plain LoRA",
                             path, start);
    if (json_object_size(json_object_get(config, "alpha_pattern")) > MAX_PATTERNS)
        return error_set(error, ERROR_INPUT, "%s: alpha_pattern has more than %d entries", path,
                         MAX_PATTERNS);
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)config, name, value) {
        size_t i = 0, n = sizeof harmless / sizeof *harmless;
        while (i < n && strcmp(name, harmless[i]) != 0)
            i++;
        if (i == n && !means_nothing(value))
            return error_set(error, ERROR_UNSUPPORTED,
                             "%s: field %.100s is not known here and may change the numbers", path,
                             name);
    }
    return true;
}

/* The adapter's tensors, under their names without "base_model.model." and ".default". */

static const char *plain_name(Arena *arena, const char *name) {
    static const char prefix[] = "base_model.model.";
    if (strncmp(name, prefix, strlen(prefix)) == 0) name += strlen(prefix);
    const char *middle = strstr(name, ".default");
    if (!middle || (middle[8] != '.' && middle[8] != '\0')) return name;
    return arena_printf(arena, "%.*s%s", (int)(middle - name), name, middle + 8);
}

static void close_safetensors(void *file) {
    safetensors_close(file);
}

static void close_torch(void *file) {
    torch_file_close(file);
}

static bool read_adapter(Checkpoint *c, const char *folder, TensorList *list, Error *error) {
    const char *path = path_join(c->arena, folder, weight_files[0]);
    if (file_exists(path)) {
        Safetensors *file = safetensors_open(path, error);
        if (!file) return false;
        checkpoint_hold(c, file, close_safetensors);
        for (int i = 0; i < safetensors_n_tensors(file); i++)
            tensor_list_add(list, safetensors_tensor(file, i));
    } else {
        TorchFile *file = torch_file_open(path_join(c->arena, folder, weight_files[1]), error);
        if (!file) return false;
        checkpoint_hold(c, file, close_torch);
        const PickleValue *dict = torch_file_state(file, error);
        if (!dict || !torch_file_tensors(file, dict, list, error)) return false;
    }
    for (int i = 0; i < list->n; i++)
        list->items[i].name = plain_name(c->arena, list->items[i].name);
    return tensor_list_sort(list, error);
}

/* The base's tensor of a module: under its own name, without the model's prefix ("bert."), or with
 * one more. */
static RawTensor *find_base(Checkpoint *c, const char *name) {
    TensorList *list = &c->tensors;
    RawTensor *found = (RawTensor *)(uintptr_t)tensor_list_find(list, name);
    const char *dot = strchr(name, '.');
    if (!found && dot) found = (RawTensor *)(uintptr_t)tensor_list_find(list, dot + 1);
    size_t n = strlen(name);
    for (int i = 0; !found && i < list->n; i++) {
        const char *whole = list->items[i].name, *first = strchr(whole, '.');
        if (first && strlen(first + 1) == n && strcmp(first + 1, name) == 0)
            found = &list->items[i];
    }
    return found;
}

/* Merging. */

static double scale_of(const json_t *config, const char *module, int64_t rank, const char *path,
                       Error *error) {
    double alpha = json_number_value(json_object_get(config, "lora_alpha"));
    const char *pattern;
    json_t *value;
    bool found = false; /* the first that fits (peft/utils/other.py, get_pattern_key) */
    json_object_foreach(json_object_get(config, "alpha_pattern"), pattern, value) {
        if (strspn(pattern, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") !=
            strlen(pattern)) {
            error_set(error, ERROR_UNSUPPORTED,
                      "%s: alpha_pattern '%.100s': names are read, not regular expressions", path,
                      pattern);
            return 0;
        }
        bool end = str_ends(str(module), pattern);
        size_t n = strlen(module) - strlen(pattern);
        if (found || !end || (n > 0 && module[n - 1] != '.')) continue;
        alpha = json_number_value(value);
        found = true;
    }
    if (!isfinite(alpha)) {
        error_set(error, ERROR_INPUT, "%s: lora_alpha is not a finite number", path);
        return 0;
    }
    bool root = json_is_true(json_object_get(config, "use_rslora"));
    return alpha / (root ? sqrt((double)rank) : (double)rank);
}

static float *as_f32(Arena *arena, const RawTensor *t) {
    int64_t n = raw_tensor_count(t);
    float *x = arena_alloc(arena, (size_t)n * sizeof *x);
    dtype_to_f32(t->dtype, t->data, 0, n, x);
    return x;
}

/* weight [rows, cols] += scale * left [rows, r] right [r, cols] */
static void add_product(float *weight, const float *left, const float *right, const int64_t size[3],
                        float scale, float *row_sum) {
    int64_t rows = size[0], cols = size[1], rank = size[2];
    for (int64_t row = 0; row < rows; row++) {
        memset(row_sum, 0, (size_t)cols * sizeof *row_sum);
        for (int64_t k = 0; k < rank; k++) {
            float factor = left[row * rank + k];
            for (int64_t col = 0; col < cols; col++)
                row_sum[col] += factor * right[k * cols + col];
        }
        for (int64_t col = 0; col < cols; col++)
            weight[row * cols + col] += scale * row_sum[col];
    }
}

static bool is_conv1d(const Checkpoint *c, const char *name) {
    static const char *const layers[] = {"c_attn.weight", "c_proj.weight", "c_fc.weight",
                                         "q_attn.weight"};
    const char *type = json_string_value(json_object_get(c->config, "model_type"));
    if (!type || strcmp(type, "gpt2") != 0) return false;
    for (int i = 0; i < 4; i++)
        if (str_ends(str(name), layers[i])) return true;
    return false;
}

static bool merge(Checkpoint *c, RawTensor *base, RawTensor a, RawTensor b, bool turned,
                  double scale, Error *error) {
    if (turned) { /* (B A)^T = A^T B^T */
        raw_tensor_transpose(c->arena, &a);
        raw_tensor_transpose(c->arena, &b);
        RawTensor swap = a;
        a = b;
        b = swap;
    }
    const int64_t size[3] = {b.shape[0], a.shape[1], a.shape[0]};
    if (base->rank != 2 || b.shape[1] != size[2] || base->shape[0] != size[0] ||
        base->shape[1] != size[1])
        return error_set(
            error, ERROR_INPUT, "%s: %.200s is %s, the adapter's factors make %lld x %lld", a.file,
            base->name, raw_shape_text(base).text, (long long)size[0], (long long)size[1]);
    size_t n_bytes = (size_t)raw_tensor_count(base) * sizeof(float);
    bool narrow = base->dtype == DTYPE_F16 || base->dtype == DTYPE_BF16;
    narrow = narrow && arena_footprint(c->arena) + n_bytes > max_f32_bytes;
    void *kept = narrow ? arena_alloc(c->arena, base->n_bytes) : NULL;
    ArenaMark scratch = arena_mark(c->arena);
    float *weight = as_f32(c->arena, base);
    if (!narrow) scratch = arena_mark(c->arena); /* the sum stays */
    float *left = as_f32(c->arena, &b), *right = as_f32(c->arena, &a);
    float *row_sum = arena_alloc(c->arena, (size_t)size[1] * sizeof *row_sum);
    add_product(weight, left, right, size, (float)scale, row_sum);
    if (narrow) {
        dtype_from_f32(base->dtype, weight, raw_tensor_count(base), kept);
        base->data = kept;
    } else {
        raw_tensor_set_f32(base, weight);
    }
    arena_reset(c->arena, scratch);
    return true;
}

typedef struct Adapter {
    const json_t *config;
    const char *config_path;
    TensorList tensors;
} Adapter;

/* "....lora_A.weight" or "....lora_embedding_A": merges it with its B. */
static bool merge_factor(Checkpoint *c, const Adapter *adapter, const RawTensor *a, const char *at,
                         bool embedding, Error *error) {
    const char *suffix = embedding ? ".lora_embedding_B" : ".lora_B.weight";
    int n_module = (int)(at - a->name);
    char *module = arena_printf(c->arena, "%.*s", n_module, a->name);
    const RawTensor *b =
        tensor_list_find(&adapter->tensors, arena_printf(c->arena, "%s%s", module, suffix));
    char *name = arena_printf(c->arena, "%s.weight", module);
    RawTensor *base = find_base(c, name);
    if (!b || a->rank != 2 || b->rank != 2 || a->shape[0] < 1 || dtype_is_packed(a->dtype))
        return error_set(error, ERROR_UNSUPPORTED,
                         "%s: tensor %.200s: two matrices A [r, in] and B [out, r] expected",
                         a->file, a->name);
    if (!base)
        return error_set(error, ERROR_INPUT, "%s: tensor %.200s: the base has no %.200s", a->file,
                         a->name, name);
    Error failed = {0};
    double scale = scale_of(adapter->config, module, a->shape[0], adapter->config_path, &failed);
    if (failed.kind) return error_set(error, failed.kind, "%s", failed.message);
    return merge(c, base, *a, *b, embedding || is_conv1d(c, name), scale, error);
}

static bool replace(Checkpoint *c, const RawTensor *t, TensorList *extra, Error *error) {
    const char *cut = strstr(t->name, ".modules_to_save.");
    const char *name = t->name;
    if (cut) name = arena_printf(c->arena, "%.*s%s", (int)(cut - name), name, cut + 16);
    if (strstr(name, ".lora_") || strstr(name, ".ia3_") || strstr(name, "prompt_"))
        return error_set(error, ERROR_UNSUPPORTED,
                         "%s: tensor %.200s is no LoRA factor that is known", t->file, t->name);
    RawTensor *base = find_base(c, name), copy = *t;
    copy.name = base ? base->name : name;
    if (!base) {
        tensor_list_add(extra, &copy);
        return true;
    }
    if (base->rank != t->rank || memcmp(base->shape, t->shape, sizeof t->shape) != 0)
        return error_set(error, ERROR_INPUT, "%s: tensor %.200s is %s, the base's is %s", t->file,
                         t->name, raw_shape_text(t).text, raw_shape_text(base).text);
    *base = copy;
    return true;
}

static bool merge_all(Checkpoint *c, const Adapter *adapter, Error *error) {
    TensorList extra = {0};
    bool ok = true;
    for (int i = 0; ok && i < adapter->tensors.n; i++) {
        const RawTensor *t = &adapter->tensors.items[i];
        const char *a = strstr(t->name, ".lora_A.weight"),
                   *e = strstr(t->name, ".lora_embedding_A");
        if (a || e)
            ok = merge_factor(c, adapter, t, a ? a : e, !a, error);
        else if (!strstr(t->name, ".lora_B.weight") && !strstr(t->name, ".lora_embedding_B"))
            ok = replace(c, t, &extra, error);
    }
    for (int i = 0; i < extra.n; i++)
        tensor_list_add(&c->tensors, &extra.items[i]);
    tensor_list_free(&extra);
    return ok;
}

/* The base. */

static void close_base(void *base) {
    checkpoint_close(base);
}

static bool is_adapter(const char *folder) {
    Source source = {.folder = folder};
    return source_has(&source, config_file) &&
           (source_has(&source, weight_files[0]) || source_has(&source, weight_files[1]));
}

static const char *base_path(Checkpoint *c, const char *folder, const json_t *config,
                             const char *path, Error *error) {
    const char *name = json_string_value(json_object_get(config, "base_model_name_or_path"));
    if (!name || !*name) {
        error_set(error, ERROR_INPUT, "%s: no base_model_name_or_path", path);
        return NULL;
    }
    const char *beside = path_join(c->arena, folder, name);
    const char *found =
        *name != '/' && file_is_folder(beside) ? beside : hub_find(name, NULL, c->arena, error);
    if (!found) error_prefix(error, "%s: base_model_name_or_path", path);
    if (!found || !is_adapter(found)) return found;
    error_set(error, ERROR_UNSUPPORTED, "%s: the base %.200s is an adapter itself", path, name);
    return NULL;
}

static bool open_base(Checkpoint *c, const char *path, const Source *source, Error *error) {
    Checkpoint *base = checkpoint_open_with(path, source->options, error);
    if (!base) return error_prefix(error, "base of the adapter %s", source->path);
    checkpoint_hold(c, base, close_base);
    c->config = json_deep_copy(base->config);
    c->generation_config = json_incref(base->generation_config);
    c->tokenizer_path = base->tokenizer_path;
    for (int i = 0; i < base->tensors.n; i++)
        tensor_list_add(&c->tensors, &base->tensors.items[i]);
    return true;
}

static bool open_model(Checkpoint *c, const Source *source, Error *error) {
    Adapter adapter = {.config_path = path_join(c->arena, source->folder, config_file)};
    json_t *config = json_read_object(adapter.config_path, 1 << 24, error);
    adapter.config = config;
    bool ok = config && check_config(config, adapter.config_path, error);
    const char *base = ok ? base_path(c, source->folder, config, adapter.config_path, error) : NULL;
    ok = base && open_base(c, base, source, error);
    if (ok && !source->options->no_adapter)
        ok = read_adapter(c, source->folder, &adapter.tensors, error) &&
             merge_all(c, &adapter, error);
    if (source_has(source, "tokenizer.json") || source_has(source, "tokenizer_config.json"))
        c->tokenizer_path = source->folder;
    tensor_list_free(&adapter.tensors);
    json_decref(config);
    return ok;
}

static Probe probe(const Source *source, Error *error) {
    (void)error;
    const char *name = path_name(source->path);
    bool named = source->is_folder || strcmp(name, config_file) == 0 ||
                 strcmp(name, weight_files[0]) == 0 || strcmp(name, weight_files[1]) == 0;
    return named && is_adapter(source->folder) ? PROBE_MINE : PROBE_NOT_MINE;
}

const CheckpointFormat format_adapter = {"lora adapter", probe, open_model, NULL};
