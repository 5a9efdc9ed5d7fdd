/* The strings of a vocabulary and their ids, both ways.
 *
 *     Vocabulary v = vocabulary_new(arena, 32000);
 *     if (!vocabulary_set(&v, 17, label, &error)) ...      refuses negative and absurd ids
 *     int32_t id = vocabulary_id(&v, str("▁the"));          -1: not there
 *
 * Ids may have holes. Where a label comes twice, the later id is found by it, as in a Python dict.
 * Labels are borrowed: they must live as long as the arena. vocabulary_keep() copies one.
 */
#ifndef MODEL_TOKENIZER_VOCABULARY_H
#define MODEL_TOKENIZER_VOCABULARY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/base/str.h"

enum { VOCABULARY_MAX_ID = 1 << 20 };

typedef enum VocabularyFlag {
    VOCABULARY_SPECIAL = 1, /* left out by a decoding that skips special tokens */
    VOCABULARY_TAG = 2,     /* says what to do, not what is said: >>fra<<, fr_XX, <|en|> */
    VOCABULARY_ADDED = 4,   /* cut from the text before anything else is */
} VocabularyFlag;

typedef struct Vocabulary {
    Arena *arena;
    Str *labels;    // [capacity]; data NULL: no such id
    uint8_t *flags; // [capacity] VocabularyFlag
    int n_ids;      /* greatest id + 1 */
    int capacity;
    int32_t *slots; // [n_slots] ids by hash; -1: free
    uint32_t n_slots;
    int n_labels;
    char *pool; /* room for labels, 64 KB at a time */
    size_t n_pool;
} Vocabulary;

Vocabulary vocabulary_new(Arena *arena, int n_expected);
/* Room for ids up to n - 1, at once. */
void vocabulary_reserve(Vocabulary *vocabulary, int n);
bool vocabulary_set(Vocabulary *vocabulary, int64_t id, Str label, Error *error);
/* A copy of the label that lives as long as the vocabulary, a NUL behind it. */
Str vocabulary_keep(Vocabulary *vocabulary, Str label);
int32_t vocabulary_id(const Vocabulary *vocabulary, Str label);
/* Another one with the same entries. */
Vocabulary vocabulary_copy(const Vocabulary *vocabulary);
/* {NULL, 0}: none. */
static inline Str vocabulary_label(const Vocabulary *vocabulary, int32_t id) {
    return id >= 0 && id < vocabulary->n_ids ? vocabulary->labels[id] : (Str){NULL, 0};
}
static inline unsigned vocabulary_flags(const Vocabulary *vocabulary, int32_t id) {
    return id >= 0 && id < vocabulary->n_ids ? vocabulary->flags[id] : 0;
}
/* No effect on ids that are not there. */
static inline void vocabulary_mark(Vocabulary *vocabulary, int32_t id, unsigned flags) {
    if (id >= 0 && id < vocabulary->n_ids) vocabulary->flags[id] |= (uint8_t)flags;
}

#endif
