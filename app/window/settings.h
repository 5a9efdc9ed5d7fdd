/* What the window remembers from one day to the next: size, theme, scale, what was opened and
 * written lately, and the state it was left in. One JSON file in the XDG state folder.
 *
 *     Settings settings;
 *     char note[512] = "";
 *     settings_load(&settings, note, sizeof note);         a broken file is set aside, and said
 *     settings_recent(settings.models, path);
 *     settings_save(&settings, &error);                    atomic
 *     settings_free(&settings);
 */
#ifndef APP_WINDOW_SETTINGS_H
#define APP_WINDOW_SETTINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "model/base/error.h"

enum { SETTINGS_RECENT = 12 };

typedef struct Settings {
    int width, height;                                          /* units; 0: not known */
    double scale;                                               /* the user's factor */
    char theme[32];                                             /* "": not chosen */
    char folder[1024];                                          /* of the last export or opening */
    char *models[SETTINGS_RECENT], *sentences[SETTINGS_RECENT]; /* newest first, NULL behind */
    json_t *state;                                              /* NULL: none */
    char path[1100]; /* of the file; "": there is no place to keep one */
} Settings;

void settings_load(Settings *settings, char *note, size_t note_size);
bool settings_save(const Settings *settings, Error *error);
void settings_free(Settings *settings);
/* Puts one on top of a list. */
void settings_recent(char *list[SETTINGS_RECENT], const char *item);

#endif
