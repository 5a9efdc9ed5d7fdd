/* What comes with the program: models, lessons. Looked for under $ATTNSCOPE_DATA, then beside the
 * build folder that the executable lies in (../assets), then where `make install` puts it
 * (../share/attnscope). Never relative to the working folder.
 *
 *     char *folder = assets_find("models/en-fr-fi", arena, &error);
 */
#ifndef APP_ASSETS_H
#define APP_ASSETS_H

#include "model/base/arena.h"
#include "model/base/error.h"

#define ASSETS_DEFAULT_MODEL "en-fr-fi"

/* A file or folder by its name under assets/; NULL and an error that says where it was looked for.
 */
char *assets_find(const char *name, Arena *arena, Error *error);

#endif
