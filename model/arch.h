/* Families of models. One file in arch/ each: it reads config.json into a ModelConfig and says
 * which tensor of the file is which weight of ours; one row in arch.c.
 *
 *     static bool configure(const Fields *f, ModelConfig *out)   sizes and choices
 *     static void bind(Loader *loader, Model *model)             weights by name
 *
 * Both report into the Error of what they are given: the first failure wins, so neither needs to
 * look at every answer; the caller checks at the end.
 */
#ifndef MODEL_ARCH_H
#define MODEL_ARCH_H

#include "model/loader.h"

typedef struct Arch {
    const char *model_type; /* of config.json */
    bool (*configure)(const Fields *fields, ModelConfig *out);
    void (*bind)(Loader *loader, Model *model);
} Arch;

/* All of them, for lists. */
const Arch *const *arch_rows(int *n);

/* NULL, and an error that lists what there is, for an unknown type. */
const Arch *arch_find(const Fields *fields);

extern const Arch arch_marian, arch_torch_transformer;

#endif
