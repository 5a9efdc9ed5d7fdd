#include "render/font.h"

#include <fontconfig/fontconfig.h>
#include <stdlib.h>
#include <string.h>

static int fontconfig_weight(int weight) {
    return weight >= 600   ? FC_WEIGHT_DEMIBOLD
           : weight >= 500 ? FC_WEIGHT_MEDIUM
                           : FC_WEIGHT_REGULAR;
}

bool font_file(int weight, FontFile *out) {
    static const char *const families[] = {"Inter", "DejaVu Sans", "Noto Sans", "sans-serif"};
    *out = (FontFile){NULL, 0};
    FcPattern *wish = FcInit() ? FcPatternCreate() : NULL;
    if (!wish) return false;
    for (int i = 0; i < 4; i++)
        FcPatternAddString(wish, FC_FAMILY, (const FcChar8 *)families[i]);
    FcPatternAddInteger(wish, FC_WEIGHT, fontconfig_weight(weight));
    FcPatternAddInteger(wish, FC_SLANT, FC_SLANT_ROMAN);
    FcConfigSubstitute(NULL, wish, FcMatchPattern);
    FcDefaultSubstitute(wish);
    FcResult result;
    FcPattern *found = FcFontMatch(NULL, wish, &result);
    FcChar8 *path;
    if (found && FcPatternGetString(found, FC_FILE, 0, &path) == FcResultMatch) {
        out->path = strdup((const char *)path);
        FcPatternGetInteger(found, FC_INDEX, 0, &out->index);
        out->index &= 0xffff; /* above it: a named instance of a variable font */
    }
    if (found) FcPatternDestroy(found);
    FcPatternDestroy(wish);
    return out->path != NULL;
}

void font_file_free(FontFile *file) {
    free(file->path);
    *file = (FontFile){NULL, 0};
}
