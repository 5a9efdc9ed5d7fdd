#include "render/lines.h"

#include "render/cross.h"

bool lines_draw(Figure *figure, const Lines *lines, const ChartOptions *options, Error *error) {
    bool horizontal = options->orientation == CHART_HORIZONTAL;
    bool rtl = !horizontal && chart_labels(figure, &lines->queries, options).rtl;
    /* A head view reads from query to key: left to right or top to bottom, and from right to left
     * where the text does. */
    Cross cross = {.n_heads = lines->n_heads,
                   .heads = lines->heads,
                   .queries = lines->queries,
                   .keys = lines->keys,
                   .only = lines->only,
                   .n_only = lines->n_only,
                   .top = lines->top,
                   .swap = horizontal || rtl};
    return cross_draw(figure, &cross, options, error);
}
