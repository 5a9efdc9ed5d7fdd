/* Changes to a forward pass: ablate, scale or patch an activation, set a weight of a pattern.
 *
 *     Edits edits = {0};
 *     edits_add(&edits, EDIT_ABLATE, "decoder.2.cross_attn:H3", arena, &error);
 *     edits_add(&edits, EDIT_SCALE, "L5H3=0.5", arena, &error);
 *     edits_add(&edits, EDIT_SET, "decoder.1.cross_attn:H0:q4:k7=1", arena, &error);
 *     edits_add(&edits, EDIT_PATCH, "decoder.1.hook_resid_pre@3=donor.safetensors", arena, &error);
 *     edits_check(&edits, model, &error);                     do the places exist in this model?
 *
 * PLACE is an attention ("decoder.2.cross_attn", "blocks.5.attn", with ":H3" or ":H0,H3" for some
 * of its heads), "L5H3" in a one-stack model, "encoder.1.mlp", or any hook name. Ablating or
 * scaling an attention scales hook_z, an mlp hook_mlp_out.
 */
#ifndef MODEL_EDIT_H
#define MODEL_EDIT_H

#include "model/hooks.h"
#include "model/model.h"

typedef enum EditKind { EDIT_ABLATE, EDIT_SCALE, EDIT_PATCH, EDIT_SET, EDIT_KIND_COUNT } EditKind;

typedef struct Edit {
    EditKind kind;
    HookPoint at;
    uint64_t heads[4];  /* bit set of heads; all zero: every head, or a site without heads */
    float value;        /* factor of a scale (0: ablate), new weight of a set */
    int64_t position;   /* EDIT_PATCH: only this position; -1: all */
    int64_t query, key; /* EDIT_SET */
    Tensor donor;       /* EDIT_PATCH: what is put there; the arena's */
    const char *text;   /* as the user wrote it */
} Edit;

typedef struct Edits {
    int n;
    Edit items[64];
} Edits;

bool edits_add(Edits *edits, EditKind kind, const char *text, Arena *arena, Error *error);
bool edits_check(const Edits *edits, const Model *model, Error *error);
/* What an input looks like to the edits. A number that is not known (a generation's target) is
 * -1. */
typedef struct EditInput {
    const Model *model;
    int n_source, n_target;
    const uint8_t *source_keep; // [n_source] may be seen as key; NULL: all
    const uint8_t *target_keep; // [n_target]
} EditInput;
/* Do they name tokens that this input has, and cells that are not masked? The passes ask this
 * themselves; NULL edits fit. */
bool edits_fit(const Edits *edits, const EditInput *input, Error *error);
static inline bool edit_has_head(const Edit *edit, int head) {
    return !(edit->heads[0] | edit->heads[1] | edit->heads[2] | edit->heads[3]) ||
           (head < 256 && (edit->heads[head / 64] >> (head % 64) & 1));
}

#endif
