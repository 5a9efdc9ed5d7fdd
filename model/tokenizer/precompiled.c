/* The charsmap of a SentencePiece model as the Rust library applies it: grapheme by grapheme, the
 * first entry that begins one replaces the whole of it (tokenizers/src/normalizers/precompiled.rs).
 * Where sentencepiece itself takes the longest entry at each place, results differ now and then; a
 * tokenizer.json means this one. */
#include <utf8proc.h>

#include "model/base/utf8.h"
#include "model/tokenizer/normalizer.h"

typedef struct Item {
    uint32_t c;
    int change;
} Item;

typedef struct Items {
    Item *items;
    int n, capacity;
    Arena *arena;
} Items;

static void add(Items *items, Item item) {
    if (items->n == items->capacity) {
        int capacity = items->capacity * 2 + 64;
        Item *larger = arena_alloc(items->arena, (size_t)capacity * sizeof *larger);
        if (items->n) memcpy(larger, items->items, (size_t)items->n * sizeof *larger);
        items->items = larger;
        items->capacity = capacity;
    }
    items->items[items->n++] = item;
}

static void replace(Items *items, Str from, Str to) {
    int n_from = (int)utf8_count(from), n_to = 0;
    for (size_t at = 0, n; at < to.n; at += n, n_to++)
        add(items, (Item){utf8_decode(to, at, &n), n_to >= n_from});
    if (n_to < n_from && items->n) items->items[items->n - 1].change += n_to - n_from;
}

/* Where the grapheme that begins at `at` ends. */
static size_t grapheme_end(Str text, size_t at) {
    size_t n, end = at;
    utf8proc_int32_t state = 0;
    uint32_t before = utf8_decode(text, at, &n);
    for (end += n; end < text.n; end += n) {
        uint32_t c = utf8_decode(text, end, &n);
        if (utf8proc_grapheme_break_stateful((utf8proc_int32_t)before, (utf8proc_int32_t)c, &state))
            break;
        before = c;
    }
    return end;
}

static Aligned apply(const NormalizerStep *step, Aligned in, Arena *arena) {
    Str text = aligned_str(in), to;
    Items items = {.arena = arena};
    bool changed = false;
    for (size_t at = 0, end; at < text.n; at = end) {
        end = grapheme_end(text, at);
        Str grapheme = str_sub(text, at, end);
        if (grapheme.n < 6 && charsmap_shortest(&step->charsmap, grapheme, &to)) {
            replace(&items, grapheme, to);
            changed = true;
            continue;
        }
        for (size_t i = at, n; i < end; i += n) {
            uint32_t c = utf8_decode(text, i, &n);
            Str part = str_sub(text, i, i + n);
            if (charsmap_shortest(&step->charsmap, part, &to)) {
                replace(&items, part, to);
                changed = true;
            } else {
                add(&items, (Item){c, 0});
            }
        }
    }
    if (!changed) return in;
    Rewrite out = rewrite_begin(in, arena);
    for (int i = 0; i < items.n; i++)
        rewrite_put(&out, items.items[i].c, items.items[i].change);
    return aligned_view(&out.out);
}

NormalizerStep normalizer_precompiled(Charsmap charsmap) {
    return (NormalizerStep){.apply = apply, .charsmap = charsmap};
}
