#include "app/model_path.h"

#include "app/assets.h"
#include "model/hub.h"

const char *model_path_shipped(Arena *arena) {
    return assets_find("models", arena, NULL);
}

const char *model_path_find(const char *name, Arena *arena, Error *error) {
    if (!name) return assets_find("models/" ASSETS_DEFAULT_MODEL, arena, error);
    return hub_find(name, model_path_shipped(arena), arena, error);
}
