/* NFC, NFD, NFKC, NFKD with a span for every character.
 *
 * Each character read is decomposed (utf8proc), marks are put in order, and for the composed forms
 * neighbours are joined again: Unicode Standard Annex 15. `change` is what Rewrite wants to know:
 * 0 for a character that takes the place of one that was read, 1 for one that came beside it;
 * joining two adds up, so that the composed character knows how many it swallowed. */
#include <utf8proc.h>

#include "model/base/utf8.h"
#include "model/tokenizer/normalizer.h"

typedef struct Item {
    uint32_t c;
    int change;
    int class; /* canonical combining class; 0: a starter */
} Item;

static int combining_class(uint32_t c) {
    return utf8proc_get_property((utf8proc_int32_t)c)->combining_class;
}

static int decompose(Aligned in, bool compatible, Item **items, Arena *arena) {
    enum { LONGEST = 32 }; /* no character becomes more than 18 */
    int n = 0, capacity = in.n + LONGEST;
    *items = arena_alloc(arena, (size_t)capacity * sizeof **items);
    utf8proc_option_t options = UTF8PROC_DECOMPOSE | (compatible ? UTF8PROC_COMPAT : 0);
    for (size_t at = 0, length; at < (size_t)in.n; at += length) {
        uint32_t c = utf8_decode(aligned_str(in), at, &length);
        utf8proc_int32_t parts[LONGEST];
        int boundary = 0;
        utf8proc_ssize_t n_parts =
            utf8proc_decompose_char((utf8proc_int32_t)c, parts, LONGEST, options, &boundary);
        if (n_parts < 1 || n_parts > LONGEST) {
            parts[0] = (utf8proc_int32_t)c;
            n_parts = 1;
        }
        if (n + LONGEST > capacity) {
            Item *larger = arena_alloc(arena, (size_t)capacity * 2 * sizeof *larger);
            memcpy(larger, *items, (size_t)n * sizeof *larger);
            *items = larger;
            capacity *= 2;
        }
        for (int i = 0; i < n_parts; i++)
            (*items)[n++] = (Item){(uint32_t)parts[i], i > 0, combining_class((uint32_t)parts[i])};
    }
    return n;
}

/* Marks behind one starter by class, equal ones as they came: a counting sort, so that a long row
 * of marks takes no longer than it must. */
static void order_run(Item *items, int n, Arena *arena) {
    int at[256] = {0}, sum = 0;
    Item *sorted = arena_alloc(arena, (size_t)n * sizeof *sorted);
    for (int i = 0; i < n; i++)
        at[items[i].class & 255]++;
    for (int class = 0; class < 256; class ++) {
        int count = at[class];
        at[class] = sum;
        sum += count;
    }
    for (int i = 0; i < n; i++)
        sorted[at[items[i].class & 255]++] = items[i];
    memcpy(items, sorted, (size_t)n * sizeof *items);
}

static void order_marks(Item *items, int n, Arena *arena) {
    for (int begin = 0, end; begin < n; begin = end) {
        bool in_order = true;
        for (end = begin + 1; end < n && items[begin].class && items[end].class; end++)
            in_order = in_order && items[end - 1].class <= items[end].class;
        if (!in_order) order_run(items + begin, end - begin, arena);
    }
}

/* The character that the two make together, 0 if none. */
static uint32_t join(uint32_t a, uint32_t b) {
    if (a < 0x80 && b < 0x80) return 0;
    utf8proc_int32_t pair[2] = {(utf8proc_int32_t)a, (utf8proc_int32_t)b};
    utf8proc_ssize_t n = utf8proc_normalize_utf32(pair, 2, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    return n == 1 ? (uint32_t)pair[0] : 0;
}

static int compose(Item *items, int n) {
    int n_out = 0, starter = -1, last_class = 0;
    for (int i = 0; i < n; i++) {
        Item item = items[i];
        /* Blocked by a mark of the same or a higher class between it and the starter. */
        bool blocked = starter < 0 || (n_out - 1 > starter && last_class >= item.class) ||
                       (n_out - 1 > starter && !item.class);
        uint32_t joined = blocked ? 0 : join(items[starter].c, item.c);
        if (joined) {
            items[starter].c = joined;
            items[starter].change += item.change - 1;
            continue;
        }
        if (!item.class) starter = n_out;
        last_class = item.class;
        items[n_out++] = item;
    }
    return n_out;
}

static Aligned apply(const NormalizerStep *step, Aligned in, Arena *arena) {
    bool ascii = true;
    for (int32_t i = 0; i < in.n && ascii; i++)
        ascii = (unsigned char)in.data[i] < 0x80;
    if (ascii) return in;
    Item *items;
    int n = decompose(in, step->compatible, &items, arena);
    order_marks(items, n, arena);
    if (step->compose) n = compose(items, n);
    Rewrite out = rewrite_begin(in, arena);
    for (int i = 0; i < n; i++)
        rewrite_put(&out, items[i].c, items[i].change);
    return aligned_view(&out.out);
}

NormalizerStep normalizer_unicode(bool compose_, bool compatible) {
    return (NormalizerStep){.apply = apply, .compose = compose_, .compatible = compatible};
}
