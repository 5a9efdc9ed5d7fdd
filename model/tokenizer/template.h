/* Where special tokens go: a row of items that are special tokens or one of the two texts.
 *
 *     [CLS] A [SEP] B [SEP]        A </s>        <language> A </s>
 */
#ifndef MODEL_TOKENIZER_TEMPLATE_H
#define MODEL_TOKENIZER_TEMPLATE_H

#include <stdint.h>

typedef enum TemplateKind {
    TEMPLATE_FIRST,
    TEMPLATE_SECOND,
    TEMPLATE_TOKEN,
    TEMPLATE_LANGUAGE, /* the language that the text is in */
} TemplateKind;

typedef struct TemplateItem {
    TemplateKind kind;
    int32_t id; /* of TEMPLATE_TOKEN */
    int type;   /* token_type_ids */
} TemplateItem;

typedef struct Template {
    const TemplateItem *items; // [n]
    int n;                     /* 0: the texts one behind the other */
} Template;

#endif
