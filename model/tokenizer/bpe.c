/* Symbols are a linked list over the text; candidate pairs wait in a heap. A pair that one of its
 * symbols has left in the meantime is met again at the top of the heap and thrown away. */
#include "model/tokenizer/bpe.h"

#include <stdlib.h>

#include "model/base/utf8.h"
#include "model/tokenizer/sentencepiece.h"

typedef struct Bpe {
    PieceModel base;
    BpeSpec spec;
    int32_t *slots; // [mask + 1] index into merges by hash of (left, right), -1: free
    uint32_t mask;
} Bpe;

typedef struct Symbol {
    int32_t begin, end; /* bytes; begin == end: joined into the one before */
    int32_t id;         /* -1: none */
    int32_t previous, next;
    bool frozen;
} Symbol;

typedef struct Pair {
    double cost; /* rank, or minus the score */
    int32_t left, right;
    int32_t to;
    int32_t n_bytes; /* of both together */
} Pair;

typedef struct Split { /* an UNUSED piece and the pair it came from */
    int32_t begin, middle, end;
} Split;

typedef struct Work {
    const Bpe *model;
    Str text;
    Arena *arena;
    Symbol *symbols;
    int n_symbols;
    Pair *heap;
    int n_heap, heap_capacity;
    Split *splits;
    int n_splits, splits_capacity;
} Work;

static uint32_t pair_hash(int32_t left, int32_t right) {
    uint64_t h = ((uint64_t)(uint32_t)left << 32 | (uint32_t)right) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(h >> 32);
}

static int32_t *merge_slot(const Bpe *model, int32_t left, int32_t right) {
    const BpeMerge *merges = model->spec.merges;
    uint32_t slot = pair_hash(left, right) & model->mask;
    for (;; slot = (slot + 1) & model->mask) {
        int32_t i = model->slots[slot];
        if (i < 0 || (merges[i].left == left && merges[i].right == right))
            return &model->slots[slot];
    }
}

static bool pair_before(const Pair *a, const Pair *b) {
    return a->cost < b->cost || (a->cost == b->cost && a->left < b->left);
}

static void heap_push(Work *w, Pair pair) {
    if (w->n_heap == w->heap_capacity) {
        int capacity = w->heap_capacity * 2;
        Pair *heap = arena_alloc(w->arena, (size_t)capacity * sizeof *heap);
        memcpy(heap, w->heap, (size_t)w->n_heap * sizeof *heap);
        w->heap = heap;
        w->heap_capacity = capacity;
    }
    int at = w->n_heap++;
    for (int parent; at > 0; at = parent) {
        parent = (at - 1) / 2;
        if (!pair_before(&pair, &w->heap[parent])) break;
        w->heap[at] = w->heap[parent];
    }
    w->heap[at] = pair;
}

static Pair heap_pop(Work *w) {
    Pair top = w->heap[0], last = w->heap[--w->n_heap];
    int at = 0;
    for (int child; (child = 2 * at + 1) < w->n_heap; at = child) {
        if (child + 1 < w->n_heap && pair_before(&w->heap[child + 1], &w->heap[child])) child++;
        if (!pair_before(&w->heap[child], &last)) break;
        w->heap[at] = w->heap[child];
    }
    w->heap[at] = last;
    return top;
}

static void remember_split(Work *w, Split split) {
    if (w->n_splits == w->splits_capacity) {
        int capacity = w->splits_capacity ? w->splits_capacity * 2 : 16;
        Split *splits = arena_alloc(w->arena, (size_t)capacity * sizeof *splits);
        if (w->n_splits) memcpy(splits, w->splits, (size_t)w->n_splits * sizeof *splits);
        w->splits = splits;
        w->splits_capacity = capacity;
    }
    w->splits[w->n_splits++] = split;
}

/* May the two be joined? Fills cost and to. */
static bool pair_find(Work *w, int32_t left, int32_t right, Pair *pair) {
    const Symbol *a = &w->symbols[left], *b = &w->symbols[right];
    const BpeSpec *spec = &w->model->spec;
    pair->left = left;
    pair->right = right;
    pair->n_bytes = b->end - a->begin;
    if (spec->merges) {
        if (a->id < 0 || b->id < 0) return false;
        int32_t i = *merge_slot(w->model, a->id, b->id);
        if (i < 0) return false;
        pair->cost = i;
        pair->to = spec->merges[i].to;
        return true;
    }
    if (!spec->scores || a->frozen || b->frozen) return false;
    int32_t id =
        vocabulary_id(spec->vocabulary, str_sub(w->text, (size_t)a->begin, (size_t)b->end));
    if (id < 0) return false;
    if (spec->types[id] == PIECE_UNUSED) remember_split(w, (Split){a->begin, b->begin, b->end});
    pair->cost = -(double)spec->scores[id];
    pair->to = id;
    return true;
}

static void consider(Work *w, int32_t left, int32_t right) {
    Pair pair;
    if (left >= 0 && right >= 0 && pair_find(w, left, right, &pair)) heap_push(w, pair);
}

static bool still_there(Work *w, const Pair *pair) {
    const Symbol *left = &w->symbols[pair->left];
    if (left->begin == left->end || left->next < 0) return false;
    if (w->model->spec.merges) {
        Pair now;
        return pair_find(w, pair->left, left->next, &now) && now.to == pair->to;
    }
    return left->next == pair->right && w->symbols[pair->right].end - left->begin == pair->n_bytes;
}

static void join_all(Work *w) {
    w->heap_capacity = w->n_symbols * 2 + 16;
    w->heap = arena_alloc(w->arena, (size_t)w->heap_capacity * sizeof *w->heap);
    for (int32_t i = 0; i + 1 < w->n_symbols; i++)
        consider(w, i, i + 1);
    while (w->n_heap) {
        Pair pair = heap_pop(w);
        if (!still_there(w, &pair)) continue;
        Symbol *left = &w->symbols[pair.left], *right = &w->symbols[left->next];
        left->end = right->end;
        left->id = pair.to;
        right->begin = right->end;
        left->next = right->next;
        if (left->next >= 0) w->symbols[left->next].previous = pair.left;
        consider(w, left->previous, pair.left);
        consider(w, pair.left, left->next);
    }
}

/* The id of the character text[begin, end) as a symbol, affixes on. */
static int32_t character_id(const Work *w, int32_t begin, int32_t end) {
    const BpeSpec *spec = &w->model->spec;
    bool prefix = spec->prefix.n && begin > 0, suffix = spec->suffix.n && end == (int32_t)w->text.n;
    Str c = str_sub(w->text, (size_t)begin, (size_t)end);
    if (!prefix && !suffix) return vocabulary_id(spec->vocabulary, c);
    const char *name =
        arena_printf(w->arena, "%.*s%.*s%.*s", prefix ? (int)spec->prefix.n : 0, spec->prefix.data,
                     (int)c.n, c.data, suffix ? (int)spec->suffix.n : 0, spec->suffix.data);
    if (c.data[0]) return vocabulary_id(spec->vocabulary, str(name));
    return -1; /* a NUL character: printf would have stopped there */
}

static void add_symbol(Work *w, int32_t begin, int32_t end, int32_t id, bool frozen) {
    int32_t i = w->n_symbols++;
    w->symbols[i] = (Symbol){begin, end, id, i - 1, -1, frozen};
    if (i > 0) w->symbols[i - 1].next = i;
}

/* With merges, what has no id is settled before anything is joined. An unknown character waits for
 * others to fuse with until one with an id comes; bytes do not wait for it (the Rust library's
 * order, merge_word). */
typedef struct Waiting {
    int32_t begin, end; /* begin == end: nothing waits */
} Waiting;

static void flush_unknown(Work *w, Waiting *waiting) {
    int32_t id = w->model->spec.unknown.id;
    if (waiting->begin < waiting->end && id >= 0)
        add_symbol(w, waiting->begin, waiting->end, id, false);
    waiting->begin = waiting->end = 0;
}

static void add_unknown(Work *w, int32_t begin, int32_t end, Waiting *waiting) {
    const Unknown *unknown = &w->model->spec.unknown;
    bool all = unknown->bytes != NULL;
    for (int32_t i = begin; i < end && all; i++)
        all = unknown->bytes[(unsigned char)w->text.data[i]] >= 0;
    for (int32_t i = begin; i < end && all; i++)
        add_symbol(w, i, i + 1, unknown->bytes[(unsigned char)w->text.data[i]], false);
    if (all) return;
    bool fuse = unknown->fuse && waiting->begin < waiting->end;
    if (!fuse) flush_unknown(w, waiting);
    *waiting = (Waiting){fuse ? waiting->begin : begin, end};
}

static void add_characters(Work *w) {
    const BpeSpec *spec = &w->model->spec;
    int32_t n = (int32_t)w->text.n;
    Waiting waiting = {0, 0};
    w->symbols = arena_alloc(w->arena, ((size_t)n + 1) * sizeof *w->symbols);
    for (int32_t at = 0; at < n;) {
        size_t n_bytes;
        int32_t id = spec->frozen ? trie_longest(spec->frozen, w->text, (size_t)at, &n_bytes) : -1;
        bool frozen = id >= 0;
        if (!frozen) {
            utf8_decode(w->text, (size_t)at, &n_bytes);
            id = character_id(w, at, at + (int32_t)n_bytes);
        }
        if (id < 0 && spec->merges) {
            add_unknown(w, at, at + (int32_t)n_bytes, &waiting);
        } else {
            flush_unknown(w, &waiting);
            add_symbol(w, at, at + (int32_t)n_bytes, id, frozen);
        }
        at += (int32_t)n_bytes;
    }
    flush_unknown(w, &waiting);
}

static const Split *find_split(const Work *w, int32_t begin, int32_t end) {
    for (int i = w->n_splits - 1; i >= 0; i--) {
        const Split *s = &w->splits[i];
        if (s->end - s->begin == end - begin &&
            memcmp(w->text.data + s->begin, w->text.data + begin, (size_t)(end - begin)) == 0)
            return s;
    }
    return NULL;
}

/* An UNUSED piece is taken apart again, the way it was found. */
static void write_symbol(Work *w, const Symbol *symbol, Pieces *out, int n_before) {
    const BpeSpec *spec = &w->model->spec;
    bool unused = spec->types && symbol->id >= 0 && spec->types[symbol->id] == PIECE_UNUSED;
    int n = 0, n_bytes = symbol->end - symbol->begin;
    Piece *stack = unused ? arena_alloc(w->arena, ((size_t)n_bytes + 1) * sizeof *stack) : NULL;
    Piece now = {symbol->id, symbol->begin, symbol->end};
    for (;;) {
        bool apart = now.id >= 0 && spec->types && spec->types[now.id] == PIECE_UNUSED;
        const Split *split = apart ? find_split(w, now.begin, now.end) : NULL;
        if (split) {
            int32_t middle = now.begin + split->middle - split->begin;
            stack[n++] = (Piece){0, middle, now.end};
            now.end = middle;
            now.id = vocabulary_id(spec->vocabulary,
                                   str_sub(w->text, (size_t)now.begin, (size_t)now.end));
            continue;
        }
        if (now.id >= 0)
            pieces_add(out, now);
        else
            pieces_add_unknown(out, w->text, now.begin, now.end, &spec->unknown, n_before);
        if (!n) break;
        now = stack[--n];
        now.id =
            vocabulary_id(spec->vocabulary, str_sub(w->text, (size_t)now.begin, (size_t)now.end));
    }
}

static void cut(const PieceModel *base, Str text, Pieces *out) {
    const Bpe *model = (const Bpe *)base;
    if (!text.n) return;
    if (model->spec.whole_first) {
        int32_t id = vocabulary_id(model->spec.vocabulary, text);
        if (id >= 0) {
            pieces_add(out, (Piece){id, 0, (int32_t)text.n});
            return;
        }
    }
    Work w = {.model = model, .text = text, .arena = out->arena};
    add_characters(&w);
    join_all(&w);
    int n_before = out->n;
    for (int32_t i = w.n_symbols ? 0 : -1; i >= 0; i = w.symbols[i].next)
        write_symbol(&w, &w.symbols[i], out, n_before);
}

const PieceModel *bpe_new(const BpeSpec *spec, Arena *arena) {
    Bpe *model = arena_alloc(arena, sizeof *model);
    *model = (Bpe){.base = {"bpe", cut}, .spec = *spec};
    if (!spec->merges) return &model->base;
    model->mask = 63;
    while (model->mask < (uint32_t)spec->n_merges * 2)
        model->mask = model->mask * 2 + 1;
    model->slots = arena_alloc(arena, ((size_t)model->mask + 1) * sizeof *model->slots);
    memset(model->slots, 0xff, ((size_t)model->mask + 1) * sizeof *model->slots);
    for (int i = 0; i < spec->n_merges; i++)
        *merge_slot(model, spec->merges[i].left, spec->merges[i].right) = i;
    return &model->base;
}

bool bpe_merge(const Vocabulary *v, Str prefix, Str left, Str right, BpeMerge *out) {
    char buffer[512];
    size_t skip = prefix.n && str_starts(right, prefix.data) ? prefix.n : 0;
    size_t n = left.n + right.n - skip;
    char *joined = n <= sizeof buffer ? buffer : malloc(n);
    if (!joined) return false;
    memcpy(joined, left.data, left.n);
    memcpy(joined + left.n, right.data + skip, right.n - skip);
    *out = (BpeMerge){vocabulary_id(v, left), vocabulary_id(v, right),
                      vocabulary_id(v, (Str){joined, n})};
    if (joined != buffer) free(joined);
    return out->left >= 0 && out->right >= 0 && out->to >= 0;
}

const int32_t *bpe_byte_ids(const Vocabulary *v, Arena *arena) {
    int32_t *ids = arena_alloc(arena, 256 * sizeof *ids);
    for (int b = 0; b < 256; b++)
        ids[b] = vocabulary_id(v, str(arena_printf(arena, "<0x%02X>", b)));
    return ids;
}
