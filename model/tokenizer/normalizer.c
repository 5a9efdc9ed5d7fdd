#include "model/tokenizer/normalizer.h"

Aligned normalizer_apply(const Normalizer *normalizer, Aligned text, Arena *arena) {
    for (int i = 0; i < normalizer->n; i++)
        text = normalizer->steps[i].apply(&normalizer->steps[i], text, arena);
    return text;
}
