/* Where special tokens go: a row of items that are special tokens or one of the two texts.
 *
 *     [CLS] A [SEP] B [SEP]        A </s>        <language> A </s>
 */
#ifndef MODEL_TOKENIZER_TEMPLATE_H
#define MODEL_TOKENIZER_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"

typedef enum TemplateKind {
    TEMPLATE_FIRST,
    TEMPLATE_SECOND,
    TEMPLATE_TOKEN,
    TEMPLATE_LANGUAGE, /* the language that the text is in */
} TemplateKind;

typedef struct TemplateItem {
    TemplateKind kind;
    int32_t id; /* of TEMPLATE_TOKEN; -1 is left out */
    int type;   /* token_type_ids */
} TemplateItem;

typedef struct Template {
    const TemplateItem *items; // [n]
    int n;                     /* 0: the texts one behind the other */
} Template;

/* [CLS] A [SEP] B [SEP]; roberta: two separators between, all of type 0. */
void template_bert(int32_t cls, int32_t sep, bool roberta, Arena *arena, Template *single,
                   Template *pair);
/* before A after, before A B after. NULL: nothing there. */
void template_around(const TemplateItem *before, const TemplateItem *after, Arena *arena,
                     Template *single, Template *pair);
/* before A after before B after: each text as if it stood alone. */
void template_each(const TemplateItem *before, const TemplateItem *after, Arena *arena,
                   Template *single, Template *pair);

#endif
