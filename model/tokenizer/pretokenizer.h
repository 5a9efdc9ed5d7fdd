/* Cutting a normalised text into the stretches that the piece model sees one by one.
 *
 *     Splits splits = splits_of(text, arena);
 *     pretokenizer_apply(&pipeline->pretokenizer, &splits);
 *     splits.items[i]                                     never empty, in order
 *
 * Steps are tokenizer.json's pre-tokenizers. Source: tokenizers/src/pre_tokenizers/, and
 * normalizer.rs (NormalizedString::split) for what becomes of the delimiters.
 */
#ifndef MODEL_TOKENIZER_PRETOKENIZER_H
#define MODEL_TOKENIZER_PRETOKENIZER_H

#include <stdbool.h>

#include "model/tokenizer/aligned.h"
#include "model/tokenizer/regex.h"

typedef struct Splits {
    Aligned *items;
    int n, capacity;
    Arena *arena;
} Splits;

typedef enum SplitBehavior {
    SPLIT_REMOVED,
    SPLIT_ISOLATED,
    SPLIT_CONTIGUOUS,
    SPLIT_MERGED_WITH_PREVIOUS,
    SPLIT_MERGED_WITH_NEXT,
} SplitBehavior;

typedef enum PrependScheme { PREPEND_ALWAYS, PREPEND_FIRST, PREPEND_NEVER } PrependScheme;

typedef struct PreTokenizerStep PreTokenizerStep;
struct PreTokenizerStep {
    /* One stretch in, any number out. */
    void (*apply)(const PreTokenizerStep *step, Aligned in, Splits *out);
    const Regex *pattern;
    bool (*is_match)(uint32_t c);
    SplitBehavior behavior;
    bool invert;
    Str mark; /* Metaspace: what a space becomes */
    PrependScheme prepend;
    bool split, prefix_space;
};

typedef struct PreTokenizer {
    const PreTokenizerStep *steps; // [n]
    int n;
} PreTokenizer;

Splits splits_of(Aligned text, Arena *arena);
void splits_add(Splits *splits, Aligned text);
void pretokenizer_apply(const PreTokenizer *pretokenizer, Splits *splits);

PreTokenizerStep pretokenizer_pattern(const Regex *pattern, SplitBehavior behavior, bool invert);
PreTokenizerStep pretokenizer_class(bool (*is_match)(uint32_t c), SplitBehavior behavior);
PreTokenizerStep pretokenizer_metaspace(Str mark, PrependScheme prepend, bool split);
/* A space before the text if it has none; needs pattern (GPT-2's) to cut by, NULL: no cut. */
PreTokenizerStep pretokenizer_bytes(bool prefix_space, const Regex *pattern);

/* GPT-2's own pattern. */
extern const char pretokenizer_gpt2_pattern[];

#endif
