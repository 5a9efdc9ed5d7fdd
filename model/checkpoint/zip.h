/* Members of a zip archive that lies in memory: torch's .bin and numpy's .npz. libzip reads the
 * archive; a member that is stored uncompressed, as both write them, is a view of the bytes and is
 * not copied.
 *
 *     ZipFile *zip = zip_file_open(bytes, "model.bin", &error);
 *     int i = zip_file_find(zip, "archive/data.pkl");                 -1: not there
 *     Str member;
 *     if (!zip_file_member(zip, i, arena, &member, &error)) ...       borrowed from bytes or arena
 *     zip_file_close(zip);
 *
 * Compressed members may unfold to the archive's size and 32 MB in all, not more.
 */
#ifndef MODEL_CHECKPOINT_ZIP_H
#define MODEL_CHECKPOINT_ZIP_H

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/base/str.h"

typedef struct ZipFile ZipFile;

/* bytes are borrowed until the close, and by the members for longer. NULL on failure. */
ZipFile *zip_file_open(Str bytes, const char *path, Error *error);
void zip_file_close(ZipFile *zip); /* NULL is fine */

int zip_file_n_members(const ZipFile *zip);
const char *zip_file_name(const ZipFile *zip, int index); /* never NULL */
int zip_file_find(const ZipFile *zip, const char *name);
bool zip_file_member(ZipFile *zip, int index, Arena *arena, Str *out, Error *error);

#endif
