/* The folder that a training run fills, so that it is a model: config and vocabulary beside the
 * weights, those of the folder that the recipe names but for the head that aligns best there.
 *
 *     train_folder_fill(folder, &(TrainFolder){.model = recipe.model, .tokenizer = tokenizer,
 *                                              .reverse = true}, arena, &error);
 *
 * A model that is trained in reverse writes English whatever it reads, and is told no language: the
 * tags of its vocabulary lose their names, so that nobody puts one before a source.
 */
#ifndef APP_TRAIN_FOLDER_H
#define APP_TRAIN_FOLDER_H

#include "model/tokenizer.h"

typedef struct TrainFolder {
    const char *model; /* the folder that config and vocabulary come from */
    const Tokenizer *tokenizer;
    bool reverse;
    bool resume; /* what is there stays */
} TrainFolder;

/* False: a file cannot be read or written, or is there with other contents. */
bool train_folder_fill(const char *folder, const TrainFolder *how, Arena *arena, Error *error);

#endif
