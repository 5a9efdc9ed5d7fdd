/* What each word listens to: cross-attention over the moments of a sound, under its log-mel
 * spectrogram; or the self-attention of the encoder, moment by moment (Radford et al. 2023). */
#include <math.h>

#include "app/views/common.h"
#include "model/audio.h"
#include "render/overlay.h"

static const double moment_seconds = 2.0 * AUDIO_HOP / AUDIO_RATE; /* two frames make a moment */

/* Frames before the silence that fills the sound up to the length the model wants. */
static int64_t n_heard(Tensor mel) {
    int64_t last = mel.shape[1] - 1, t = last;
    for (bool same = true; t > 0 && same;) {
        for (int64_t b = 0; b < mel.shape[0] && same; b++)
            same = *tensor_at(mel, b, t - 1, 0, 0) == *tensor_at(mel, b, last, 0, 0);
        if (same) t--;
    }
    return t;
}

/* How much of the drawn rows' weight lies on keys from `begin` on. */
static double mass_behind(Tensor weights, int64_t n_rows, int64_t begin) {
    double sum = 0;
    for (int64_t q = 0; q < n_rows; q++)
        for (int64_t k = begin; k < weights.shape[1]; k++) {
            float w = *tensor_at(weights, q, k, 0, 0);
            if (!isnan(w)) sum += (double)w;
        }
    return n_rows ? sum / (double)n_rows : 0;
}

static bool draw(Figure *figure, const ViewInput *input, Matrices *m, Arena *arena, Error *error) {
    Tensor mel = *trace_find(input->trace, "input_features");
    if (mel.rank == 3 && mel.shape[0] == 1) mel = tensor_index(mel, 0, 0);
    int n = m->keys.axis.n;
    if (mel.rank != 2 || mel.shape[1] < 2 * n)
        return error_set(error, ERROR_INPUT, "a spectrogram [mel, %d frames] expected", 2 * n);
    bool of_encoder = !m->attention.cross;
    /* A little of the silence is kept, to be seen as such. */
    int shown = (int)((n_heard(mel) + 1) / 2) + n / 50;
    if (shown > n * 9 / 10) shown = n;
    const char *notes = m->notes;
    ChartMatrix *panels = arena_alloc(arena, (size_t)m->n * sizeof *panels);
    OverlaySound sound = {.n_panels = m->n,
                          .panels = panels,
                          .tokens = m->queries.axis,
                          .seconds = shown * moment_seconds,
                          .moments_down = of_encoder};
    if (of_encoder) sound.tokens.title = "query: moment of the sound";
    if (of_encoder && shown < sound.tokens.n) sound.tokens.n = shown;
    if (shown < n) {
        char from[32];
        double behind = 0;
        for (int i = 0; i < m->n; i++)
            behind += mass_behind(m->items[i].weights, sound.tokens.n, shown) / m->n;
        notes =
            view_joined(arena, notes,
                        arena_printf(arena, "silence from %s s on not drawn: %.1f %% of the weight",
                                     chart_decimal(sound.seconds, 1, from), 100 * behind));
    }
    sound.mel = tensor_slice(mel, 1, 0, 2 * (int64_t)shown);
    for (int i = 0; i < m->n; i++) {
        panels[i] = m->items[i];
        panels[i].weights =
            tensor_slice(tensor_slice(m->items[i].weights, 1, 0, shown), 0, 0, sound.tokens.n);
        panels[i].cut = (Tensor){0};
    }
    ChartOptions options = view_options(input, m->title, notes);
    options.scale = view_scale(input, m);
    view_focus(&options, input, m);
    if (!overlay_sound(figure, &sound, &options, error)) return false;
    view_tell_matrices(figure, input, m,
                       of_encoder ? "Rows and columns are moments of the sound, whose log-mel "
                                    "spectrogram is above"
                                  : "Columns are moments of the sound, whose log-mel spectrogram "
                                    "is above");
    return true;
}

bool view_audio(Figure *figure, const ViewInput *input, Error *error) {
    const char *attention = input->state->attention;
    if (attention && strcmp(attention, "decoder") == 0)
        return error_set(error, ERROR_UNSUPPORTED,
                         "the decoder's self-attention does not listen: --cross or --encoder");
    Arena *arena = arena_new();
    Matrices m;
    State state = *input->state; /* borrowed for the build, never freed */
    ViewInput shown = *input;
    shown.state = &state;
    bool of_encoder = attention && strcmp(attention, "encoder") == 0;
    if (of_encoder) state.units = "tokens"; /* moments make no words */
    MatricesWish wish = {.attention = "cross", .words = true, .pick_rows = true};
    bool ok =
        matrices_read(&shown, &wish, arena, &m, error) && draw(figure, &shown, &m, arena, error);
    arena_free(arena);
    return ok;
}
