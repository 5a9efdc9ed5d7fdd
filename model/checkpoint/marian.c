/* Marian's own model.npz: a numpy archive with the settings of the training in special:model.yml.
 * Translated as transformers' convert_marian_to_pytorch.py does: names, matrices turned round
 * (Marian multiplies from the left), and one more row behind the vocabulary: Marian starts a
 * translation from a zero embedding, which Hugging Face keeps as the row of <pad>.
 *
 * A file written back from Hugging Face may have that row already. It is taken to be there when
 * config.json or dim-vocabs say so, when the last row is all zeros, or when no vocabulary lies
 * beside the file, so that its own ids are all there is. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "model/checkpoint/npy.h"
#include "model/checkpoint/zip.h"

static const char config_member[] = "special:model.yml";

/* The settings: a flat YAML map of words and lists of words; a json object of strings and arrays.
 */

static json_t *word(Str s) {
    s = str_trim(s);
    if (s.n >= 2 && (s.data[0] == '"' || s.data[0] == '\'') && s.data[s.n - 1] == s.data[0])
        s = str_sub(s, 1, s.n - 1);
    return json_stringn(s.data, s.n);
}

static json_t *inline_list(Str s) {
    json_t *list = json_array();
    s = str_sub(s, 1, s.data[s.n - 1] == ']' ? s.n - 1 : s.n);
    while (str_trim(s).n) {
        const char *comma = memchr(s.data, ',', s.n);
        size_t n = comma ? (size_t)(comma - s.data) : s.n;
        json_array_append_new(list, word(str_sub(s, 0, n)));
        s = str_sub(s, comma ? n + 1 : n, s.n);
    }
    return list;
}

static json_t *parse_settings(Str yml) {
    json_t *settings = json_object(), *list = NULL;
    for (size_t begin = 0; begin < yml.n;) {
        const char *newline = memchr(yml.data + begin, '\n', yml.n - begin);
        size_t end = newline ? (size_t)(newline - yml.data) : yml.n;
        Str line = str_sub(yml, begin, end), inside = str_trim(line);
        begin = end + 1;
        if (!inside.n || inside.data[0] == '#') continue;
        if (inside.data[0] == '-' && list) {
            json_array_append_new(list, word(str_sub(inside, 1, inside.n)));
            continue;
        }
        const char *colon = memchr(inside.data, ':', inside.n);
        if (!colon || line.data[0] == ' ') continue; /* "  []", deeper maps */
        size_t at = (size_t)(colon - inside.data);
        Str value = str_trim(str_sub(inside, at + 1, inside.n));
        list = value.n ? NULL : json_array();
        json_t *node = list ? list : *value.data == '[' ? inline_list(value) : word(value);
        json_object_setn_new(settings, inside.data, at, node);
    }
    return settings;
}

static const char *setting(const json_t *settings, const char *key, const char *otherwise) {
    const json_t *value = json_object_get(settings, key);
    const char *text = json_string_value(value);
    if (json_is_array(value) && json_array_size(value) == 0) return "";
    if (json_is_array(value)) text = json_string_value(json_array_get(value, 0));
    return text ? text : otherwise;
}

/* Settings that change the numbers, with the one value that is computed. A missing one is so. */
static const struct {
    const char *key, *value;
} must_be[] = {
    {"type", "transformer"},
    {"transformer-preprocess", ""},
    {"transformer-postprocess", "dan"},
    {"transformer-postprocess-emb", "d"},
    {"transformer-postprocess-top", ""},
    {"transformer-decoder-autoreg", "self-attention"},
    {"transformer-ffn-depth", "2"},
    {"transformer-decoder-ffn-depth", "0"},
    {"transformer-no-projection", "false"},
    {"transformer-no-bias", "false"},
    {"transformer-no-affine", "false"},
    {"transformer-pool", "false"},
    {"transformer-train-position-embeddings", "false"},
    {"transformer-tied-layers", ""},
    {"transformer-decoder-dim-ffn", "0"},
    {"layer-normalization", "false"},
    {"right-left", "false"},
    {"ulr", "false"},
    {"ulr-dim-emb", "0"},
    {"lemma-dim-emb", "0"},
    {"output-omit-bias", "false"},
    {"input-types", ""},
};

static bool check_settings(const json_t *settings, const char *path, Error *error) {
    if (!json_object_get(settings, "type"))
        return error_set(error, ERROR_INPUT, "%s: %s does not say the type of the model", path,
                         config_member);
    for (size_t i = 0; i < sizeof must_be / sizeof *must_be; i++) {
        const char *found = setting(settings, must_be[i].key, must_be[i].value);
        if (strcmp(found, must_be[i].value) != 0)
            return error_set(error, ERROR_UNSUPPORTED,
                             "%s: %s: %s is '%.100s', only '%s' is computed", path, config_member,
                             must_be[i].key, found, must_be[i].value);
    }
    return true;
}

/* The config. */

static bool number(const json_t *settings, const char *key, int64_t *out, const char *path,
                   Error *error) {
    long long n;
    const char *text = setting(settings, key, "");
    if (!integer_parse(str(text), &n) || n < 1 || n > 1 << 24)
        return error_set(error, ERROR_INPUT,
                         "%s: %s: %s is '%.100s', a whole number from 1 expected", path,
                         config_member, key, text);
    *out = n;
    return true;
}

static bool is_true(const json_t *settings, const char *key) {
    return strcmp(setting(settings, key, "false"), "true") == 0;
}

static bool make_config(Checkpoint *c, const json_t *settings, Error *error) {
    static const char *const activations[][2] = {
        {"relu", "relu"}, {"swish", "swish"}, {"gelu", "gelu"}};
    static const char *const sizes[][3] = {
        {"dim-emb", "d_model", ""},
        {"enc-depth", "encoder_layers", "num_hidden_layers"},
        {"dec-depth", "decoder_layers", ""},
        {"transformer-heads", "encoder_attention_heads", "decoder_attention_heads"},
        {"transformer-dim-ffn", "encoder_ffn_dim", "decoder_ffn_dim"},
    };
    json_t *config = c->config = json_object();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int64_t n = 0;
        if (!number(settings, sizes[i][0], &n, c->path, error)) return false;
        json_object_set_new(config, sizes[i][1], json_integer(n));
        if (*sizes[i][2]) json_object_set_new(config, sizes[i][2], json_integer(n));
    }
    const char *found = setting(settings, "transformer-ffn-activation", "swish");
    const char *activation = NULL;
    for (int i = 0; i < 3; i++)
        if (strcmp(found, activations[i][0]) == 0) activation = activations[i][1];
    if (!activation)
        return error_set(error, ERROR_UNSUPPORTED,
                         "%s: %s: transformer-ffn-activation is '%.100s'; relu, swish and gelu are "
                         "computed",
                         c->path, config_member, found);
    bool shared =
        is_true(settings, "tied-embeddings-all") || is_true(settings, "tied-embeddings-src");
    bool tied = is_true(settings, "tied-embeddings-all") || is_true(settings, "tied-embeddings");
    json_t *rest = json_pack(
        "{s:s, s:[s], s:b, s:b, s:b, s:b, s:b, s:s, s:i, s:i, s:i}", "model_type", "marian",
        "architectures", "MarianMTModel", "is_encoder_decoder", 1, "scale_embedding", 1,
        "share_encoder_decoder_embeddings", shared, "tie_word_embeddings", tied,
        "static_position_embeddings", 1, "activation_function", activation, "bos_token_id", 0,
        "eos_token_id", 0, "forced_eos_token_id", 0);
    json_object_update(config, rest);
    json_decref(rest);
    long long n_positions = 0;
    integer_parse(str(setting(settings, "max-length", "")), &n_positions);
    json_object_set_new(
        config, "max_position_embeddings",
        json_integer(n_positions > 512 && n_positions < 1 << 20 ? n_positions : 512));
    return true;
}

/* Tensors. */

static const char *const layer_names[][2] = {
    {"self_Wq", "self_attn.q_proj.weight"},
    {"self_Wk", "self_attn.k_proj.weight"},
    {"self_Wv", "self_attn.v_proj.weight"},
    {"self_Wo", "self_attn.out_proj.weight"},
    {"self_bq", "self_attn.q_proj.bias"},
    {"self_bk", "self_attn.k_proj.bias"},
    {"self_bv", "self_attn.v_proj.bias"},
    {"self_bo", "self_attn.out_proj.bias"},
    {"self_Wo_ln_scale", "self_attn_layer_norm.weight"},
    {"self_Wo_ln_bias", "self_attn_layer_norm.bias"},
    {"context_Wq", "encoder_attn.q_proj.weight"},
    {"context_Wk", "encoder_attn.k_proj.weight"},
    {"context_Wv", "encoder_attn.v_proj.weight"},
    {"context_Wo", "encoder_attn.out_proj.weight"},
    {"context_bq", "encoder_attn.q_proj.bias"},
    {"context_bk", "encoder_attn.k_proj.bias"},
    {"context_bv", "encoder_attn.v_proj.bias"},
    {"context_bo", "encoder_attn.out_proj.bias"},
    {"context_Wo_ln_scale", "encoder_attn_layer_norm.weight"},
    {"context_Wo_ln_bias", "encoder_attn_layer_norm.bias"},
    {"ffn_W1", "fc1.weight"},
    {"ffn_b1", "fc1.bias"},
    {"ffn_W2", "fc2.weight"},
    {"ffn_b2", "fc2.bias"},
    {"ffn_ffn_ln_scale", "final_layer_norm.weight"},
    {"ffn_ffn_ln_bias", "final_layer_norm.bias"},
};

static const struct {
    const char *marian, *hf;
    bool transpose;
} other_names[] = {
    {"Wemb", "model.shared.weight", false},
    {"encoder_Wemb", "model.encoder.embed_tokens.weight", false},
    {"decoder_Wemb", "model.decoder.embed_tokens.weight", false},
    {"decoder_ff_logit_out_b", "final_logits_bias", false},
    {"decoder_ff_logit_out_W", "lm_head.weight", true},
};

/* "encoder_l1_self_Wq" -> "model.encoder.layers.0.self_attn.q_proj.weight"; NULL: not known. */
static const char *layer_name(Arena *arena, const char *name) {
    bool encoder = strncmp(name, "encoder_l", 9) == 0;
    if (!encoder && strncmp(name, "decoder_l", 9) != 0) return NULL;
    size_t n_digits = strspn(name + 9, "0123456789");
    long long layer;
    if (n_digits > 6 || name[9 + n_digits] != '_' ||
        !integer_parse((Str){name + 9, n_digits}, &layer) || layer < 1)
        return NULL;
    const char *rest = name + 9 + n_digits + 1;
    for (size_t i = 0; i < sizeof layer_names / sizeof *layer_names; i++)
        if (strcmp(rest, layer_names[i][0]) == 0)
            return arena_printf(arena, "model.%s.layers.%lld.%s", encoder ? "encoder" : "decoder",
                                layer - 1, layer_names[i][1]);
    return NULL;
}

static bool add_tensor(Checkpoint *c, RawTensor *t, Error *error) {
    const char *name = layer_name(c->arena, t->name);
    bool transpose = name != NULL;
    for (size_t i = 0; !name && i < sizeof other_names / sizeof *other_names; i++) {
        if (strcmp(t->name, other_names[i].marian) != 0) continue;
        name = other_names[i].hf;
        transpose = other_names[i].transpose;
    }
    if (!name)
        return error_set(error, ERROR_UNSUPPORTED,
                         "%s: tensor %.200s is not one of a Marian transformer that is read here",
                         t->file, t->name);
    if (t->dtype != DTYPE_F32 || t->rank != 2)
        return error_set(
            error, ERROR_UNSUPPORTED,
            "%s: tensor %.200s: %s %s; float32 matrices are read (not intgemm's types)", t->file,
            t->name, dtype_info[t->dtype].name, raw_shape_text(t).text);
    t->name = name;
    raw_tensor_align(c->arena, t);
    bool row = t->shape[0] == 1 && strcmp(name, "final_logits_bias") != 0;
    if (row && transpose) {
        t->rank = 1;
        t->shape[0] = t->shape[1];
    } else if (transpose) {
        raw_tensor_transpose(c->arena, t);
    }
    tensor_list_add(&c->tensors, t);
    return true;
}

/* The row of <pad>. */

static RawTensor *find(Checkpoint *c, const char *name) {
    for (int i = 0; i < c->tensors.n; i++)
        if (strcmp(c->tensors.items[i].name, name) == 0) return &c->tensors.items[i];
    return NULL;
}

static bool has_vocabulary(const Source *source) {
    DIR *folder = opendir(source->folder);
    bool found = source_has(source, "vocab.json");
    for (struct dirent *entry; folder && !found && (entry = readdir(folder));) {
        Str name = str(entry->d_name);
        found = str_ends(name, ".spm") || str_ends(name, "vocab.yml");
    }
    if (folder) closedir(folder);
    return found;
}

static bool last_row_is_zero(const RawTensor *t) {
    const float *x = (const float *)t->data + (t->shape[0] - 1) * t->shape[1];
    for (int64_t i = 0; i < t->shape[1]; i++)
        if (x[i] != 0) return false;
    return true;
}

static bool has_pad_row(const Source *source, const json_t *settings, const RawTensor *target) {
    long long n_vocab = 0;
    const json_t *dims = json_object_get(settings, "dim-vocabs");
    const char *last = json_string_value(json_array_get(dims, json_array_size(dims) - 1));
    if (last) integer_parse(str(last), &n_vocab);
    if (n_vocab + 1 == target->shape[0] || last_row_is_zero(target)) return true;
    return n_vocab <= target->shape[0] && !has_vocabulary(source);
}

/* One row, or for the bias one column, of zeros behind. */
static void extend(Arena *arena, RawTensor *t) {
    size_t n = (size_t)raw_tensor_count(t);
    bool bias = t->shape[0] == 1;
    size_t more = bias ? 1 : (size_t)t->shape[1];
    float *x = arena_calloc(arena, n + more, sizeof *x);
    memcpy(x, t->data, n * sizeof *x);
    t->shape[bias ? 1 : 0]++;
    raw_tensor_set_f32(t, x);
}

static bool finish_vocabulary(Checkpoint *c, const Source *source, const json_t *settings,
                              Error *error) {
    static const char *const with_rows[] = {
        "model.shared.weight", "model.encoder.embed_tokens.weight",
        "model.decoder.embed_tokens.weight", "lm_head.weight", "final_logits_bias"};
    RawTensor *shared = find(c, with_rows[0]), *target = find(c, with_rows[2]);
    RawTensor *origin = find(c, with_rows[1]);
    if (!target) target = shared;
    if (!origin) origin = shared;
    if (!target || !origin || target->shape[0] < 1 || target->shape[1] < 1)
        return error_set(error, ERROR_INPUT,
                         "%s: no embedding: Wemb, or encoder_Wemb and decoder_Wemb", c->path);
    if (!has_pad_row(source, settings, target))
        for (size_t i = 0; i < sizeof with_rows / sizeof *with_rows; i++) {
            RawTensor *t = find(c, with_rows[i]);
            if (t) extend(c->arena, t);
        }
    int64_t pad = target->shape[0] - 1;
    json_t *vocabulary = json_pack(
        "{s:I, s:I, s:I, s:I, s:[[I]]}", "vocab_size", (json_int_t)origin->shape[0],
        "decoder_vocab_size", (json_int_t)target->shape[0], "pad_token_id", (json_int_t)pad,
        "decoder_start_token_id", (json_int_t)pad, "bad_words_ids", (json_int_t)pad);
    json_object_update(c->config, vocabulary);
    json_decref(vocabulary);
    if (!target || target == shared || find(c, "lm_head.weight")) return true;
    RawTensor head = *target; /* tied to the target side's embedding alone */
    head.name = "lm_head.weight";
    tensor_list_add(&c->tensors, &head);
    return true;
}

/* The file. */

static json_t *read_settings(Checkpoint *c, ZipFile *zip, const char *path, Error *error) {
    int index = zip_file_find(zip, "special:model.yml.npy");
    Str bytes;
    RawTensor yml = {.name = config_member, .file = path};
    if (index < 0) {
        error_set(error, ERROR_INPUT, "%s: no %s in it; an .npz of Marian is expected", path,
                  config_member);
        return NULL;
    }
    if (!zip_file_member(zip, index, c->arena, &bytes, error) || !npy_read(bytes, &yml, error))
        return NULL;
    size_t n = strnlen(yml.data, yml.n_bytes); /* Marian keeps the NUL */
    return parse_settings((Str){yml.data, n});
}

static bool read_tensors(Checkpoint *c, ZipFile *zip, const char *path, Error *error) {
    for (int i = 0; i < zip_file_n_members(zip); i++) {
        Str name = str(zip_file_name(zip, i)), bytes;
        if (str_starts(name, "special:")) continue;
        if (!str_ends(name, ".npy"))
            return error_set(error, ERROR_INPUT, "%s: member %.200s is not an array", path,
                             name.data);
        RawTensor t = {.file = path};
        t.name = arena_str(c->arena, str_sub(name, 0, name.n - 4)).data;
        if (!zip_file_member(zip, i, c->arena, &bytes, error) || !npy_read(bytes, &t, error) ||
            !add_tensor(c, &t, error))
            return false;
    }
    return true;
}

static const char model_file[] = "model.npz";

static bool open_model(Checkpoint *c, const Source *source, Error *error) {
    const char *path = source->is_folder && source_has(source, model_file)
                           ? path_join(c->arena, source->folder, model_file)
                           : source_path(c->arena, source, ".npz");
    Str bytes;
    if (!path || !checkpoint_map(c, path, &bytes, error)) return false;
    ZipFile *zip = zip_file_open(bytes, path, error);
    if (!zip) return false;
    json_t *settings = read_settings(c, zip, path, error);
    bool own_config = source_has(source, "config.json");
    bool ok = settings && check_settings(settings, path, error);
    ok = ok && (own_config ? checkpoint_read_config(c, source->folder, error)
                           : make_config(c, settings, error));
    ok = ok && read_tensors(c, zip, path, error) &&
         (own_config || finish_vocabulary(c, source, settings, error));
    json_decref(settings);
    zip_file_close(zip);
    return ok;
}

static Probe probe(const Source *source, Error *error) {
    if (!source->is_folder)
        return str_ends(str(source->path), ".npz") ? PROBE_MINE : PROBE_NOT_MINE;
    if (source_has(source, model_file)) return PROBE_MINE;
    return source_lone_file(source, ".npz", error);
}

const CheckpointFormat format_marian = {"marian", probe, open_model, NULL};
