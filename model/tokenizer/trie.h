/* Prefix search: which of a set of keys begin at a place in a text.
 *
 *     Trie trie = trie_build(keys, n_keys, arena);
 *     int32_t node = TRIE_ROOT;
 *     for (size_t i = at; i < text.n && (node = trie_step(&trie, node, text.data[i])) >= 0; i++)
 *         if (trie_key(&trie, node) >= 0) ...             keys[trie_key] ends after byte i
 *
 * Keys without data are left out; of equal keys the last one counts.
 */
#ifndef MODEL_TOKENIZER_TRIE_H
#define MODEL_TOKENIZER_TRIE_H

#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/str.h"

enum { TRIE_ROOT = 0 };

typedef struct TrieEdge {
    uint32_t from; /* parent * 256 + byte; UINT32_MAX: free */
    int32_t to;
} TrieEdge;

typedef struct Trie {
    TrieEdge *edges; // [mask + 1], by hash
    uint32_t mask;
    int32_t *keys; // [node], -1: no key ends here
    int32_t n_nodes;
    int32_t first[256]; /* the root's children, -1: none */
} Trie;

Trie trie_build(const Str *keys, int n_keys, Arena *arena);

static inline uint32_t trie_hash(uint32_t from) {
    uint32_t h = from * 0x9e3779b1u;
    return h ^ h >> 15;
}

/* The child of a node, -1 if there is none. */
static inline int32_t trie_step(const Trie *trie, int32_t node, char byte) {
    if (node == TRIE_ROOT) return trie->first[(unsigned char)byte];
    uint32_t from = (uint32_t)node << 8 | (unsigned char)byte;
    for (uint32_t slot = trie_hash(from) & trie->mask;; slot = (slot + 1) & trie->mask) {
        if (trie->edges[slot].from == from) return trie->edges[slot].to;
        if (trie->edges[slot].from == UINT32_MAX) return -1;
    }
}
static inline int32_t trie_key(const Trie *trie, int32_t node) {
    return trie->keys[node];
}

/* The longest key that begins at text[at]; -1: none. *n_bytes its length. */
int32_t trie_longest(const Trie *trie, Str text, size_t at, size_t *n_bytes);

#endif
