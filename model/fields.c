/* Reading config.json and generation_config.json: kind and range of every number. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/loader.h"

static const json_t *field(const Fields *f, const char *name) {
    const json_t *value = json_object_get(f->root, name);
    return json_is_null(value) ? NULL : value;
}

bool field_has(const Fields *f, const char *name) {
    return field(f, name) != NULL;
}

int field_int(const Fields *f, const char *name, int fallback, int least, int most) {
    const json_t *value = field(f, name);
    if (!value) return fallback;
    double x = json_number_value(value);
    if (!json_is_number(value) || x != floor(x) || x < least || x > most) {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        error_set(f->error, ERROR_INPUT, "%s: %s is %.40s, a whole number from %d to %d expected",
                  f->where, name, text ? text : "?", least, most);
        free(text);
        return fallback;
    }
    return (int)x;
}

int field_size(const Fields *f, const char *name, int most) {
    if (!field_has(f, name))
        error_set(f->error, ERROR_INPUT, "%s: %s is missing, a number from 1 to %d expected",
                  f->where, name, most);
    return field_int(f, name, 1, 1, most);
}

int field_head_size(const Fields *f, int d_model, int n_heads) {
    if (d_model % n_heads)
        error_set(f->error, ERROR_INPUT, "%s: a width of %d cannot be shared out among %d heads",
                  f->where, d_model, n_heads);
    return d_model / n_heads > 0 ? d_model / n_heads : 1;
}

double field_number(const Fields *f, const char *name, double fallback, double least, double most) {
    const json_t *value = field(f, name);
    if (!value) return fallback;
    double x = json_number_value(value);
    if (!json_is_number(value) || !(x >= least && x <= most)) {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        error_set(f->error, ERROR_INPUT, "%s: %s is %.40s, a number from %g to %g expected",
                  f->where, name, text ? text : "?", least, most);
        free(text);
        return fallback;
    }
    return x;
}

bool field_bool(const Fields *f, const char *name, bool fallback) {
    const json_t *value = field(f, name);
    if (!value) return fallback;
    if (!json_is_boolean(value)) {
        error_set(f->error, ERROR_INPUT, "%s: %s must be true or false", f->where, name);
        return fallback;
    }
    return json_is_true(value);
}

const char *field_string(const Fields *f, const char *name, const char *fallback) {
    const json_t *value = field(f, name);
    if (!value) return fallback;
    if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value)) {
        error_set(f->error, ERROR_INPUT, "%s: %s must be a string", f->where, name);
        return fallback;
    }
    return json_string_value(value);
}

Activation field_activation(const Fields *f, const char *name, Activation fallback) {
    static const struct {
        const char *name;
        Activation kind;
    } names[] = {{"relu", ACTIVATION_RELU},
                 {"gelu", ACTIVATION_GELU},
                 {"gelu_python", ACTIVATION_GELU},
                 {"gelu_new", ACTIVATION_GELU_TANH},
                 {"gelu_fast", ACTIVATION_GELU_TANH},
                 {"gelu_accurate", ACTIVATION_GELU_TANH},
                 {"gelu_pytorch_tanh", ACTIVATION_GELU_TANH},
                 {"quick_gelu", ACTIVATION_GELU_QUICK},
                 {"silu", ACTIVATION_SILU},
                 {"swish", ACTIVATION_SILU},
                 {"tanh", ACTIVATION_TANH},
                 {"sigmoid", ACTIVATION_SIGMOID}};
    const char *text = field_string(f, name, NULL);
    if (!text) return fallback;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i].name, text) == 0) return names[i].kind;
    error_set(f->error, ERROR_UNSUPPORTED,
              "%s: %s \"%.40s\" is not computed here; relu, gelu, gelu_new, quick_gelu, silu and "
              "tanh are",
              f->where, name, text);
    return fallback;
}

bool field_class(const Fields *f, const char *suffix) {
    size_t i;
    const json_t *name;
    json_array_foreach(field(f, "architectures"), i, name) {
        const char *text = json_string_value(name);
        if (text && str_ends(str(text), suffix)) return true;
    }
    return false;
}

void field_only(const Fields *f, const char *name, const char *harmless) {
    const json_t *value = field(f, name);
    if (!value) return;
    json_t *allowed = harmless ? json_loads(harmless, JSON_DECODE_ANY, NULL) : NULL;
    bool same = allowed && (json_equal(value, allowed) ||
                            (json_is_number(value) && json_is_number(allowed) &&
                             json_number_value(value) == json_number_value(allowed)));
    json_decref(allowed);
    if (same) return;
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    error_set(f->error, ERROR_UNSUPPORTED,
              "%s: %s %.60s changes the numbers and is not computed "
              "here",
              f->where, name, text ? text : "?");
    free(text);
}

/* ---- generation ---- */

/* An id: generation_config.json where it has the field, else config.json. */
static Fields layered(const Fields *config, const Fields *generation, const char *name) {
    return json_object_get(generation->root, name) ? *generation : *config;
}

/* How to search: what config.json says of it counts only where generation_config.json is not there
 * or was itself made from config.json. */
static Fields of_search(const Fields *config, const Fields *generation, const char *name) {
    const json_t *made = json_object_get(generation->root, "_from_model_config");
    bool own = generation->root && !json_is_true(made);
    return own ? *generation : layered(config, generation, name);
}

static int32_t id_field(const Fields *config, const Fields *generation, const char *name) {
    Fields f = layered(config, generation, name);
    const json_t *only = json_array_get(field(&f, name), 0); /* a list of one is that one */
    if (json_is_integer(only) && json_array_size(field(&f, name)) == 1) {
        json_t *plain = json_pack("{s:O}", name, only);
        int32_t id = field_int(&(Fields){plain, f.where, f.error}, name, -1, -1, INT32_MAX - 1);
        json_decref(plain);
        return id;
    }
    return field_int(&f, name, -1, -1, INT32_MAX - 1); /* -1: none, as early Llama files say it */
}

/* Some say "no limit" with a very large number. */
static int length_field(const Fields *config, const Fields *generation, const char *name) {
    enum { MOST = 1 << 24 };
    Fields f = of_search(config, generation, name);
    double n = field_number(&f, name, 0, 0, 1e300);
    return n < MOST ? (int)n : MOST;
}

static const int32_t *id_list(const Fields *f, const char *name, const json_t *list, Arena *arena,
                              int *n) {
    *n = 0;
    if (!json_is_array(list)) {
        if (list) error_set(f->error, ERROR_INPUT, "%s: %s must be a list of ids", f->where, name);
        return NULL;
    }
    size_t count = json_array_size(list);
    int32_t *ids = arena_alloc(arena, (count + 1) * sizeof *ids);
    for (size_t i = 0; i < count; i++) {
        const json_t *id = json_array_get(list, i);
        if (!json_is_integer(id) || json_integer_value(id) < 0 ||
            json_integer_value(id) >= INT32_MAX) {
            error_set(f->error, ERROR_INPUT, "%s: %s holds something that is no token id", f->where,
                      name);
            return NULL;
        }
        ids[i] = (int32_t)json_integer_value(id);
    }
    ids[count] = -1;
    *n = (int)count;
    return ids;
}

static const int32_t *list_field(const Fields *config, const Fields *generation, const char *name,
                                 Arena *arena, int *n) {
    Fields f = of_search(config, generation, name);
    return id_list(&f, name, field(&f, name), arena, n);
}

static void eos_field(const Fields *config, const Fields *generation, GenerationConfig *out,
                      Arena *arena) {
    Fields f = layered(config, generation, "eos_token_id");
    const json_t *value = field(&f, "eos_token_id");
    if (!json_is_array(value)) {
        int32_t id = id_field(config, generation, "eos_token_id");
        out->n_eos = id >= 0;
        out->eos_ids[0] = id;
        return;
    }
    int n;
    const int32_t *ids = id_list(&f, "eos_token_id", value, arena, &n);
    int most = (int)(sizeof out->eos_ids / sizeof *out->eos_ids);
    if (ids && n > most)
        error_set(f.error, ERROR_UNSUPPORTED, "%s: eos_token_id lists %d ids, at most %d expected",
                  f.where, n, most);
    for (out->n_eos = 0; ids && out->n_eos < n && out->n_eos < most; out->n_eos++)
        out->eos_ids[out->n_eos] = ids[out->n_eos];
}

static void bad_words_field(const Fields *config, const Fields *generation, GenerationConfig *out,
                            Arena *arena) {
    Fields f = of_search(config, generation, "bad_words_ids");
    const json_t *list = field(&f, "bad_words_ids");
    if (!list) return;
    if (!json_is_array(list)) {
        error_set(f.error, ERROR_INPUT, "%s: bad_words_ids must be a list of lists", f.where);
        return;
    }
    size_t n = json_array_size(list);
    const int32_t **words = arena_alloc(arena, (n + 1) * sizeof *words);
    out->n_bad_words = 0;
    for (size_t i = 0; i < n; i++) {
        int length;
        const int32_t *word = id_list(&f, "bad_words_ids", json_array_get(list, i), arena, &length);
        if (word && length > 0) words[out->n_bad_words++] = word;
    }
    out->bad_words = words;
}

/* Fields that make transformers search otherwise and that this program does not know. Sampling is
 * not among them: the most probable continuation is what is shown. NULL if none is set. */
static const char *not_computed(const Fields *config, const Fields *generation) {
    static const struct {
        const char *name;
        double harmless;
    } fields[] = {{"num_beam_groups", 1},
                  {"diversity_penalty", 0},
                  {"penalty_alpha", 0},
                  {"encoder_no_repeat_ngram_size", 0},
                  {"guidance_scale", 1},
                  {"encoder_repetition_penalty", 1},
                  {"exponential_decay_length_penalty", 0},
                  {"sequence_bias", 0},
                  {"force_words_ids", 0},
                  {"stop_strings", 0},
                  {"dola_layers", 0},
                  {"constraints", 0}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        Fields f = of_search(config, generation, fields[i].name);
        const json_t *value = field(&f, fields[i].name);
        bool empty = value && json_array_size(value) + json_object_size(value) == 0;
        bool harmless = !value || json_is_false(value) ||
                        (empty && (json_is_array(value) || json_is_object(value))) ||
                        (json_is_number(value) && json_number_value(value) == fields[i].harmless);
        if (!harmless) return fields[i].name;
    }
    return NULL;
}

/* [[1, 50259], [2, null], ...] as long as the positions count up from 1. */
static void forced_field(const Fields *config, const Fields *generation, GenerationConfig *out,
                         Arena *arena) {
    Fields f = layered(config, generation, "forced_decoder_ids");
    const json_t *list = field(&f, "forced_decoder_ids");
    size_t n = json_array_size(list);
    int32_t *ids = arena_alloc(arena, (n + 1) * sizeof *ids);
    for (size_t i = 0; i < n; i++) {
        const json_t *pair = json_array_get(list, i), *id = json_array_get(pair, 1);
        json_int_t value = json_is_integer(id) ? json_integer_value(id) : -1;
        if (json_integer_value(json_array_get(pair, 0)) != out->n_forced + 1) break;
        ids[out->n_forced++] = value >= 0 && value < INT32_MAX ? (int32_t)value : -1;
    }
    out->forced = ids;
}

/* Whisper's {"<|en|>": 50259, ...}. */
static void languages_field(const Fields *config, const Fields *generation, GenerationConfig *out,
                            Arena *arena) {
    Fields f = layered(config, generation, "lang_to_id");
    const json_t *languages = field(&f, "lang_to_id"), *id;
    const char *name;
    int32_t *ids = arena_alloc(arena, (json_object_size(languages) + 1) * sizeof *ids);
    json_object_foreach((json_t *)(uintptr_t)languages, name, id) {
        json_int_t value = json_is_integer(id) ? json_integer_value(id) : -1;
        if (value >= 0 && value < INT32_MAX) ids[out->n_language_ids++] = (int32_t)value;
    }
    out->language_ids = ids;
    out->no_timestamps_id = id_field(config, generation, "no_timestamps_token_id");
}

void fields_generation(const Fields *config, const Fields *generation, Arena *arena,
                       GenerationConfig *out) {
    Fields f;
    out->not_computed = not_computed(config, generation);
    out->start_id = id_field(config, generation, "decoder_start_token_id");
    if (out->start_id < 0) out->start_id = id_field(config, generation, "bos_token_id");
    out->pad_id = id_field(config, generation, "pad_token_id");
    out->forced_bos_id = id_field(config, generation, "forced_bos_token_id");
    if (out->forced_bos_id < 0 && field_bool(config, "force_bos_token_to_be_generated", false))
        out->forced_bos_id = id_field(config, generation, "bos_token_id"); /* of older BARTs */
    out->forced_eos_id = id_field(config, generation, "forced_eos_token_id");
    eos_field(config, generation, out, arena);
    bad_words_field(config, generation, out, arena);
    forced_field(config, generation, out, arena);
    languages_field(config, generation, out, arena);
    out->suppressed = list_field(config, generation, "suppress_tokens", arena, &out->n_suppressed);
    out->begin_suppressed =
        list_field(config, generation, "begin_suppress_tokens", arena, &out->n_begin_suppressed);
    out->max_length = length_field(config, generation, "max_length");
    f = of_search(config, generation, "min_length");
    out->min_length = field_int(&f, "min_length", 0, 0, 1 << 24);
    out->max_new_tokens = length_field(config, generation, "max_new_tokens");
    f = of_search(config, generation, "do_sample");
    out->samples = field_bool(&f, "do_sample", false);
    f = of_search(config, generation, "min_new_tokens");
    out->min_new_tokens = field_int(&f, "min_new_tokens", -1, 0, 1 << 24);
    f = of_search(config, generation, "num_beams");
    out->n_beams = field_int(&f, "num_beams", 1, 1, 1024);
    f = of_search(config, generation, "length_penalty");
    out->length_penalty = (float)field_number(&f, "length_penalty", 1, -100, 100);
    f = of_search(config, generation, "early_stopping");
    const json_t *early = field(&f, "early_stopping");
    out->never_early = json_is_string(early) && strcmp(json_string_value(early), "never") == 0;
    out->early_stopping = json_is_true(early);
    if (early && !json_is_boolean(early) && !out->never_early)
        error_set(f.error, ERROR_INPUT, "%s: early_stopping must be true, false or \"never\"",
                  f.where);
    f = of_search(config, generation, "no_repeat_ngram_size");
    out->no_repeat_ngram = field_int(&f, "no_repeat_ngram_size", 0, 0, 1 << 20);
    f = of_search(config, generation, "repetition_penalty");
    out->repetition_penalty = (float)field_number(&f, "repetition_penalty", 1, 1e-6, 1e6);
    f = of_search(config, generation, "renormalize_logits");
    out->renormalize = field_bool(&f, "renormalize_logits", false);
}
