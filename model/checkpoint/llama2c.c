/* The .bin files of llama2.c (export.py there): a header of seven int32, then the numbers in a
 * fixed order. Version 0 begins with the width; versions 1 (f32) and 2 (int8 in groups) with
 * "ak42".
 *
 *   0   embedding, attention norms, q, k, v, o, ffn norms, w1, w2, w3, final norm, two tables of
 *       sines (not needed), output if vocab_size < 0
 *   1   attention norms, ffn norms, final norm, embedding, q, k, v, o, w1, w2, w3, output
 *   2   the same; all but the norms as int8, each followed by one f32 scale for a group
 *
 * q and k are in Meta's order (pairs beside each other); Hugging Face has the halves of a head
 * behind each other, as in GGUF. The tokenizer.bin beside it holds a score and a text for each id.
 */
#include <stdio.h>
#include <string.h>

#include "model/checkpoint/format.h"
#include "model/checkpoint/vocabulary.h"

typedef struct Header {
    int version;
    int64_t width, hidden, n_layers, n_heads, n_kv_heads, n_vocab, n_positions;
    bool own_output;
    int64_t group;  /* int8 numbers to a scale; version 2 */
    size_t n_bytes; /* of the header */
} Header;

typedef enum Part {
    EMBEDDING,
    ATTENTION_NORM,
    WQ,
    WK,
    WV,
    WO,
    FFN_NORM,
    W1,
    W2,
    W3,
    FINAL_NORM,
    SINES,
    OUTPUT,
    N_PARTS
} Part;

static const struct {
    const char *name;
    bool per_layer, norm;
} parts[N_PARTS] = {
    [EMBEDDING] = {"model.embed_tokens.weight", false, false},
    [ATTENTION_NORM] = {"model.layers.%lld.input_layernorm.weight", true, true},
    [WQ] = {"model.layers.%lld.self_attn.q_proj.weight", true, false},
    [WK] = {"model.layers.%lld.self_attn.k_proj.weight", true, false},
    [WV] = {"model.layers.%lld.self_attn.v_proj.weight", true, false},
    [WO] = {"model.layers.%lld.self_attn.o_proj.weight", true, false},
    [FFN_NORM] = {"model.layers.%lld.post_attention_layernorm.weight", true, true},
    [W1] = {"model.layers.%lld.mlp.gate_proj.weight", true, false},
    [W2] = {"model.layers.%lld.mlp.down_proj.weight", true, false},
    [W3] = {"model.layers.%lld.mlp.up_proj.weight", true, false},
    [FINAL_NORM] = {"model.norm.weight", false, true},
    [SINES] = {NULL, false, true},
    [OUTPUT] = {"lm_head.weight", false, false},
};

static const Part order_0[N_PARTS] = {
    EMBEDDING, ATTENTION_NORM, WQ, WK, WV, WO, FFN_NORM, W1, W2, W3, FINAL_NORM, SINES, OUTPUT};
static const Part order_1[N_PARTS] = {
    ATTENTION_NORM, FFN_NORM, FINAL_NORM, EMBEDDING, WQ, WK, WV, WO, W1, W2, W3, OUTPUT, SINES};

/* Rows and columns of one matrix; a norm is one row. */
static void part_shape(const Header *h, Part part, int64_t *rows, int64_t *cols) {
    int64_t kv_width = h->width / h->n_heads * h->n_kv_heads;
    *rows = 1;
    *cols = h->width;
    switch (part) {
    case EMBEDDING:
        *rows = h->n_vocab;
        break;
    case OUTPUT:
        *rows = h->own_output ? h->n_vocab : 0;
        break;
    case WQ:
    case WO:
        *rows = h->width;
        break;
    case WK:
    case WV:
        *rows = kv_width;
        break;
    case W1:
    case W3:
        *rows = h->hidden;
        break;
    case W2:
        *rows = h->width;
        *cols = h->hidden;
        break;
    case SINES:
        *rows = h->version == 0 ? h->n_positions : 0;
        *cols = h->width / h->n_heads;
        break;
    case ATTENTION_NORM:
    case FFN_NORM:
    case FINAL_NORM:
    case N_PARTS:
        break;
    }
}

static bool plausible(const Header *h) {
    return h->width >= 1 && h->width <= 1 << 17 && h->hidden >= 1 && h->hidden <= 1 << 20 &&
           h->n_layers >= 1 && h->n_layers <= 1024 && h->n_heads >= 1 && h->n_heads <= h->width &&
           h->width % h->n_heads == 0 && h->width / h->n_heads % 2 == 0 && h->n_kv_heads >= 1 &&
           h->n_heads % h->n_kv_heads == 0 && h->n_vocab >= 1 && h->n_vocab <= 1 << 24 &&
           h->n_positions >= 1 && h->n_positions <= 1 << 24 &&
           (h->version != 2 || (h->group >= 1 && h->group <= h->hidden));
}

/* head: the first 64 bytes. */
static bool read_header(const uint8_t *head, Header *h) {
    int32_t n[9];
    memcpy(n, head, sizeof n);
    *h = (Header){0};
    bool versioned = (uint32_t)n[0] == 0x616b3432;
    h->version = versioned ? n[1] : 0;
    if (versioned && h->version != 1 && h->version != 2) return false;
    const int32_t *size = versioned ? n + 2 : n;
    h->width = size[0];
    h->hidden = size[1];
    h->n_layers = size[2];
    h->n_heads = size[3];
    h->n_kv_heads = size[4];
    h->n_vocab = size[5];
    h->n_positions = size[6];
    h->n_bytes = versioned ? 256 : 28;
    if (versioned) {
        h->own_output = head[36] == 0;
        int32_t group;
        memcpy(&group, head + 37, 4);
        h->group = h->version == 2 ? group : 0;
    } else if (h->n_vocab < 0) {
        h->own_output = true;
        h->n_vocab = -h->n_vocab;
    }
    return plausible(h);
}

static size_t matrix_bytes(const Header *h, Part part) {
    int64_t rows, cols;
    part_shape(h, part, &rows, &cols);
    size_t n = (size_t)rows * (size_t)cols;
    if (h->version != 2 || parts[part].norm) return n * sizeof(float);
    return n + n / (size_t)h->group * sizeof(float);
}

static size_t expected_bytes(const Header *h) {
    size_t n = h->n_bytes;
    for (Part part = 0; part < N_PARTS; part++)
        n += matrix_bytes(h, part) * (parts[part].per_layer ? (size_t)h->n_layers : 1);
    return n;
}

static void unpack_int8(Arena *arena, const Header *h, RawTensor *t) {
    size_t n = (size_t)raw_tensor_count(t);
    const int8_t *q = t->data;
    float *x = arena_alloc(arena, n * sizeof *x);
    for (size_t i = 0; i < n; i++) {
        float scale;
        memcpy(&scale, q + n + i / (size_t)h->group * sizeof scale, sizeof scale);
        x[i] = (float)q[i] * scale;
    }
    raw_tensor_set_f32(t, x);
}

static bool add_matrix(Checkpoint *c, const Header *h, Part part, int64_t layer, const char *data,
                       Error *error) {
    RawTensor t = {
        .dtype = DTYPE_F32, .rank = parts[part].norm ? 1 : 2, .data = data, .file = c->path};
    part_shape(h, part, &t.shape[0], &t.shape[1]);
    if (parts[part].norm) t.shape[0] = t.shape[1];
    t.name = parts[part].name;
    if (parts[part].per_layer) {
        const char *rest = strstr(t.name, "%lld") + 4;
        t.name = arena_printf(c->arena, "model.layers.%lld%s", (long long)layer, rest);
    }
    if (!raw_tensor_size(&t, error)) return false;
    if (h->version == 2 && !parts[part].norm) unpack_int8(c->arena, h, &t);
    raw_tensor_align(c->arena, &t);
    bool ok = true;
    if (part == WQ) ok = raw_tensor_unpermute(c->arena, &t, h->n_heads, error);
    if (part == WK) ok = raw_tensor_unpermute(c->arena, &t, h->n_kv_heads, error);
    tensor_list_add(&c->tensors, &t);
    return ok;
}

static json_t *make_config(const Header *h) {
    return json_pack(
        "{s:s, s:[s], s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:b, s:i, s:i}",
        "model_type", "llama", "architectures", "LlamaForCausalLM", "hidden_act", "silu",
        "hidden_size", (json_int_t)h->width, "intermediate_size", (json_int_t)h->hidden,
        "num_hidden_layers", (json_int_t)h->n_layers, "num_attention_heads", (json_int_t)h->n_heads,
        "num_key_value_heads", (json_int_t)h->n_kv_heads, "vocab_size", (json_int_t)h->n_vocab,
        "max_position_embeddings", (json_int_t)h->n_positions, "rms_norm_eps", 1e-5, "rope_theta",
        10000.0, "tie_word_embeddings", !h->own_output, "bos_token_id", 1, "eos_token_id", 2);
}

static const char model_file[] = "model.bin";

static bool head_of(const Source *source, uint8_t head[64], size_t *n_bytes) {
    memcpy(head, source->head, 64);
    *n_bytes = source->n_bytes;
    if (!source->is_folder) return true;
    Arena *arena = arena_new();
    bool there = file_head(path_join(arena, source->folder, model_file), head, n_bytes);
    arena_free(arena);
    return there;
}

static Probe probe(const Source *source, Error *error) {
    uint8_t head[64];
    size_t n_bytes;
    Header h;
    if (!head_of(source, head, &n_bytes) || n_bytes < 64) return PROBE_NOT_MINE;
    bool marked = memcmp(head, "24ka", 4) == 0;
    if (!read_header(head, &h)) {
        if (!marked) return PROBE_NOT_MINE;
        error_set(
            error, ERROR_UNSUPPORTED,
            "%s: llama2.c header of an unknown version or with absurd sizes; versions 0, 1 and 2 "
            "are read",
            source->path);
        return PROBE_BROKEN;
    }
    if (expected_bytes(&h) == n_bytes) return PROBE_MINE;
    bool named = str_ends(str(source->path), ".bin") && n_bytes < expected_bytes(&h);
    if (!marked && !(named && !source->is_folder)) return PROBE_NOT_MINE;
    error_set(
        error, ERROR_INPUT,
        "%s: %zu bytes, %zu expected of a llama2.c file with %lld layers of width %lld (is it cut "
        "off?)",
        source->path, n_bytes, expected_bytes(&h), (long long)h.n_layers, (long long)h.width);
    return PROBE_BROKEN;
}

static bool open_model(Checkpoint *c, const Source *source, Error *error) {
    const char *path =
        source->is_folder ? path_join(c->arena, source->folder, model_file) : source->path;
    Str bytes;
    Header h;
    if (!checkpoint_map(c, path, &bytes, error)) return false;
    if (bytes.n < 64 || !read_header((const uint8_t *)bytes.data, &h) ||
        expected_bytes(&h) != bytes.n)
        return error_set(error, ERROR_INPUT, "%s: changed while being read", path);
    c->config = make_config(&h);
    const Part *order = h.version == 0 ? order_0 : order_1;
    const char *data = bytes.data + h.n_bytes;
    for (int i = 0; i < N_PARTS; i++) {
        Part part = order[i];
        int64_t n = parts[part].per_layer ? h.n_layers : 1;
        for (int64_t layer = 0; layer < n; layer++) {
            size_t n_bytes = matrix_bytes(&h, part);
            if (n_bytes && parts[part].name && !add_matrix(c, &h, part, layer, data, error))
                return false;
            data += n_bytes;
        }
    }
    return true;
}

/* The tokenizer. */

static const char *tokenizer_path(Arena *arena, const Source *source, const Header *h) {
    const char *path = path_join(arena, source->folder, "tokenizer.bin");
    if (file_exists(path)) return path;
    char name[32];
    snprintf(name, sizeof name, "tok%lld.bin", (long long)h->n_vocab);
    path = path_join(arena, source->folder, name);
    return file_exists(path) ? path : NULL;
}

/* Spaces stand for SentencePiece's mark; <s> and </s> are wrapped in newlines. */
static Str piece_text(Arena *arena, Str raw) {
    if (str_is(raw, "\n<s>\n") || str_is(raw, "\n</s>\n")) return str_sub(raw, 1, raw.n - 1);
    StrBuf out = {0};
    for (size_t i = 0; i < raw.n; i++) {
        if (raw.data[i] == ' ')
            strbuf_puts(&out, "\xe2\x96\x81");
        else
            strbuf_putc(&out, raw.data[i]);
    }
    Str text = arena_str(arena, strbuf_str(&out));
    strbuf_free(&out);
    return text;
}

static int piece_type(int id, Str text) {
    if (id == 0) return PIECE_UNKNOWN;
    if (id <= 2) return PIECE_CONTROL;
    return text.n == 6 && str_starts(text, "<0x") ? PIECE_BYTE : PIECE_NORMAL;
}

static bool read_pieces(Arena *arena, const char *path, const Header *h, Vocabulary *v,
                        Error *error) {
    Str bytes;
    if (!file_read(path, 0, arena, &bytes, error)) return false;
    if ((uint64_t)h->n_vocab > bytes.n / 8)
        return error_set(error, ERROR_INPUT, "%s: %zu bytes are too few for %lld pieces", path,
                         bytes.n, (long long)h->n_vocab);
    v->n_pieces = (int)h->n_vocab;
    v->pieces = arena_calloc(arena, (size_t)v->n_pieces, sizeof *v->pieces);
    size_t at = 4; /* behind the length of the longest piece */
    for (int id = 0; id < v->n_pieces; id++) {
        VocabularyPiece *piece = &v->pieces[id];
        int32_t n = -1;
        if (bytes.n - at >= 8) memcpy(&n, bytes.data + at + 4, 4);
        if (n < 0 || (size_t)n > bytes.n - at - 8)
            return error_set(error, ERROR_INPUT,
                             "%s: piece %d of %d does not lie in the file (is it cut off?)", path,
                             id, v->n_pieces);
        memcpy(&piece->score, bytes.data + at, 4);
        if (piece->score != piece->score) piece->score = 0;
        piece->text = piece_text(arena, str_sub(bytes, at + 8, at + 8 + (size_t)n));
        piece->type = piece_type(id, piece->text);
        at += 8 + (size_t)n;
    }
    return true;
}

static json_t *tokenizer(const Source *source, Error *error) {
    uint8_t head[64];
    size_t n_bytes;
    Header h;
    if (!head_of(source, head, &n_bytes) || !read_header(head, &h)) return NULL;
    Arena *arena = arena_new();
    const char *path = tokenizer_path(arena, source, &h);
    Vocabulary v = {.unknown = 0, .bos = 1, .eos = 2, .add_bos = true, .add_space_prefix = true};
    json_t *out = NULL;
    if (path && read_pieces(arena, path, &h, &v, error)) out = vocabulary_json(&v, path, error);
    arena_free(arena);
    return out;
}

const CheckpointFormat format_llama2c = {"llama2.c", probe, open_model, tokenizer};
