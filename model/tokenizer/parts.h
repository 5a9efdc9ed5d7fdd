/* The parts of a tokenizer.json: each object with a "type" becomes steps of a pipeline.
 *
 *     PartReader reader = {.arena = arena, .error = error, .where = "normalizer"};
 *     ok = parts_normalizer(&reader, json_object_get(root, "normalizer"), &pipeline->normalizer);
 *
 * A type or a field's value that is not known is refused by name, with the place it stands at: what
 * is left out silently would give other tokens.
 */
#ifndef MODEL_TOKENIZER_PARTS_H
#define MODEL_TOKENIZER_PARTS_H

#include <jansson.h>

#include "model/tokenizer/pipeline.h"

typedef struct PartReader {
    Arena *arena;
    Error *error;
    const char *where; /* "pre_tokenizer" */
} PartReader;

/* json may be NULL or null: no steps. */
bool parts_normalizer(PartReader *reader, const json_t *json, Normalizer *out);
bool parts_pretokenizer(PartReader *reader, const json_t *json, PreTokenizer *out);
bool parts_decoder(PartReader *reader, const json_t *json, Decoder *out);
/* Fills template and trimming in. */
bool parts_postprocessor(PartReader *reader, const json_t *json, Pipeline *pipeline);
/* The vocabulary and the piece model. */
bool parts_model(PartReader *reader, const json_t *json, Pipeline *pipeline);

/* ---- what they share ---- */

bool part_fail(PartReader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *part_type(const json_t *json); /* "" if there is none */
/* A field that is missing or null has the usual value; another type is an error (recorded). */
bool part_flag(PartReader *reader, const json_t *json, const char *key, bool usual);
Str part_text(PartReader *reader, const json_t *json, const char *key, const char *usual);
/* {"String": "x"} or {"Regex": "x"} or "x" itself. */
const Regex *part_pattern(PartReader *reader, const json_t *json);
/* A whole number, as 12 or as 12.0. */
bool part_integer(const json_t *json, int64_t *out);

/* The list that an object of type Sequence holds under `key`, or the object alone as a list of one.
 * A Sequence in a Sequence is followed. Calls read for each; false ends it. */
typedef bool (*PartRead)(PartReader *reader, const json_t *part, void *to);
bool part_each(PartReader *reader, const json_t *json, const char *key, PartRead read, void *to);

#endif
