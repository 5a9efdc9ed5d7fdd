/* The text itself, shaded by what one chosen token attends to. */
#include "render/sentence.h"

#include "app/views/common.h"

bool view_sentence(Figure *figure, const ViewInput *input, Error *error) {
    Arena *arena = arena_new();
    Matrices m;
    MatricesWish wish = {.words = true, .one = true, .one_query = true};
    bool ok = matrices_read(input, &wish, arena, &m, error);
    int row = ok ? attention_query(input, &m.attention, &m.queries, error) : -1;
    ok = row >= 0;
    if (ok) {
        Sentence sentence = {.matrix = m.items[0],
                             .queries = m.queries.axis,
                             .keys = m.keys.axis,
                             .query = row,
                             .same_text = !m.attention.cross && !m.writes,
                             .numbers = input->state->numbers};
        Str label = m.queries.axis.tokens[row].text;
        const char *chosen =
            arena_printf(arena, "what “%.*s” attends to", (int)label.n, label.data);
        ChartOptions options = view_options(input, m.title, view_joined(arena, chosen, m.notes));
        options.scale = view_scale(input, &m);
        ok = sentence_draw(figure, &sentence, &options, error);
        if (ok)
            view_tell_matrices(figure, input, &m, "The deeper a word is shaded, the more weight");
    }
    arena_free(arena);
    return ok;
}
