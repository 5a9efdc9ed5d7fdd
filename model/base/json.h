/* JSON from files that nobody vouches for, read by jansson.
 *
 *     json_t *config = json_read("models/x/config.json", 16 << 20, &error);     json_decref() it
 *     ...
 *     "models/x/config.json: line 3, column 17: invalid token near 'NaN'"
 *
 * Differs from jansson alone in three things: an integer too long for 64 bits becomes a real
 * (Hugging Face writes 1000000000000000019884624838656 for "no limit"), a NUL in a string is text,
 * and a text whose tree would take far more memory than itself is refused before it is built.
 */
#ifndef MODEL_BASE_JSON_H
#define MODEL_BASE_JSON_H

#include <jansson.h>

#include "model/base/error.h"
#include "model/base/str.h"

/* A new reference, or NULL. `where` names the text in messages. flags: jansson's, added to ours.
 * max_tree_bytes: the most that the tree may take (estimated); 0: 2 n + 64 MB. */
json_t *json_parse(Str text, const char *where, size_t flags, size_t max_tree_bytes, Error *error);
/* A file of at most max_bytes (0: 256 MB), whole; a byte order mark is skipped. */
json_t *json_read(const char *path, size_t max_bytes, Error *error);
/* The same, and the root must be an object. */
json_t *json_read_object(const char *path, size_t max_bytes, Error *error);

/* About what jansson's tree of this text will take. */
size_t json_tree_bytes(Str text);

#endif
