/* How a model is trained: one JSON file, committed beside the weights that it made.
 *
 *     Recipe recipe;
 *     recipe_read("assets/models/en-fr-fi/recipe.json", &recipe, arena, &error);
 *
 * Every field has a default (recipe.c holds the table); an unknown one is refused by name.
 */
#ifndef MODEL_RECIPE_H
#define MODEL_RECIPE_H

#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"

enum { RECIPE_LANGUAGES = 8, RECIPE_EXTRA = 4 };

typedef struct RecipeRepeat {
    const char *language; /* "fin" */
    int times;            /* each of its rows counts so often in a pass */
} RecipeRepeat;

typedef struct RecipeExtra {
    const char *file; /* rows of the project's own beside the corpus */
    int times;
} RecipeExtra;

typedef struct Recipe {
    const char *model; /* folder of config.json and the vocabulary, relative to the recipe */
    uint64_t seed;
    int threads;
    int steps;
    int batch_tokens; /* target tokens a step, </s> counted */
    int micro_tokens; /* target tokens that go through the model at once: what fits the cache */
    int pool_batches; /* batches whose rows are sorted by length together */
    double learning_rate;
    int warmup_steps;             /* linear from 0 */
    int cooldown_steps;           /* the last ones, linear to 0; before them 1 / sqrt(step) */
    double beta1, beta2, epsilon; /* Adam */
    double clip_norm;             /* of the whole gradient; 0: none */
    double label_smoothing;
    double dropout;    /* -1: as config.json says */
    double average;    /* decay of the running mean of the weights that is written; 0: none */
    double join_share; /* of the examples are several rows of one language in a row */
    int join_least, join_most;
    int join_from_pass; /* passes before this one take single rows, each as often as the others:
                           short ones are learnt first */
    int long_source;    /* rows of so many source ids and more count ... */
    int long_repeat;    /* ... so often, from join_from_pass on */
    int max_tokens;     /* examples longer than this on either side are left out */
    int log_steps, dev_steps;
    double checkpoint_minutes;
    double output_gain; /* initial scale of what each sublayer adds; below 1 a post-norm model
                           starts close to the identity, and learns sooner (Liu et al. 2020) */
    int n_repeat;
    RecipeRepeat repeat[RECIPE_LANGUAGES];
    int n_extra;
    RecipeExtra extra[RECIPE_EXTRA];
} Recipe;

bool recipe_read(const char *path, Recipe *out, Arena *arena, Error *error);

#endif
