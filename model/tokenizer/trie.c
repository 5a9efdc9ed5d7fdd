/* Nodes are numbered as they are made; the edges of all of them lie in one hash table by
 * (parent, byte). Only the final tables are taken from the arena. */
#include "model/tokenizer/trie.h"

#include <stdlib.h>

enum { MAX_NODES = 1 << 24 }; /* a node and a byte share 32 bits */

static void insert_edge(Trie *trie, uint32_t from, int32_t to) {
    uint32_t slot = trie_hash(from) & trie->mask;
    while (trie->edges[slot].from != UINT32_MAX)
        slot = (slot + 1) & trie->mask;
    trie->edges[slot] = (TrieEdge){from, to};
}

static void grow(Trie *trie, Arena *scratch) {
    Trie old = *trie;
    trie->mask = old.mask * 2 + 1;
    trie->edges = arena_alloc(scratch, ((size_t)trie->mask + 1) * sizeof *trie->edges);
    memset(trie->edges, 0xff, ((size_t)trie->mask + 1) * sizeof *trie->edges);
    for (uint32_t i = 0; i <= old.mask; i++)
        if (old.edges[i].from != UINT32_MAX) insert_edge(trie, old.edges[i].from, old.edges[i].to);
    size_t n_keys = ((size_t)trie->mask + 1) / 2;
    trie->keys = arena_alloc(scratch, n_keys * sizeof *trie->keys);
    if (old.keys) memcpy(trie->keys, old.keys, (size_t)old.n_nodes * sizeof *trie->keys);
}

static void insert(Trie *trie, Str key, int32_t value, Arena *scratch) {
    int32_t node = TRIE_ROOT;
    for (size_t i = 0; i < key.n; i++) {
        int32_t next = trie_step(trie, node, key.data[i]);
        if (next < 0) {
            if (trie->n_nodes >= MAX_NODES) return;
            if ((uint32_t)trie->n_nodes + 1 >= (trie->mask + 1) / 2) grow(trie, scratch);
            next = trie->n_nodes++;
            trie->keys[next] = -1;
            if (node == TRIE_ROOT) trie->first[(unsigned char)key.data[i]] = next;
            insert_edge(trie, (uint32_t)node << 8 | (unsigned char)key.data[i], next);
        }
        node = next;
    }
    if (node != TRIE_ROOT) trie->keys[node] = value;
}

Trie trie_build(const Str *keys, int n_keys, Arena *arena) {
    Arena *scratch = arena_new();
    TrieEdge none = {UINT32_MAX, -1};
    Trie trie = {.edges = &none, .mask = 0, .n_nodes = 0};
    for (int i = 0; i < 256; i++)
        trie.first[i] = -1;
    while (trie.mask < 63)
        grow(&trie, scratch);
    trie.keys[TRIE_ROOT] = -1;
    trie.n_nodes = 1;
    for (int i = 0; i < n_keys; i++)
        if (keys[i].data) insert(&trie, keys[i], i, scratch);
    size_t n_edges = ((size_t)trie.mask + 1) * sizeof *trie.edges;
    trie.edges = memcpy(arena_alloc(arena, n_edges), trie.edges, n_edges);
    size_t n_bytes = (size_t)trie.n_nodes * sizeof *trie.keys;
    trie.keys = memcpy(arena_alloc(arena, n_bytes), trie.keys, n_bytes);
    arena_free(scratch);
    return trie;
}

int32_t trie_longest(const Trie *trie, Str text, size_t at, size_t *n_bytes) {
    int32_t found = -1, node = TRIE_ROOT;
    for (size_t i = at; i < text.n; i++) {
        node = trie_step(trie, node, text.data[i]);
        if (node < 0) break;
        if (trie->keys[node] >= 0) {
            found = trie->keys[node];
            *n_bytes = i + 1 - at;
        }
    }
    return found;
}
