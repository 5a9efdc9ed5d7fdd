/* Which file holds a font, for those who open fonts themselves.
 *
 *     FontFile file;
 *     if (font_file(600, &file)) open_font(file.path, file.index); else ... no font on this machine
 *     font_file_free(&file);
 *
 * The families are those of text.h: Inter, then DejaVu Sans, Noto Sans, any sans-serif.
 */
#ifndef RENDER_FONT_H
#define RENDER_FONT_H

#include <stdbool.h>

typedef struct FontFile {
    char *path;
    int index; /* of the face in a collection */
} FontFile;

/* weight: 400, 500, 600. False when fontconfig knows no font at all. */
bool font_file(int weight, FontFile *out);
void font_file_free(FontFile *file);

#endif
