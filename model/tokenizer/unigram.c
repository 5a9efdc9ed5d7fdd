#include "model/tokenizer/unigram.h"

#include "model/base/utf8.h"
#include "model/tokenizer/trie.h"

typedef struct Unigram {
    PieceModel base;
    UnigramSpec spec;
    double *scores; // [n]
    Trie trie;
} Unigram;

typedef struct Best {
    double score;
    int32_t begin; /* of the last piece of the best cut that ends here; -1: none yet */
    int32_t id;    /* that piece; -1: unknown */
} Best;

static void offer(Best *best, double score, int32_t begin, int32_t id, bool single) {
    if (best->begin >= 0 && !(score > best->score)) return;
    *best = (Best){single ? (double)(float)score : score, begin, id};
}

/* All pieces that begin at `begin`, where a best cut of text[0, begin) is known. */
static void extend(const Unigram *model, Str text, int32_t begin, int32_t char_end, Best *best) {
    bool single = model->spec.single, covered = false;
    double here = best[begin].score;
    int32_t node = TRIE_ROOT;
    for (int32_t i = begin; i < (int32_t)text.n; i++) {
        node = trie_step(&model->trie, node, text.data[i]);
        if (node < 0) break;
        int32_t id = trie_key(&model->trie, node);
        if (id < 0) continue;
        offer(&best[i + 1], here + model->scores[id], begin, id, single);
        covered = covered || i + 1 == char_end;
    }
    if (covered) return;
    double score = here + model->spec.unknown_score;
    offer(&best[char_end], single ? (double)(float)score : score, begin, -1, single);
}

static void cut(const PieceModel *base, Str text, Pieces *out) {
    const Unigram *model = (const Unigram *)base;
    int32_t n = (int32_t)text.n;
    if (!n) return;
    Best *best = arena_alloc(out->arena, ((size_t)n + 1) * sizeof *best);
    for (int32_t i = 0; i <= n; i++)
        best[i] = (Best){0, -1, -1};
    best[0].begin = 0;
    for (int32_t at = 0; at < n;) {
        size_t n_bytes;
        utf8_decode(text, (size_t)at, &n_bytes);
        extend(model, text, at, at + (int32_t)n_bytes, best);
        at += (int32_t)n_bytes;
    }
    /* Backwards: link each end to the one after it, then write them in order. */
    int32_t next = -1;
    for (int32_t end = n; end > 0;) {
        int32_t begin = best[end].begin;
        best[end].begin = next; /* from here on: where the next piece ends */
        next = end;
        end = begin;
    }
    int n_before = out->n;
    /* "<unk>" as it stands in the text is one with what is unknown beside it */
    const Unknown literal = {.id = model->spec.unknown.id, .fuse = model->spec.unknown.fuse};
    for (int32_t begin = 0, end = next; end > 0; begin = end, end = best[end].begin) {
        if (best[end].id == literal.id && literal.fuse)
            pieces_add_unknown(out, text, begin, end, &literal, n_before);
        else if (best[end].id >= 0)
            pieces_add(out, (Piece){best[end].id, begin, end});
        else
            pieces_add_unknown(out, text, begin, end, &model->spec.unknown, n_before);
    }
}

const PieceModel *unigram_new(const UnigramSpec *spec, Arena *arena) {
    Unigram *model = arena_alloc(arena, sizeof *model);
    size_t n_bytes = (size_t)spec->n * sizeof *spec->scores;
    *model = (Unigram){.base = {"unigram", cut},
                       .spec = *spec,
                       .scores = memcpy(arena_alloc(arena, n_bytes), spec->scores, n_bytes),
                       .trie = trie_build(spec->labels, spec->n, arena)};
    model->spec.labels = NULL;
    model->spec.scores = NULL;
    return &model->base;
}
