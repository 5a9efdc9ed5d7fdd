/* The piece model that a SentencePiece file asks for. */
#include "model/tokenizer/bpe.h"
#include "model/tokenizer/sentencepiece.h"
#include "model/tokenizer/unigram.h"

#include <float.h>
#include <stdlib.h>

/* Ids of "<0x00>" ... "<0xFF>", or NULL without byte fallback. */
static const int32_t *byte_ids(const SentencePiece *sp, Arena *arena) {
    if (!sp->byte_fallback) return NULL;
    int32_t *ids = arena_alloc(arena, 256 * sizeof *ids);
    for (int b = 0; b < 256; b++)
        ids[b] = -1;
    for (int i = 0; i < sp->n; i++) {
        Str label = sp->labels[i];
        if (sp->types[i] != PIECE_BYTE || label.n != 6) continue;
        char digits[3] = {label.data[3], label.data[4], 0}, *end;
        long b = strtol(digits, &end, 16);
        if (end == digits + 2 && b >= 0) ids[b] = i;
    }
    return ids;
}

static const PieceModel *unigram(const SentencePiece *sp, const Unknown *unknown, Arena *arena) {
    Arena *scratch = arena_new();
    float least = FLT_MAX, most = FLT_MIN; /* so in SentencePiece: scores are below it */
    for (int i = 0; i < sp->n; i++) {
        if (sp->types[i] != PIECE_NORMAL) continue;
        least = sp->scores[i] < least ? sp->scores[i] : least;
        most = sp->scores[i] > most ? sp->scores[i] : most;
    }
    Str *labels = arena_calloc(scratch, (size_t)sp->n, sizeof *labels);
    double *scores = arena_calloc(scratch, (size_t)sp->n, sizeof *scores);
    for (int i = 0; i < sp->n; i++) {
        bool user = sp->types[i] == PIECE_USER_DEFINED;
        if (!user && sp->types[i] != PIECE_NORMAL) continue;
        labels[i] = sp->labels[i];
        /* User-defined pieces win over whatever their characters would make. */
        scores[i] = user ? (double)((float)sp->labels[i].n * most) - 0.1 : (double)sp->scores[i];
    }
    UnigramSpec spec = {.n = sp->n,
                        .labels = labels,
                        .scores = scores,
                        .unknown_score = (double)(least - 10.0f),
                        .unknown = *unknown,
                        .single = true};
    const PieceModel *model = unigram_new(&spec, arena);
    arena_free(scratch);
    return model;
}

static const PieceModel *bpe(const SentencePiece *sp, const Unknown *unknown, Arena *arena,
                             Error *error) {
    Vocabulary *vocabulary = arena_alloc(arena, sizeof *vocabulary);
    *vocabulary = vocabulary_new(arena, sp->n);
    for (int i = 0; i < sp->n; i++) {
        PieceType type = (PieceType)sp->types[i];
        bool text = type == PIECE_NORMAL || type == PIECE_USER_DEFINED || type == PIECE_UNUSED;
        if (text && !vocabulary_set(vocabulary, i, sp->labels[i], error)) return NULL;
    }
    BpeSpec spec = {.vocabulary = vocabulary,
                    .unknown = *unknown,
                    .scores = sp->model == SENTENCEPIECE_BPE ? sp->scores : NULL,
                    .types = sp->types,
                    .frozen = sp->n_user_defined ? &sp->user_defined : NULL};
    return bpe_new(&spec, arena);
}

bool sentencepiece_model(const SentencePiece *sp, Arena *arena, const PieceModel **out,
                         Error *error) {
    Unknown unknown = {sp->unknown, true, byte_ids(sp, arena)};
    if (sp->model == SENTENCEPIECE_WORD)
        return error_set(error, ERROR_UNSUPPORTED,
                         "a SentencePiece model of type word; unigram, bpe and char are read");
    *out = sp->model == SENTENCEPIECE_UNIGRAM ? unigram(sp, &unknown, arena)
                                              : bpe(sp, &unknown, arena, error);
    return *out != NULL;
}
