/* Opening a window, with what the last session left, and closing it. */
#include <stdlib.h>
#include <string.h>

#include "app/window/input.h"
#include "app/window/jobs.h"
#include "app/window/lines.h"
#include "app/window/picture.h"
#include "app/window/session.h"

static void start_state(Window *w, const WindowOptions *options, Error *error) {
    state_init(&w->state);
    if (w->settings.state && !options->session && !options->model && !options->file) {
        Error broken = {0};
        if (!state_merge(&w->state, w->settings.state, "the last session", &broken))
            window_notice(w, true, "The last session was not taken up: %s", broken.message);
    }
    if (options->session && !session_read(&w->state, options->session, error)) return;
    if (options->model) state_put_text(&w->state.model, options->model);
    if (options->text) {
        state_put_text(&w->state.text, options->text);
        state_put_text(&w->state.target_text, NULL);
    }
    const char *theme = options->theme ? options->theme : w->settings.theme;
    if (theme && *theme) state_put_text(&w->state.theme, theme);
    w->view_unsaid = !w->state.view || !view_find(w->state.view);
    if (w->view_unsaid) state_put_text(&w->state.view, "cross");
    if (options->session) return;
    /* A selection of another day means nothing. */
    state_unselect(&w->state);
}

Window *window_open(const WindowOptions *options, Error *error) {
    Window *w = calloc(1, sizeof *w);
    if (!w) abort();
    char note[1024] = "";
    if (options->fresh)
        w->settings.scale = 1;
    else
        settings_load(&w->settings, note, sizeof note);
    w->user_scale = options->scale > 0 ? options->scale : w->settings.scale;
    w->dpi_scale = 1;
    w->ui.theme = theme_of(THEME_LIGHT);
    w->hover = place_none();
    w->ui.in.x = w->ui.in.y = -1e6;
    w->history = history_new(200);
    w->target_own = true;
    state_init(&w->asked_run);
    state_init(&w->asked_draw);
    if (*note) window_notice(w, true, "%s", note);
    start_state(w, options, error);
    window_apply_theme(w);
    if (!error_ok(error) || !window_open_display(w, options, error)) {
        w->settings.path[0] = 0;
        window_close(w);
        return NULL;
    }
    w->worker_fonts = text_new(w->state.font);
    w->ui.canvas = canvas_new(NULL);
    w->ui.labels = labels_new(window_scale(w));
    w->worker = worker_new(window_wake, w);
    const char *no_fonts = labels_note(w->ui.labels);
    if (no_fonts) window_notice(w, true, "%s", no_fonts);
    w->notice_stays = w->notice[0]; /* no run mends these */
    if (options->screenshot) w->screenshot = strdup(options->screenshot);
    w->unattended = options->screenshot != NULL;
    input_to_fields(w);
    picture_fit(w);
    ui_focus(&w->ui, ui_id("source", 0));
    if (options->trace)
        w->pass = pass_of_trace(options->trace);
    else if (options->file)
        window_open_path(w, options->file);
    else
        job_load(w, w->state.model);
    return w;
}

static void free_fields(Window *w) {
    textfield_free(&w->source);
    textfield_free(&w->pair);
    textfield_free(&w->target);
    textfield_free(&w->query);
    for (int i = 0; i < MAX_FIELDS; i++)
        textfield_free(&w->fields[i]);
    for (int i = 0; i < w->n_found; i++)
        free(w->found[i]);
    free(w->found);
}

void window_close(Window *w) {
    if (!w) return;
    session_close(w);
    worker_free(w->worker);
    shown_free(w->shown);
    shown_free(w->values);
    pass_release(w->pass);
    loaded_release(w->loaded);
    lines_free(w);
    free_fields(w);
    arena_free(w->models_arena);
    strbuf_free(&w->kept.quiet);
    free(w->picture.pixels);
    free(w->screenshot);
    history_free(w->history);
    state_free(&w->state);
    state_free(&w->asked_run);
    state_free(&w->asked_draw);
    settings_free(&w->settings);
    labels_free(w->ui.labels);
    canvas_free(w->ui.canvas);
    text_free(w->worker_fonts);
    for (int i = 0; i < SDL_NUM_SYSTEM_CURSORS; i++)
        if (w->cursors[i]) SDL_FreeCursor(w->cursors[i]);
    if (w->sdl) SDL_DestroyWindow(w->sdl);
    SDL_Quit();
    free(w);
}
