/* A model's folder as the layouts see it: where its files are, and the small JSON files that say
 * what kind of tokenizer it holds.
 *
 *     Folder folder;
 *     if (!folder_open(path, arena, &folder, &error)) ...
 *     const char *class = folder_text(&folder, "tokenizer_class", "");
 *     folder_close(&folder);
 */
#ifndef MODEL_TOKENIZER_FOLDER_H
#define MODEL_TOKENIZER_FOLDER_H

#include <jansson.h>
#include <stdbool.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/base/str.h"

typedef struct Folder {
    const char *path;
    Arena *arena;
    json_t *settings; /* tokenizer_config.json; an empty object if there is none */
    json_t *config;   /* config.json; an empty object if there is none */
    json_t *specials; /* special_tokens_map.json; an empty object if there is none */
} Folder;

bool folder_open(const char *path, Arena *arena, Folder *out, Error *error);
void folder_close(Folder *folder);

/* "folder/name" if there is such a file, else NULL. */
const char *folder_file(const Folder *folder, const char *name);
/* The first file, in alphabetical order, whose name ends so; NULL if there is none. */
const char *folder_file_ending(const Folder *folder, const char *ending);

/* Settings of tokenizer_config.json. A special token may be a string or an object with "content";
 * special_tokens_map.json is asked too. null and wrong types count as not there. */
const char *folder_text(const Folder *folder, const char *key, const char *otherwise);
bool folder_flag(const Folder *folder, const char *key, bool otherwise);
const char *folder_model_type(const Folder *folder); /* config.json's; "" if there is none */

/* Reads a JSON file whose top is an object; the caller releases it with json_decref. NULL on
 * failure. Numbers are all reals: files have whole ones beyond 64 bits (model_max_length). Files
 * with more values than their size warrants are refused. */
json_t *folder_json(const char *path, Arena *arena, Error *error);
/* The same from memory; path is for the message. */
json_t *folder_parse(Str text, const char *path, Error *error);
Str folder_string(const json_t *string); /* borrowed, NUL bytes kept; {NULL, 0}: not a string */

#endif
