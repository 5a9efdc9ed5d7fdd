/* Output heads by the names that the file gives them: a table, most wanted row first.
 *
 *     static const HeadNames heads[] = {
 *         {HEAD_MASKED, PICK_ALL, .transform = "cls.predictions.transform.dense", ...},
 *         {HEAD_SEQUENCE, PICK_FIRST, .output = "classifier", .transform = "@pooler.dense",
 *          .activation = ACTIVATION_TANH},
 *         {0}};
 *     heads_configure(fields, config);                 what architectures promises
 *     heads_bind(loader, model, STACK_BLOCKS, root, heads);
 *
 * A row is taken when its tensors are in the file, one of the promised kind first. "@" in a name
 * stands for the root ("bert.").
 */
#ifndef MODEL_ARCH_HEADS_H
#define MODEL_ARCH_HEADS_H

#include "model/arch.h"

typedef struct HeadNames {
    HeadKind kind; /* HEAD_NONE ends the table */
    HeadPick pick;
    const char *output;    /* prefix of weight and bias */
    const char *transform; /* NULL: none */
    const char *norm;
    const char *bias;    /* where it is not output.bias */
    bool tied;           /* the output may be the token embedding */
    bool own_activation; /* the layers' own; else: */
    Activation activation;
} HeadNames;

/* Kind by the name of the class in architectures; whether the output is tied. */
void heads_configure(const Fields *f, ModelConfig *out, bool tied_by_default);
/* Binds the head that is there, if any. */
void heads_bind(Loader *loader, Model *model, StackId id, const char *root, const HeadNames *names);
/* The heads of decoder-only models: score, classifier, qa_outputs, else the language model's, tied
 * to the embedding or `output`. */
void heads_bind_decoder(Loader *loader, Model *model, const char *output);

#endif
