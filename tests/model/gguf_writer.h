/* A small writer of GGUF files, as llama.cpp's converter writes them.
 *
 *     Gguf g = llama("llama");                  a llama of one layer
 *     key_u32(&g, "split.count", 3);
 *     tensor(&g, "output.weight", 5, 8, 0);
 *     scratch_write("x.gguf", finish(&g));
 */
#ifndef TESTS_MODEL_GGUF_WRITER_H
#define TESTS_MODEL_GGUF_WRITER_H

#include <stdio.h>
#include <string.h>

#include "model/base/str.h"
#include "tests/model/scratch.h"

enum { U32 = 4, F32 = 6, STRING = 8, ARRAY = 9, I32 = 5 };

typedef struct Gguf {
    StrBuf keys, tensors, data;
    uint64_t n_keys, n_tensors;
} Gguf;

static inline void put(StrBuf *out, const void *value, size_t n) {
    strbuf_add(out, value, n);
}

static inline void put_text(StrBuf *out, const char *s) {
    put(out, &(uint64_t){strlen(s)}, 8);
    strbuf_puts(out, s);
}

static inline void key(Gguf *g, const char *name, uint32_t type) {
    put_text(&g->keys, name);
    put(&g->keys, &type, 4);
    g->n_keys++;
}

static inline void key_u32(Gguf *g, const char *name, uint32_t value) {
    key(g, name, U32);
    put(&g->keys, &value, 4);
}

static inline void key_f32(Gguf *g, const char *name, float value) {
    key(g, name, F32);
    put(&g->keys, &value, 4);
}

static inline void key_text(Gguf *g, const char *name, const char *value) {
    key(g, name, STRING);
    put_text(&g->keys, value);
}

static inline void key_texts(Gguf *g, const char *name, const char *const *texts, uint64_t n) {
    key(g, name, ARRAY);
    put(&g->keys, &(uint32_t){STRING}, 4);
    put(&g->keys, &n, 8);
    for (uint64_t i = 0; i < n; i++)
        put_text(&g->keys, texts[i]);
}

static inline void key_numbers(Gguf *g, const char *name, uint32_t type, const void *data,
                               uint64_t n) {
    key(g, name, ARRAY);
    put(&g->keys, &type, 4);
    put(&g->keys, &n, 8);
    put(&g->keys, data, 4 * n);
}

/* rows 0: a vector. offset -1: behind the last tensor. */
static inline void tensor_of(Gguf *g, const char *name, int64_t rows, int64_t cols, uint32_t type,
                             const void *data, size_t n_bytes, int64_t offset) {
    put_text(&g->tensors, name);
    put(&g->tensors, &(uint32_t){rows ? 2 : 1}, 4);
    put(&g->tensors, &cols, 8);
    if (rows) put(&g->tensors, &rows, 8);
    put(&g->tensors, &type, 4);
    if (offset < 0) offset = (int64_t)g->data.n;
    put(&g->tensors, &offset, 8);
    put(&g->data, data, n_bytes);
    while (g->data.n % 32)
        strbuf_putc(&g->data, 0);
    g->n_tensors++;
}

/* F32, counted on from `first`. */
static inline void tensor(Gguf *g, const char *name, int64_t rows, int64_t cols, float first) {
    int64_t n = (rows ? rows : 1) * cols;
    float data[4096];
    for (int64_t i = 0; i < n; i++)
        data[i] = first + (float)i;
    tensor_of(g, name, rows, cols, 0, data, (size_t)n * 4, -1);
}

static inline Str finish(Gguf *g) {
    StrBuf out = {0};
    strbuf_puts(&out, "GGUF");
    put(&out, &(uint32_t){3}, 4);
    put(&out, &g->n_tensors, 8);
    put(&out, &g->n_keys, 8);
    put(&out, g->keys.data, g->keys.n);
    if (g->tensors.n) put(&out, g->tensors.data, g->tensors.n);
    while (out.n % 32)
        strbuf_putc(&out, 0);
    if (g->data.n) put(&out, g->data.data, g->data.n);
    Str bytes = arena_str(scratch_arena(), strbuf_str(&out));
    strbuf_free(&out);
    strbuf_free(&g->keys);
    strbuf_free(&g->tensors);
    strbuf_free(&g->data);
    return bytes;
}

/* A llama of one layer: width 8, 2 heads of 4, 1 key-value head, 5 words. */
static inline Gguf llama(const char *architecture) {
    Gguf g = {0};
    char name[64];
    key_text(&g, "general.architecture", architecture);
    static const struct {
        const char *name;
        uint32_t value;
    } sizes[] = {{"context_length", 16},      {"embedding_length", 8},
                 {"block_count", 1},          {"feed_forward_length", 12},
                 {"attention.head_count", 2}, {"attention.head_count_kv", 1},
                 {"rope.dimension_count", 4}};
    for (int i = 0; i < 7; i++) {
        snprintf(name, sizeof name, "%s.%s", architecture, sizes[i].name);
        key_u32(&g, name, sizes[i].value);
    }
    snprintf(name, sizeof name, "%s.attention.layer_norm_rms_epsilon", architecture);
    key_f32(&g, name, 1e-6f);
    tensor(&g, "token_embd.weight", 5, 8, 0);
    tensor(&g, "output_norm.weight", 0, 8, 100);
    tensor(&g, "blk.0.attn_norm.weight", 0, 8, 200);
    tensor(&g, "blk.0.attn_q.weight", 8, 8, 0);
    tensor(&g, "blk.0.attn_k.weight", 4, 8, 0);
    tensor(&g, "blk.0.attn_v.weight", 4, 8, 0);
    tensor(&g, "blk.0.attn_output.weight", 8, 8, 0);
    tensor(&g, "blk.0.ffn_norm.weight", 0, 8, 300);
    tensor(&g, "blk.0.ffn_gate.weight", 12, 8, 0);
    tensor(&g, "blk.0.ffn_up.weight", 12, 8, 0);
    tensor(&g, "blk.0.ffn_down.weight", 8, 12, 0);
    return g;
}

#endif
