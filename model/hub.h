/* Finding models on this machine: what `--model` means, and what `attnscope models` lists. Never
 * the network.
 *
 *     const char *path = hub_find("Helsinki-NLP/opus-mt-en-fi", assets, arena, &error);
 *     Checkpoint *c = path ? checkpoint_open(path, &error) : NULL;
 *
 * A name is, in this order: a folder or file; a folder in `shipped` (NULL: none), where the
 * program's own models lie; a name on the Hugging Face Hub that lies in the cache, with an optional
 * revision behind an @. The caches are $HF_HUB_CACHE, $HUGGINGFACE_HUB_CACHE, $HF_HOME/hub,
 * $XDG_CACHE_HOME/huggingface/hub and $HOME/.cache/huggingface/hub, those that are set; layout:
 * models--ORG--NAME/refs/main holds the revision, snapshots/REVISION the files.
 */
#ifndef MODEL_HUB_H
#define MODEL_HUB_H

#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"

/* In the arena. NULL: an error that says where it looked and which command fetches it. */
const char *hub_find(const char *name, const char *shipped, Arena *arena, Error *error);

typedef struct HubModel {
    const char *name;       /* as hub_find takes it */
    const char *path;       /* folder */
    int64_t n_bytes;        /* on disk, links followed */
    const char *model_type; /* of config.json; NULL: there is none */
    const char *format;     /* of the weights, as checkpoint_format says; NULL: none found */
    bool shipped;
} HubModel;

/* All of them, by name; in the arena. Folders that cannot be read are passed over. */
int hub_list(const char *shipped, Arena *arena, HubModel **out);
/* The caches that are looked through, NULL-terminated, in the arena. */
const char **hub_caches(Arena *arena);

#endif
