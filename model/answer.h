/* What a model says, in words: classes with their names and probabilities, masked words, spans.
 *
 *     Answer answer;
 *     if (answer_of(model, tokenizer, trace, 5, arena, &answer, &error))
 *         answer.items[0].choices[0].name, .probability
 *
 * Names of classes are id2label of config.json, of words the tokenizer's own labels. Probabilities
 * are a softmax over the choices; for models of several labels (problem_type) and for ELECTRA's
 * "was it replaced" each is a sigmoid of its own.
 */
#ifndef MODEL_ANSWER_H
#define MODEL_ANSWER_H

#include "model/tokenizer.h"
#include "model/trace.h"

typedef struct Choice {
    int id;
    Str name;
    float logit;
    double probability;
} Choice;

typedef struct AnswerItem {
    int position; /* of the token it is about; -1: the whole input */
    int n;
    Choice *choices; // [n] most probable first
} AnswerItem;

typedef struct Answer {
    HeadKind kind;
    int n_items;
    AnswerItem *items;        // [n_items]
    int span_begin, span_end; /* HEAD_SPAN: first and last token */
    double span_probability;
    Str span_text; /* as it stands in the text, where there is one */
} Answer;

/* The trace must hold the logits. n_top choices an item. tokenizer may be NULL. Borrows the trace
 * and the arena. */
bool answer_of(const Model *model, const Tokenizer *tokenizer, const Trace *trace, int n_top,
               Arena *arena, Answer *out, Error *error);

#endif
