/* Which folder or file is meant by --model: what lies there, else a model that comes with the
 * program, else one in the local Hugging Face cache (model/hub.h). Never the network.
 *
 *     char *path = model_path_find("Helsinki-NLP/opus-mt-en-fi", arena, &error);
 */
#ifndef APP_MODEL_PATH_H
#define APP_MODEL_PATH_H

#include "model/base/arena.h"
#include "model/base/error.h"

/* name NULL: the model that comes with the program. NULL and an error that says where it was
 * looked for. */
const char *model_path_find(const char *name, Arena *arena, Error *error);

/* The folder that holds the program's own models, for hub_list(); NULL if there is none. */
const char *model_path_shipped(Arena *arena);

#endif
