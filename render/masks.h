/* Who may look at whom: a grid for each attention, open cells filled, masked ones hatched.
 *
 *     MasksPanel panels[] = {{.name = "Decoder self-attention", .id = "decoder", .visible = mask,
 *                             .queries = target, .keys = target, .note = "causal"}};
 *     masks_draw(figure, &(Masks){.n_panels = 1, .panels = panels}, &options, &error);
 *
 * Picks: series = panel, query = row, key = column.
 */
#ifndef RENDER_MASKS_H
#define RENDER_MASKS_H

#include "render/chart.h"

typedef struct MasksPanel {
    const char *name, *note; /* note: a quiet line below the name; NULL: none */
    const char *id;          /* prefix of the cells' ids */
    const bool *visible;     // [query, key] row-major
    ChartAxis queries, keys;
} MasksPanel;

typedef struct Masks {
    int n_panels;
    const MasksPanel *panels; // [n_panels]
} Masks;

bool masks_draw(Figure *figure, const Masks *masks, const ChartOptions *options, Error *error);

#endif
