/* The window without a display (SDL's dummy driver): commands sent directly, what they change, what
 * is drawn, and thousands of them in any order. */
#include <stdlib.h>
#include <string.h>

#include "app/window/cells.h"
#include "app/window/edits.h"
#include "app/window/heads.h"
#include "app/window/input.h"
#include "app/window/panel.h"
#include "app/window/picture.h"
#include "app/window/steps.h"
#include "tests/app/spawn.h"
#include "tests/app/window_hand.h"

static void it_opens_with_a_picture(void **state) {
    (void)state;
    Window *w = open_tiny(1200, 800, "She loves cats.");
    assert_non_null(w->pass);
    assert_non_null(w->shown);
    assert_string_equal(w->shown->error, "");
    assert_non_null(w->shown->figure);
    assert_true(inked(w) > 500);
    assert_true(steps_n(w) > 0);
    assert_string_equal(w->notice, "");
    window_close(w);
}

static void every_view_draws_or_says_why_not(void **state) {
    (void)state;
    Window *w = open_tiny(1200, 800, "She loves cats.");
    for (int i = 0; views[i].name; i++) {
        char name[64];
        snprintf(name, sizeof name, "view.%s", views[i].name);
        act(w, name);
        assert_ptr_equal(window_view(w), &views[i]);
        assert_non_null(w->shown);
        if (w->shown->figure)
            assert_true(inked(w) > 200);
        else
            assert_int_not_equal(strlen(w->shown->error), 0);
    }
    window_close(w);
}

static void typing_runs_the_model(void **state) {
    (void)state;
    Window *w = open_tiny(1200, 800, "She loves");
    const Pass *before = w->pass;
    type(w, " dogs");
    assert_ptr_not_equal(w->pass, before);
    assert_string_equal(w->state.text, "She loves dogs");
    assert_true(str_is(w->pass->source, "She loves dogs"));
    /* Letters are not commands while the field has the focus; Escape hands over to the picture. */
    assert_string_equal(w->state.view, "cross");
    key(w, SDLK_ESCAPE, 0);
    key(w, SDLK_3, 0);
    assert_string_equal(w->state.view, "heatmap");
    key(w, SDLK_2, KMOD_LALT);
    assert_string_equal(w->state.view, "head");
    key(w, SDLK_l, KMOD_LCTRL);
    assert_true(w->ui.focus == ui_id("source", 0));
    window_close(w);
}

static void post_key(SDL_Keycode sym, Uint16 mod) {
    SDL_Event event = {.type = SDL_KEYDOWN};
    event.key.keysym.sym = sym;
    event.key.keysym.mod = mod;
    SDL_PushEvent(&event);
    event.type = SDL_KEYUP;
    event.key.keysym.mod = 0;
    SDL_PushEvent(&event);
}

static void post_letters(const char *letters) {
    for (; *letters; letters++) {
        post_key(*letters, 0);
        SDL_Event event = {.type = SDL_TEXTINPUT};
        event.text.text[0] = *letters;
        SDL_PushEvent(&event);
    }
}

/* A busy machine hands over many keys at once: each still does what it would have done alone. */
static void keys_posted_in_one_go(void **state) {
    (void)state;
    Window *w = open_tiny(1200, 800, "She loves cats.");
    act(w, "focus.picture");
    post_key(SDLK_3, 0);
    post_key(SDLK_l, KMOD_LCTRL);
    post_letters("dogs bark");
    post_key(SDLK_ESCAPE, 0);
    post_key(SDLK_2, 0);
    post_key(SDLK_k, KMOD_LCTRL);
    post_letters("fit");
    assert_true(window_settle(w, LIMIT_MS));
    assert_string_equal(w->state.text, "dogs bark");
    assert_string_equal(w->state.view, "head");
    assert_int_equal(w->panel, PANEL_PALETTE);
    assert_true(str_is(textedit_text(&w->query.edit), "fit"));
    post_key(SDLK_ESCAPE, 0);
    post_key(SDLK_l, KMOD_LCTRL);
    post_letters("a");
    post_key(SDLK_k, KMOD_LCTRL);
    post_letters("b");
    assert_true(window_settle(w, LIMIT_MS));
    assert_string_equal(w->state.text, "a");
    assert_true(str_is(textedit_text(&w->query.edit), "b"));
    window_close(w);
}

/* Nothing of the text before stays, and the next word has its picture. */
static void an_emptied_field_says_what_to_do(void **state) {
    (void)state;
    Window *w = open_tiny(1200, 800, "She loves cats.");
    act(w, "focus.source");
    key(w, SDLK_a, KMOD_LCTRL);
    key(w, SDLK_BACKSPACE, 0);
    assert_null(w->state.text);
    assert_null(w->pass);
    assert_true(!w->shown || !w->shown->figure);
    assert_int_equal(textedit_text(&w->target.edit).n, 0);
    act(w, "view.steps");
    assert_true(!w->shown || !w->shown->figure);
    act(w, "view.cross");
    act(w, "focus.source");
    type(w, "She");
    assert_non_null(w->pass);
    assert_non_null(w->shown->figure);
    assert_true(textedit_text(&w->target.edit).n > 0);
    window_close(w);
}

/* Another view of the same run waits for it: it does not begin anew. */
static void another_view_keeps_the_run_on_its_way(void **state) {
    (void)state;
    Window *w = open_tiny(1200, 800, "She loves cats.");
    state_put_text(&w->state.text, "She loves dogs.");
    window_sync(w);
    state_put_text(&w->state.view, "heatmap");
    window_sync(w);
    assert_string_equal(w->asked_run.view, "cross");
    assert_true(window_settle(w, LIMIT_MS));
    assert_string_equal(w->asked_run.text, "She loves dogs.");
    assert_string_equal(w->asked_draw.view, "heatmap");
    assert_non_null(w->shown->figure);
    /* The steps need more than that run keeps. */
    state_put_text(&w->state.text, "She loves cats.");
    window_sync(w);
    state_put_text(&w->state.view, "steps");
    window_sync(w);
    assert_string_equal(w->asked_run.view, "steps");
    assert_true(window_settle(w, LIMIT_MS));
    assert_non_null(w->shown->figure);
    window_close(w);
}

static void zoom_in(Window *w, int times) {
    for (int i = 0; i < times; i++) {
        act(w, "zoom.in");
        for (int k = 0; k < 100 && w->picture.relayout_at_ms > 0; k++)
            window_step(w, 10);
        assert_true(window_settle(w, LIMIT_MS));
    }
}

/* What is zoomed grows, cells that have their largest size too; another view is seen whole. */
static void a_zoom_enlarges_and_ends_with_the_view(void **state) {
    (void)state;
    static const char *const names[] = {"view.heatmap", "view.model"};
    Window *w = open_tiny(1200, 800, "She loves cats.");
    for (int i = 0; i < 2; i++) {
        act(w, names[i]);
        double before = w->picture.content * picture_factor(w);
        zoom_in(w, 6);
        double zoom = w->picture.zoom, seen = w->picture.content * picture_factor(w);
        assert_true(zoom > 2);
        assert_true(seen > 0.65 * zoom * before);
    }
    act(w, "view.neuron");
    assert_true(w->picture.zoom <= 1);
    assert_true(inked(w) > 0);
    window_close(w);
}

/* The model view draws the heads that were chosen; a click on one square is all of them again. */
static void chosen_heads_are_marked_alone(void **state) {
    (void)state;
    Window *w = open_tiny(1200, 800, "She loves cats.");
    state_put_text(&w->state.heads, "L0H1,L1H0");
    act(w, "view.model");
    Place head = window_head(w);
    int n = 0;
    for (head.layer = 0; head.layer < 2; head.layer++)
        for (head.head = 0; head.head < 2; head.head++)
            n += heads_shown(w, head);
    assert_int_equal(n, 2);
    act(w, "view.neuron");
    assert_null(w->shown->figure);
    assert_null(strstr(w->shown->error, "--"));
    act(w, "view.model");
    head.layer = head.head = 1;
    heads_go(w, head);
    assert_null(w->state.heads);
    window_close(w);
}

/* Forwards, back, and all again; another text has other steps. */
static void steps_show_what_is_written_by_then(void **state) {
    (void)state;
    Window *w = open_tiny(1200, 800, "She loves cats.");
    act(w, "view.heatmap");
    int n = steps_n(w), all = inked(w);
    assert_true(n > 2);
    act(w, "step.first");
    assert_int_equal(steps_at(w), 0);
    int first = inked(w);
    act(w, "step.next");
    int second = inked(w);
    assert_true(first < second && second < all);
    act(w, "step.back");
    assert_int_equal(inked(w), first);
    act(w, "play");
    assert_true(w->playing);
    for (int i = 0; i < 2000 && steps_at(w) == 0; i++)
        window_step(w, 10);
    assert_int_equal(steps_at(w), 1);
    act(w, "play");
    assert_false(w->playing);
    act(w, "step.last");
    assert_int_equal(steps_at(w), n - 1);
    act(w, "step.first");
    input_set_text(w, "He loves cats.", NULL);
    assert_true(window_settle(w, LIMIT_MS));
    assert_int_equal(w->state.step, -1);
    /* A locked word is where the strip stands, and hides nothing. */
    w->state.locked = true;
    w->state.selection = window_head(w);
    w->state.selection.query = 1;
    assert_true(window_settle(w, LIMIT_MS));
    assert_int_equal(steps_at(w), 1);
    assert_int_equal(w->state.step, -1);
    window_close(w);
}

/* In word mode the inspector's row is that of the figure: sums to 1, and has the words' weights. */
static void the_inspector_tells_of_words(void **state) {
    (void)state;
    Window *w = open_tiny(1200, 800, "She loves unbelievable cats.");
    act(w, "view.heatmap");
    act(w, "attention.encoder");
    Arena *arena = arena_new();
    Place p = window_head(w);
    p.head = 0;
    p.query = 1;
    p.key = 2;
    Cells tokens, words;
    assert_true(cells_read(w, &p, arena, &tokens));
    act(w, "units");
    assert_true(cells_read(w, &p, arena, &words));
    assert_true(words.n < tokens.n);
    assert_int_equal(words.n, w->shown->report.n_keys);
    double sum = 0;
    for (int k = 0; k < words.n; k++)
        sum += (double)words.weights[k];
    assert_true(sum > 0.999 && sum < 1.001);
    assert_true(words.key >= 0 && words.first[words.key] <= 2);
    bool found = false;
    for (int k = 0; k < words.n; k++)
        found = found || str_is(words.labels[k], "unbelievable");
    assert_true(found);
    Place other = cells_place(&words, words.n - 1);
    assert_int_equal(other.key, words.first[words.n - 1]);
    arena_free(arena);
    window_close(w);
}

static void a_typed_target_is_forced(void **state) {
    (void)state;
    Window *w = open_tiny(1200, 800, "She loves cats.");
    assert_true(w->target_own);
    act(w, "focus.target");
    type(w, "Elle aime");
    assert_false(w->target_own);
    assert_string_equal(w->state.target_text, "Elle aime");
    assert_true(w->pass->typed);
    assert_true(str_is(w->pass->output, "Elle aime"));
    act(w, "target.own");
    assert_true(w->target_own);
    assert_false(w->pass->typed);
    window_close(w);
}

static void heads_are_changed_and_changed_back(void **state) {
    (void)state;
    Window *w = open_tiny(1200, 800, "She loves cats.");
    act(w, "head.next");
    Place head = window_head(w);
    assert_true(head.layer >= 0 && head.head >= 0);
    act(w, "focus.picture");
    act(w, "ablate");
    double factor;
    assert_true(edit_head_factor(w, head, &factor));
    assert_true(factor == 0);
    assert_int_equal(w->state.edits.n, 1);
    assert_non_null(w->pass->plain);
    char reason[256];
    assert_true(window_view_fits(w, view_find("difference"), reason));
    act(w, "undo");
    assert_int_equal(w->state.edits.n, 0);
    act(w, "redo");
    assert_int_equal(w->state.edits.n, 1);
    act(w, "edits.clear");
    assert_int_equal(w->state.edits.n, 0);
    assert_null(w->pass->plain);
    window_close(w);
}

/* By keys alone: a cell is chosen word by word, and all of the row goes to it; the last one wins.
 */
static void a_weight_is_set_by_keys(void **state) {
    (void)state;
    Window *w = open_tiny(1200, 800, "She loves unbelievable cats.");
    act(w, "view.heatmap");
    act(w, "attention.encoder");
    act(w, "head.next");
    act(w, "units");
    act(w, "focus.picture");
    for (int i = 0; i < 3; i++)
        act(w, "select.down");
    act(w, "select.right");
    Place p = w->state.selection;
    assert_true(w->state.locked && p.query >= 0 && p.key >= 0);
    const int *first = w->shown->report.query_tokens;
    assert_int_equal(p.query, first[2]);
    int n_pieces = first[3] - first[2];
    assert_true(n_pieces > 1);
    act(w, "set");
    assert_int_equal(w->state.edits.n, n_pieces);
    Arena *arena = arena_new();
    Cells cells;
    assert_true(cells_read(w, &p, arena, &cells));
    assert_true(cells.weights[cells.key] > 0.4f);
    arena_free(arena);
    act(w, "select.right");
    act(w, "set");
    assert_int_equal(w->state.edits.n, n_pieces);
    window_close(w);
}

static void a_click_shows_a_hooks_values(void **state) {
    (void)state;
    Window *w = open_tiny(1200, 900, "She loves cats.");
    act(w, "view.blocks");
    int n_shown = 0;
    for (int i = 0; i < 6; i++) {
        click(w, (FigurePick){i, -1, -1}, 1);
        if (w->panel != PANEL_VALUES) continue;
        n_shown++;
        assert_non_null(w->values);
        assert_non_null(w->values->figure);
        assert_non_null(strstr(w->values_title, "hook_"));
        panel_close(w);
        assert_true(window_settle(w, LIMIT_MS));
    }
    assert_true(n_shown >= 4);
    /* In other pictures a click locks, and a second releases. */
    act(w, "view.heatmap");
    click(w, (FigurePick){0, 1, 2}, 1);
    assert_true(w->state.locked);
    assert_int_equal(w->state.selection.query, 1);
    assert_int_equal(w->state.selection.key, 2);
    click(w, (FigurePick){0, 1, 2}, 1);
    assert_false(w->state.locked);
    window_close(w);
}

static void post_gesture(float by) {
    SDL_Event event = {.type = SDL_MULTIGESTURE};
    event.mgesture.dDist = by;
    event.mgesture.x = event.mgesture.y = 0.5f;
    SDL_PushEvent(&event);
}

/* What a pointer cannot do under Xvfb: a pinch, a dropped file, an input method. */
static void pinches_drops_and_compositions(void **state) {
    (void)state;
    Window *w = open_tiny(1200, 800, "She loves cats.");
    act(w, "view.heatmap");
    double before = w->picture.zoom;
    post_gesture(0.2f);
    assert_true(window_settle(w, LIMIT_MS));
    assert_true(w->picture.zoom > before);
    const char *path = spawn_file("dropped.txt", "One cat.\n", 9);
    SDL_Event drop = {.type = SDL_DROPFILE};
    drop.drop.file = SDL_strdup(path);
    SDL_PushEvent(&drop);
    assert_true(window_settle(w, LIMIT_MS));
    assert_string_equal(w->state.text, "One cat.");
    act(w, "focus.source");
    SDL_Event compose = {.type = SDL_TEXTEDITING};
    snprintf(compose.edit.text, sizeof compose.edit.text, "ねこ");
    compose.edit.start = 2;
    SDL_PushEvent(&compose);
    window_step(w, 0);
    assert_true(w->source.edit.preedit.n > 0);
    compose.edit.text[0] = 0;
    SDL_PushEvent(&compose);
    type(w, "猫");
    assert_int_equal(w->source.edit.preedit.n, 0);
    assert_string_equal(w->state.text, "猫");
    window_close(w);
}

/* ---- anything, in any order ---- */

static uint32_t seed = 2026;
static int chance(int n) {
    seed = seed * 1664525u + 1013904223u;
    return (int)((seed >> 8) % (uint32_t)n);
}

static void check_invariants(Window *w) {
    assert_non_null(window_view(w));
    assert_true(w->source.edit.caret <= w->source.edit.n);
    assert_true(w->picture.zoom > 0);
    assert_true(w->user_scale >= 0.5 && w->user_scale <= 4);
    assert_true(w->state.edits.n <= PASS_MAX_EDITS);
    assert_true(steps_at(w) < steps_n(w) || steps_n(w) == 0);
    char *text = state_text(&w->state);
    State copy;
    Error error = {0};
    state_init(&copy);
    json_t *json = json_loads(text, 0, NULL);
    /* Every state that can be reached can be saved and read again. */
    assert_non_null(json);
    if (!state_merge(&copy, json, "state", &error)) fail_msg("%s: %s", error.message, text);
    json_decref(json);
    state_free(&copy);
    free(text);
}

static void poke(void) {
    static const char *const letters[] = {"a", " ", "é", "ب", "xyz", ".", "中"};
    static const SDL_Keycode keys[] = {SDLK_TAB,       SDLK_RETURN, SDLK_ESCAPE, SDLK_LEFT,
                                       SDLK_RIGHT,     SDLK_UP,     SDLK_DOWN,   SDLK_SPACE,
                                       SDLK_BACKSPACE, SDLK_1,      SDLK_k,      SDLK_z};
    SDL_Event event = {0};
    switch (chance(6)) {
    case 0:
        event.type = SDL_TEXTINPUT;
        snprintf(event.text.text, sizeof event.text.text, "%s", letters[chance(7)]);
        break;
    case 1:
        event.type = SDL_KEYDOWN;
        event.key.keysym.sym = keys[chance(12)];
        event.key.keysym.mod = (Uint16)(chance(3) ? 0 : chance(2) ? KMOD_LCTRL : KMOD_LSHIFT);
        break;
    case 2:
        event.type = SDL_MOUSEWHEEL;
        event.wheel.preciseY = (float)(chance(5) - 2);
        break;
    case 3:
        event.type = chance(2) ? SDL_MOUSEBUTTONDOWN : SDL_MOUSEBUTTONUP;
        event.button.button = SDL_BUTTON_LEFT;
        event.button.clicks = (Uint8)(1 + chance(2));
        event.button.x = chance(820);
        event.button.y = chance(620);
        break;
    default:
        event.type = SDL_MOUSEMOTION;
        event.motion.x = chance(820);
        event.motion.y = chance(620);
    }
    SDL_PushEvent(&event);
}

static void anything_in_any_order(void **state) {
    (void)state;
    const char *wanted = getenv("RANDOM_COMMANDS");
    int n_commands = wanted ? atoi(wanted) : 3000, n_actions = 0;
    while (actions[n_actions].name)
        n_actions++;
    double begin = window_now_ms();
    Window *w = open_tiny(800, 600, "She loves cats.");
    /* What panels write goes where it can be removed. */
    setenv("HOME", spawn_scratch(), 1);
    for (int i = 0; i < n_commands; i++) {
        const Action *a = &actions[chance(n_actions)];
        if (chance(3) == 0)
            poke();
        else if (strcmp(a->name, "quit") != 0 && strcmp(a->name, "full") != 0)
            action_run(w, a->name);
        if (chance(4) == 0) window_step(w, 0);
        if (chance(150) == 0) assert_true(window_settle(w, LIMIT_MS));
        w->quit = false;
        check_invariants(w);
        /* A slow machine does what it can in the time that the suite has. */
        if (!wanted && window_now_ms() - begin > 25000) {
            print_message("%d commands of %d\n", i + 1, n_commands);
            break;
        }
    }
    assert_true(window_settle(w, LIMIT_MS));
    window_close(w);
}

int main(void) {
    setenv("SDL_VIDEODRIVER", "dummy", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_opens_with_a_picture),
        cmocka_unit_test(every_view_draws_or_says_why_not),
        cmocka_unit_test(typing_runs_the_model),
        cmocka_unit_test(keys_posted_in_one_go),
        cmocka_unit_test(an_emptied_field_says_what_to_do),
        cmocka_unit_test(another_view_keeps_the_run_on_its_way),
        cmocka_unit_test(a_zoom_enlarges_and_ends_with_the_view),
        cmocka_unit_test(chosen_heads_are_marked_alone),
        cmocka_unit_test(steps_show_what_is_written_by_then),
        cmocka_unit_test(the_inspector_tells_of_words),
        cmocka_unit_test(a_typed_target_is_forced),
        cmocka_unit_test(heads_are_changed_and_changed_back),
        cmocka_unit_test(a_weight_is_set_by_keys),
        cmocka_unit_test(a_click_shows_a_hooks_values),
        cmocka_unit_test(pinches_drops_and_compositions),
        cmocka_unit_test(anything_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, spawn_clean);
}
