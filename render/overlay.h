/* Weights over what they are about: patches of a picture, moments of a sound.
 *
 *     OverlayPicture picture = {.rgba = pixels, .width = 224, .height = 224, .weights = patches};
 *     overlay_picture(figure, &picture, &options, &error);
 *     OverlaySound sound = {.mel = mel, .n_panels = 1, .panels = &cross, .tokens = words,
 *                           .seconds = 6.4};
 *     overlay_sound(figure, &sound, &options, &error);
 *
 * Picks: series = panel; a patch is key = row * columns + column; in a sound query = token, key =
 * moment. The heads of a sound stand one below the other under its spectrogram, more than six in
 * several columns.
 */
#ifndef RENDER_OVERLAY_H
#define RENDER_OVERLAY_H

#include "render/chart.h"

typedef struct OverlayPicture {
    const uint8_t *rgba; // [height, width, 4]
    int width, height;
    int n_panels;              /* heads side by side over the same picture */
    const ChartMatrix *panels; // [n_panels] weights [patch row, patch column]
    int query;                 /* the token that looks; a patch is outlined */
    int first_key;             /* added to the patch number in picks: 1 where a class token is 0 */
    const char *query_title;   /* "query: [CLS]"; NULL: said by whether query is a patch */
} OverlayPicture;

typedef struct OverlaySound {
    Tensor mel; // [band, frame] log-mel
    int n_panels;
    const ChartMatrix *panels; // [n_panels] weights [token, moment]
    ChartAxis tokens;
    double seconds;
    bool moments_down; /* the rows are the same moments: seconds in place of their labels */
} OverlaySound;

bool overlay_picture(Figure *figure, const OverlayPicture *picture, const ChartOptions *options,
                     Error *error);
bool overlay_sound(Figure *figure, const OverlaySound *sound, const ChartOptions *options,
                   Error *error);

#endif
