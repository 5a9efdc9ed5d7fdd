#include "app/dataexport.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "app/dataexport_npz.h"
#include "app/views/matrices.h"
#include "model/base/file.h"

/* One kind of attention as other programs call it. */
typedef struct Kind {
    const char *name;
    StackId stack;
    bool cross;
} Kind;

static const Kind kinds[] = {
    {"attention", STACK_BLOCKS, false},
    {"encoder_attention", STACK_ENCODER, false},
    {"decoder_attention", STACK_DECODER, false},
    {"cross_attention", STACK_DECODER, true},
};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

/* [layer, head, query, key], masked cells 0; data NULL if the trace has none. */
static bool read_all(const Trace *trace, const Kind *kind, Arena *arena, Tensor *out,
                     Error *error) {
    *out = (Tensor){0};
    if (!trace_has(trace, kind->stack, kind->cross)) return true;
    int n_layers = trace_n_layers(trace, kind->stack, kind->cross);
    for (int layer = 0; layer < n_layers; layer++) {
        Pattern p;
        if (!trace_pattern(trace, kind->stack, layer, kind->cross, &p)) continue;
        if (!out->data) {
            double bytes = 4.0 * n_layers * p.n_heads * (double)p.n_queries * (double)p.n_keys;
            if (bytes > 8e9)
                return error_set(error, ERROR_MEMORY, "%s of this trace takes %.1f GB", kind->name,
                                 bytes / 1e9);
            *out = tensor_new(arena, 4, n_layers, p.n_heads, p.n_queries, p.n_keys);
            tensor_fill(*out, 0);
        }
        if (p.n_heads != out->shape[1] || p.n_queries != out->shape[2] || p.n_keys != out->shape[3])
            return error_set(error, ERROR_INPUT, "layer %d has another shape than the rest", layer);
        for (int h = 0; h < p.n_heads; h++)
            pattern_tile(&p, h, 0, p.n_queries, 0, p.n_keys, tensor_at(*out, layer, h, 0, 0));
    }
    return true;
}

/* The decoder's tokens as generate() returns them: one more than steps where the last is known. */
static int decoder_labels(const Trace *trace, Arena *arena, Str **out) {
    Tokens target = trace_target(trace);
    const Token *next = trace_next_tokens(trace);
    Str *labels = arena_alloc(arena, ((size_t)target.n + 2) * sizeof *labels);
    int n = target.n;
    for (int i = 0; i < n; i++)
        labels[i] = target.items[i].label;
    if (next && n > 0) labels[n] = next[n - 1].label;
    *out = labels;
    return n + (next && n > 0);
}

static Str *labels_of(Tokens tokens, Arena *arena) {
    Str *labels = arena_alloc(arena, ((size_t)tokens.n + 1) * sizeof *labels);
    for (int i = 0; i < tokens.n; i++)
        labels[i] = tokens.items[i].label;
    return labels;
}

/* ---- npz ---- */

static bool write_npz(const char *path, const ViewInput *input, Arena *arena, Error *error) {
    NpzWriter npz = {0};
    const Trace *trace = input->trace;
    bool ok = true;
    for (int i = 0; i < N_KINDS && ok; i++) {
        Tensor x;
        ok = read_all(trace, &kinds[i], arena, &x, error);
        if (ok && x.data) npz_floats(&npz, kinds[i].name, 4, x.shape, x.data);
    }
    if (ok) {
        Tokens source = trace_source(trace);
        bool one = trace_has(trace, STACK_BLOCKS, false);
        npz_texts(&npz, one ? "tokens" : "encoder_tokens", source.n, labels_of(source, arena));
        Str *labels;
        int n = decoder_labels(trace, arena, &labels);
        if (!one) npz_texts(&npz, "decoder_tokens", n, labels);
    }
    ok = ok && npz_save(&npz, path, error);
    npz_free(&npz);
    return ok;
}

/* ---- json ---- */

static void json_cells(StrBuf *out, const Tensor *x, int axis, const float *at) {
    if (axis == x->rank) {
        char number[32];
        strbuf_puts(out, isfinite(*at) ? number_text((double)*at, 7, number) : "null");
        return;
    }
    strbuf_putc(out, '[');
    for (int64_t i = 0; i < x->shape[axis]; i++) {
        if (i) strbuf_putc(out, ',');
        json_cells(out, x, axis + 1, at + i * x->stride[axis]);
    }
    strbuf_putc(out, ']');
}

static void json_labels(StrBuf *out, const char *name, int n, const Str *labels) {
    json_t *list = json_array();
    for (int i = 0; i < n; i++)
        if (json_array_append_new(list, json_stringn(labels[i].data, labels[i].n)) != 0)
            json_array_append_new(list, json_string("\xef\xbf\xbd"));
    char *text = json_dumps(list, JSON_COMPACT);
    strbuf_printf(out, "\"%s\":", name);
    strbuf_puts(out, text);
    free(text);
    json_decref(list);
}

static bool write_json(const char *path, const ViewInput *input, Arena *arena, Error *error) {
    StrBuf out = {0};
    const Trace *trace = input->trace;
    bool ok = true;
    strbuf_puts(&out, "{");
    for (int i = 0; i < N_KINDS && ok; i++) {
        Tensor x;
        ok = read_all(trace, &kinds[i], arena, &x, error);
        if (!ok || !x.data) continue;
        strbuf_printf(&out, "\"%s\":", kinds[i].name);
        json_cells(&out, &x, 0, x.data);
        strbuf_puts(&out, ",\n");
    }
    Tokens source = trace_source(trace);
    bool one = trace_has(trace, STACK_BLOCKS, false);
    json_labels(&out, one ? "tokens" : "encoder_tokens", source.n, labels_of(source, arena));
    Str *labels;
    int n = decoder_labels(trace, arena, &labels);
    if (!one) {
        strbuf_puts(&out, ",\n");
        json_labels(&out, "decoder_tokens", n, labels);
    }
    strbuf_puts(&out, "}\n");
    ok = ok && file_save(path, out.data, out.n, error);
    strbuf_free(&out);
    return ok;
}

/* ---- csv ---- */

/* RFC 4180: in quotes where a reader would stumble. */
static void csv_text(StrBuf *out, Str s) {
    bool plain = s.n > 0 && s.data[0] != ' ' && s.data[s.n - 1] != ' ';
    for (size_t i = 0; i < s.n; i++)
        plain = plain && !strchr(",\"\r\n", s.data[i]);
    if (plain) {
        strbuf_add(out, s.data, s.n);
        return;
    }
    strbuf_putc(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.data[i] == '"') strbuf_putc(out, '"');
        strbuf_putc(out, s.data[i]);
    }
    strbuf_putc(out, '"');
}

static void csv_cell(StrBuf *out, const Matrices *m, int i, int q, int k) {
    float w = *tensor_at(m->items[i].weights, q, k, 0, 0);
    if (isnan(w) || m->queries.axis.tokens[q].hidden || m->keys.axis.tokens[k].hidden) return;
    char number[32];
    csv_text(out, str(m->items[i].id));
    strbuf_printf(out, ",%d,%d,", q, k);
    csv_text(out, m->queries.axis.tokens[q].text);
    strbuf_putc(out, ',');
    csv_text(out, m->keys.axis.tokens[k].text);
    strbuf_printf(out, ",%s\n", number_text((double)w, 9, number));
}

static bool write_csv(const char *path, const ViewInput *input, Arena *arena, Error *error) {
    Matrices m;
    MatricesWish wish = {.pick_rows = true};
    if (!matrices_read(input, &wish, arena, &m, error)) return false;
    StrBuf out = {0};
    strbuf_puts(&out, "head,query,key,query_token,key_token,weight\n");
    for (int i = 0; i < m.n; i++)
        for (int q = 0; q < m.queries.axis.n; q++)
            for (int k = 0; k < m.keys.axis.n; k++)
                csv_cell(&out, &m, i, q, k);
    bool ok = file_save(path, out.data, out.n, error);
    strbuf_free(&out);
    return ok;
}

/* ---- the table ---- */

static bool write_trace(const char *path, const ViewInput *input, Arena *arena, Error *error) {
    (void)arena;
    return trace_save(input->trace, path, error);
}

static const struct {
    const char *extension;
    bool (*write)(const char *path, const ViewInput *input, Arena *arena, Error *error);
} formats[] = {
    {".csv", write_csv}, {".json", write_json}, {".npz", write_npz}, {".safetensors", write_trace}};
enum { N_FORMATS = sizeof formats / sizeof *formats };

bool dataexport_is(const char *path) {
    for (int i = 0; i < N_FORMATS; i++)
        if (strcmp(path_extension(path), formats[i].extension) == 0) return true;
    return false;
}

bool dataexport(const char *path, const ViewInput *input, Error *error) {
    if (!input->trace)
        return error_set(error, ERROR_UNSUPPORTED,
                         "%s: this figure is drawn from the model alone; there are no attentions "
                         "to write",
                         path);
    for (int i = 0; i < N_FORMATS; i++) {
        if (strcmp(path_extension(path), formats[i].extension) != 0) continue;
        Arena *arena = arena_new();
        bool ok = formats[i].write(path, input, arena, error);
        arena_free(arena);
        return ok;
    }
    return error_set(error, ERROR_USAGE, "%s: expected .csv, .json, .npz or .safetensors", path);
}
