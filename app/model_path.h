/* Which folder or file is meant by --model: what lies there, else a model that comes with the
 * program, else one in the local Hugging Face cache. Never the network.
 *
 *     char *path = model_path_find("Helsinki-NLP/opus-mt-en-fi", arena, &error);
 */
#ifndef APP_MODEL_PATH_H
#define APP_MODEL_PATH_H

#include "model/base/arena.h"
#include "model/base/error.h"

/* name NULL: the model that comes with the program. NULL and an error that says where it was
 * looked for and which command would download it. */
char *model_path_find(const char *name, Arena *arena, Error *error);

/* A model on this machine, as the command `models` and the window list them. */
typedef struct ModelEntry {
    const char *name; /* what --model takes */
    const char *path;
    bool shipped;
} ModelEntry;

/* Those that come with the program, then the cache's, each part by name. The arena's. */
int model_path_list(ModelEntry **out, Arena *arena);
/* The folder of the cache, there or not; NULL when there is no home folder either. */
char *model_path_cache(Arena *arena);

#endif
