#include "model/tokenizer/pretokenizer.h"

#include "model/base/utf8.h"
#include "model/tokenizer/bytelevel.h"

const char pretokenizer_gpt2_pattern[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

void splits_add(Splits *splits, Aligned text) {
    if (!text.n) return;
    if (splits->n == splits->capacity) {
        int capacity = splits->capacity ? splits->capacity * 2 : 64;
        Aligned *items = arena_alloc(splits->arena, (size_t)capacity * sizeof *items);
        if (splits->n) memcpy(items, splits->items, (size_t)splits->n * sizeof *items);
        splits->items = items;
        splits->capacity = capacity;
    }
    splits->items[splits->n++] = text;
}

Splits splits_of(Aligned text, Arena *arena) {
    Splits splits = {.arena = arena};
    splits_add(&splits, text);
    return splits;
}

void pretokenizer_apply(const PreTokenizer *pretokenizer, Splits *splits) {
    for (int i = 0; i < pretokenizer->n; i++) {
        Splits next = {.arena = splits->arena};
        for (int k = 0; k < splits->n; k++)
            pretokenizer->steps[i].apply(&pretokenizer->steps[i], splits->items[k], &next);
        *splits = next;
    }
}

/* A text as a row of matches and what lies between, put out as the behavior says. */
typedef struct Cutter {
    Aligned text;
    Splits *out;
    SplitBehavior behavior;
    bool invert;
    bool before;        /* was the last stretch a match? */
    int32_t begin, end; /* a stretch that may still grow */
} Cutter;

static void flush(Cutter *cutter) {
    splits_add(cutter->out, aligned_sub(cutter->text, cutter->begin, cutter->end));
    cutter->begin = cutter->end;
}

/* An empty match cuts too. */
static void stretch(Cutter *cutter, int32_t begin, int32_t end, bool match) {
    if (begin == end && !match) return;
    match = match != cutter->invert;
    bool grow = false;
    switch (cutter->behavior) {
    case SPLIT_REMOVED:
    case SPLIT_ISOLATED:
        break;
    case SPLIT_CONTIGUOUS:
        grow = match == cutter->before;
        break;
    case SPLIT_MERGED_WITH_PREVIOUS:
        grow = match && !cutter->before;
        break;
    /* A delimiter waits for what follows; only the last of several is merged. */
    case SPLIT_MERGED_WITH_NEXT:
        grow = !match && cutter->before;
        break;
    }
    if (!grow) flush(cutter);
    bool removed = cutter->behavior == SPLIT_REMOVED && match;
    if (removed || cutter->begin == cutter->end) cutter->begin = begin;
    cutter->end = end;
    if (removed) cutter->begin = end;
    cutter->before = match;
}

static void cut_pattern(const PreTokenizerStep *step, Aligned in, Splits *out) {
    Cutter cutter = {.text = in, .out = out, .behavior = step->behavior, .invert = step->invert};
    RegexSearch *search = regex_search(step->pattern, aligned_str(in), out->arena);
    int32_t begin, end, at = 0;
    while (regex_next(search, &begin, &end)) {
        stretch(&cutter, at, begin, false);
        stretch(&cutter, begin, end, true);
        at = end;
    }
    stretch(&cutter, at, in.n, false);
    flush(&cutter);
}

PreTokenizerStep pretokenizer_pattern(const Regex *pattern, SplitBehavior behavior, bool invert) {
    return (PreTokenizerStep){
        .apply = cut_pattern, .pattern = pattern, .behavior = behavior, .invert = invert};
}

static void cut_class(const PreTokenizerStep *step, Aligned in, Splits *out) {
    Cutter cutter = {.text = in, .out = out, .behavior = step->behavior};
    size_t at = 0, n;
    for (size_t i = 0; i < (size_t)in.n; i += n) {
        if (!step->is_match(utf8_decode(aligned_str(in), i, &n))) continue;
        stretch(&cutter, (int32_t)at, (int32_t)i, false);
        stretch(&cutter, (int32_t)i, (int32_t)(i + n), true);
        at = i + n;
    }
    stretch(&cutter, (int32_t)at, in.n, false);
    flush(&cutter);
}

PreTokenizerStep pretokenizer_class(bool (*is_match)(uint32_t c), SplitBehavior behavior) {
    return (PreTokenizerStep){.apply = cut_class, .is_match = is_match, .behavior = behavior};
}

static void metaspace(const PreTokenizerStep *step, Aligned in, Splits *out) {
    AlignedBuf buf = aligned_buf(out->arena, in.n + in.n / 2 + 4);
    bool marked = in.data[0] == ' ' || (step->mark.n && (size_t)in.n >= step->mark.n &&
                                        memcmp(in.data, step->mark.data, step->mark.n) == 0);
    bool wanted = step->prepend == PREPEND_ALWAYS ||
                  (step->prepend == PREPEND_FIRST && in.spans[0].begin == 0);
    if (wanted && !marked) aligned_put(&buf, step->mark, in.spans[0]);
    for (int32_t i = 0; i < in.n; i++) {
        if (in.data[i] == ' ')
            aligned_put(&buf, step->mark, in.spans[i]);
        else
            aligned_copy(&buf, in, i, i + 1);
    }
    Aligned text = aligned_view(&buf);
    int32_t begin = 0;
    for (int32_t i = 1; step->split && step->mark.n && i + (int32_t)step->mark.n <= text.n; i++) {
        if (memcmp(text.data + i, step->mark.data, step->mark.n) != 0) continue;
        splits_add(out, aligned_sub(text, begin, i));
        begin = i;
    }
    splits_add(out, aligned_sub(text, begin, text.n));
}

PreTokenizerStep pretokenizer_metaspace(Str mark, PrependScheme prepend, bool split) {
    return (PreTokenizerStep){.apply = metaspace, .mark = mark, .prepend = prepend, .split = split};
}

static void bytes(const PreTokenizerStep *step, Aligned in, Splits *out) {
    if (step->prefix_space && in.data[0] != ' ') {
        AlignedBuf buf = aligned_buf(out->arena, in.n + 1);
        aligned_put(&buf, str(" "), in.spans[0]);
        aligned_copy(&buf, in, 0, in.n);
        in = aligned_view(&buf);
    }
    int first = out->n;
    if (step->pattern)
        cut_pattern(step, in, out);
    else
        splits_add(out, in);
    for (int i = first; i < out->n; i++)
        out->items[i] = bytelevel_chars(out->items[i], out->arena);
}

PreTokenizerStep pretokenizer_bytes(bool prefix_space, const Regex *pattern) {
    return (PreTokenizerStep){.apply = bytes,
                              .pattern = pattern,
                              .behavior = SPLIT_ISOLATED,
                              .prefix_space = prefix_space};
}
