/* Head view: queries left, keys right, a line per weight; heads of a layer in their own colours. */
#include "app/views/common.h"
#include "render/lines.h"

bool view_head(Figure *figure, const ViewInput *input, Error *error) {
    Arena *arena = arena_new();
    Matrices m;
    MatricesWish wish = {.all_heads = true, .pick_rows = true};
    bool ok = matrices_read(input, &wish, arena, &m, error);
    if (ok) {
        int row;
        const char *notes = m.notes;
        bool alone = view_one_query(input, &m, &row, &notes, arena);
        Lines lines = {.n_heads = m.n,
                       .heads = m.items,
                       .queries = m.queries.axis,
                       .keys = m.keys.axis,
                       .only = alone ? &row : NULL,
                       .n_only = alone,
                       .top = alone ? VIEW_TOP_OF_MANY : 0};
        ChartOptions options = view_line_options(input, &m, notes);
        if (!alone) options.notes = view_joined(arena, notes, view_faint_note(&m, &options, arena));
        view_focus(&options, input, &m);
        ok = lines_draw(figure, &lines, &options, error);
        if (ok)
            view_tell_matrices(figure, input, &m,
                               "A line joins a query (left) to a key (right); its width tells the "
                               "weight");
    }
    arena_free(arena);
    return ok;
}
