/* The window and the files of its user: what is opened, typed as a path, exported, kept, and what
 * is wrong with it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/window/input.h"
#include "app/window/jobs.h"
#include "app/window/lines.h"
#include "model/base/file.h"
#include "tests/app/spawn.h"
#include "tests/app/window_hand.h"

/* A model without a tokenizer reads ids; what is no id is said where the picture would be. */
static void ids_are_typed_where_no_tokenizer_is(void **state) {
    (void)state;
    Window *w = open_tiny(1200, 800, "She loves cats.");
    job_load(w, "tests/data/golden/marian");
    assert_true(window_settle(w, LIMIT_MS));
    assert_int_equal(input_kind(w), INPUT_IDS);
    assert_string_equal(w->state.text, "1 2 3 4 5 6 7 8");
    assert_non_null(w->pass);
    assert_int_equal(trace_source(w->pass->trace).n, 8);
    act(w, "focus.source");
    type(w, "3 5 999999");
    assert_non_null(strstr(w->notice, "token ids"));
    act(w, "focus.source");
    type(w, "3 5");
    assert_int_equal(trace_source(w->pass->trace).n, 2);
    job_load(w, TINY);
    assert_true(window_settle(w, LIMIT_MS));
    assert_int_equal(input_kind(w), INPUT_TEXT);
    window_close(w);
}

/* A model that looks reads the path of a picture: typed with Tab, or dropped. */
static void a_path_is_typed_where_a_picture_is_read(void **state) {
    (void)state;
    char png[600], part[600];
    snprintf(png, sizeof png, "%s/pictured.png", spawn_scratch());
    snprintf(part, sizeof part, "%s/pict", spawn_scratch());
    Window *w = open_tiny(1200, 800, "She loves cats.");
    job_export(w, png);
    assert_true(window_settle(w, LIMIT_MS));
    job_load(w, "tests/data/golden/deit");
    assert_true(window_settle(w, LIMIT_MS));
    assert_int_equal(input_kind(w), INPUT_PICTURE);
    assert_null(w->state.text);
    assert_null(w->pass);
    assert_string_equal(w->run_error, "");
    act(w, "focus.source");
    type(w, part);
    assert_null(w->state.image);
    key(w, SDLK_TAB, 0);
    assert_string_equal(w->state.image, png);
    assert_non_null(w->pass);
    assert_true(inked(w) > 200);
    /* It opens on the picture's own view; a patch that is clicked twice is the query. */
    assert_string_equal(w->state.view, "patches");
    click(w, (FigurePick){0, 0, 5}, 1);
    assert_int_equal(w->state.selection.key, 5);
    click(w, (FigurePick){0, 0, 5}, 2);
    assert_true(w->state.locked);
    assert_int_equal(w->state.selection.query, 5);
    /* A sound is nothing for it, and the picture stays. */
    const char *wav = spawn_file("x.wav", "RIFF", 4);
    window_open_path(w, wav);
    assert_true(window_settle(w, LIMIT_MS));
    assert_non_null(strstr(w->notice, "does not listen"));
    assert_string_equal(w->state.image, png);
    job_load(w, "tests/data/golden/whisper");
    assert_true(window_settle(w, LIMIT_MS));
    assert_int_equal(input_kind(w), INPUT_SOUND);
    assert_null(w->state.image);
    window_open_path(w, wav);
    assert_true(window_settle(w, LIMIT_MS));
    assert_int_not_equal(strlen(w->run_error), 0);
    job_load(w, TINY);
    assert_true(window_settle(w, LIMIT_MS));
    assert_non_null(w->state.text);
    assert_non_null(w->pass);
    window_close(w);
}

static void bad_things_are_said_and_survived(void **state) {
    (void)state;
    Window *w = open_tiny(900, 600, "She loves cats.");
    const Pass *before = w->pass;
    window_open_path(w, "/no/such/model/anywhere");
    assert_true(window_settle(w, LIMIT_MS));
    assert_true(w->notice_bad && *w->notice);
    assert_ptr_equal(w->pass, before);

    input_set_text(w, "bytes \xff\xfe\xc3(", NULL);
    assert_true(window_settle(w, LIMIT_MS));
    assert_true(strstr(w->state.text, "\xef\xbf\xbd") != NULL);

    char *big = malloc(10001);
    memset(big, 'a', 10000);
    for (int i = 5; i < 10000; i += 6)
        big[i] = ' ';
    big[10000] = 0;
    input_set_text(w, big, NULL);
    assert_true(window_settle(w, LIMIT_MS));
    free(big);
    assert_int_equal(w->source.edit.n, 10000);

    input_set_text(w, "", NULL);
    assert_true(window_settle(w, LIMIT_MS));
    input_set_text(w, "Good day.", NULL);
    assert_true(window_settle(w, LIMIT_MS));
    assert_true(str_is(w->pass->source, "Good day."));
    job_export(w, "/no/such/folder/x.png");
    assert_true(window_settle(w, LIMIT_MS));
    assert_non_null(strstr(w->notice, "no such folder"));
    input_set_text(w, "closed while it runs", NULL);
    window_frame(w);
    window_close(w);
}

static void a_picture_is_exported_with_its_session(void **state) {
    (void)state;
    Window *w = open_tiny(1200, 800, "She loves cats.");
    char path[512];
    snprintf(path, sizeof path, "%s/out.svg", spawn_scratch());
    act(w, "view.heatmap");
    job_export(w, path);
    assert_true(window_settle(w, LIMIT_MS));
    assert_non_null(strstr(w->notice, "Written"));
    assert_true(file_exists(path));
    /* What was written opens again as a session. */
    act(w, "view.cross");
    window_open_path(w, path);
    assert_true(window_settle(w, LIMIT_MS));
    assert_string_equal(w->state.view, "heatmap");
    window_close(w);
}

/* A window that keeps its session, with its first picture. */
static Window *open_kept(const char *text) {
    Error error = {0};
    WindowOptions options = {.model = TINY, .text = text, .width = 800, .height = 600};
    Window *w = window_open(&options, &error);
    assert_non_null(w);
    assert_true(window_settle(w, LIMIT_MS));
    return w;
}

static void the_session_is_kept_and_a_broken_one_set_aside(void **state) {
    (void)state;
    setenv("XDG_STATE_HOME", spawn_scratch(), 1);
    Error error = {0};
    Window *w = open_kept("Good day.");
    act(w, "view.heatmap");
    act(w, "theme.dark");
    window_close(w);

    WindowOptions again = {.width = 0};
    w = window_open(&again, &error);
    assert_true(window_settle(w, LIMIT_MS));
    assert_string_equal(w->state.text, "Good day.");
    assert_string_equal(w->state.view, "heatmap");
    assert_string_equal(w->ui.theme->name, "dark");
    assert_string_equal(w->state.model, TINY);
    char path[1200];
    snprintf(path, sizeof path, "%s", w->settings.path);
    window_close(w);

    assert_true(file_save(path, "{\"state\": [", 11, &error));
    w = open_kept("Good day."); /* a picture later it still says so */
    assert_non_null(strstr(w->notice, "set aside"));
    window_close(w);
    strcat(path, ".broken");
    assert_true(file_exists(path));
    unsetenv("XDG_STATE_HOME");
}

/* A window that is killed comes back as it stood a moment ago; one that rests writes nothing. */
static void the_session_is_kept_while_the_window_is_open(void **state) {
    (void)state;
    setenv("XDG_STATE_HOME", spawn_scratch(), 1);
    Window *w = open_kept("Good night.");
    act(w, "view.heatmap");
    assert_true(w->keep_at_ms > window_now_ms());
    w->keep_at_ms = 1; /* the moment is over */
    window_step(w, 1);
    Settings kept;
    char note[256] = "";
    settings_load(&kept, note, sizeof note);
    assert_string_equal(note, "");
    assert_string_equal(json_string_value(json_object_get(kept.state, "text")), "Good night.");
    assert_string_equal(json_string_value(json_object_get(kept.state, "view")), "heatmap");
    settings_free(&kept);
    unlink(w->settings.path);
    assert_true(window_settle(w, LIMIT_MS));
    w->keep_at_ms = 1; /* drawn again, and nothing has changed */
    window_step(w, 1);
    assert_false(file_exists(w->settings.path));
    window_close(w);
    unsetenv("XDG_STATE_HOME");
}

static void sentences_of_a_file_are_stepped_through(void **state) {
    (void)state;
    Window *w = open_tiny(900, 600, "She loves cats.");
    const char text[] = "One cat.\nTwo cats.\tDeux chats.\n\nThree dogs.\n";
    const char *path = spawn_file("lines.tsv", text, sizeof text - 1);
    window_open_path(w, path);
    assert_true(window_settle(w, LIMIT_MS));
    assert_int_equal(w->n_lines, 3);
    assert_string_equal(w->state.text, "One cat.");
    act(w, "lines.next");
    assert_string_equal(w->state.text, "Two cats.");
    assert_string_equal(w->state.target_text, "Deux chats.");
    act(w, "lines.next");
    act(w, "lines.next");
    assert_string_equal(w->state.text, "Three dogs.");
    assert_null(w->state.target_text);
    /* A file that is sorted by score is run, all of it. */
    window_open_path(w, path);
    assert_true(window_settle(w, LIMIT_MS));
    assert_int_equal(lines_n_scored(w), 1);
    lines_sort(w, 2);
    lines_score_on(w);
    assert_true(window_settle(w, LIMIT_MS));
    assert_int_equal(lines_n_scored(w), 3);
    for (int i = 0; i + 1 < 3; i++)
        assert_true(w->lines[w->line_rows[i]].worst <= w->lines[w->line_rows[i + 1]].worst);
    window_close(w);
}

/* A trace stays what is drawn also while the model is still being opened; the fields, whose words
 * are not drawn, are empty, and what is typed there takes its place. */
static void a_trace_is_opened_from_the_start(void **state) {
    (void)state;
    Spawned made = spawn_shell("$ATTNSCOPE trace --model tests/data/tiny --to fra --text 'a cat' "
                               "-o $SCRATCH/a.safetensors");
    assert_int_equal(made.status, 0);
    spawn_free(&made);
    char path[512];
    snprintf(path, sizeof path, "%s/a.safetensors", spawn_scratch());
    Error error = {0};
    WindowOptions options = {.model = TINY, .file = path, .width = 1200, .height = 800};
    options.fresh = true;
    Window *w = window_open(&options, &error);
    assert_non_null(w);
    assert_true(window_settle(w, LIMIT_MS));
    assert_non_null(w->loaded);
    assert_string_equal(w->state.from, path);
    assert_true(str_is(trace_source(w->pass->trace).items[0].label, ">>fra<<"));
    assert_int_equal(w->source.edit.n + w->target.edit.n, 0);
    act(w, "focus.source");
    type(w, "she loves");
    assert_null(w->state.from);
    assert_string_equal(w->state.text, "she loves");
    assert_true(str_is(trace_source(w->pass->trace).items[0].label, ">>fin<<"));
    window_close(w);
}

int main(void) {
    setenv("SDL_VIDEODRIVER", "dummy", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_typed_where_no_tokenizer_is),
        cmocka_unit_test(a_path_is_typed_where_a_picture_is_read),
        cmocka_unit_test(bad_things_are_said_and_survived),
        cmocka_unit_test(a_picture_is_exported_with_its_session),
        cmocka_unit_test(the_session_is_kept_and_a_broken_one_set_aside),
        cmocka_unit_test(the_session_is_kept_while_the_window_is_open),
        cmocka_unit_test(sentences_of_a_file_are_stepped_through),
        cmocka_unit_test(a_trace_is_opened_from_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, spawn_clean);
}
