/* window: the desktop window. Also what runs when the program is called without a command. */
#include "app/commands.h"
#include "app/window/window.h"

static const Option options[] = {
    {.name = "text", .kind = OPTION_TEXT, .argument = "TEXT", .help = "the sentence to begin with"},
    {.name = "session",
     .kind = OPTION_FILE,
     .argument = "FILE",
     .help = "open a saved session: the window's JSON, or a figure that carries its spec"},
    {.name = "theme",
     .kind = OPTION_CHOICE,
     .argument = "light|dark|projector",
     .help = "colours (default: as last time)"},
    {.name = "scale",
     .kind = OPTION_NUMBER,
     .argument = "FACTOR",
     .help = "size of everything: 2 is 200 % (default: as last time)",
     .min = 0.5,
     .max = 4},
    {.name = "size",
     .kind = OPTION_TEXT,
     .argument = "WxH",
     .help = "of the window in pixels, as 1440x900 (default: as last time)"},
    {.name = "screenshot",
     .kind = OPTION_FILE,
     .argument = "FILE",
     .help = "write the first whole picture of the window as PNG and end"},
    {.name = "fresh", .kind = OPTION_FLAG, .help = "neither read nor keep the last session"},
    {0}};

static bool read_size(const Options *given, WindowOptions *out, Error *error) {
    const char *text = options_text(given, "size", NULL);
    char end;
    if (!text) return true;
    if (sscanf(text, "%dx%d%c", &out->width, &out->height, &end) == 2 && out->width >= 320 &&
        out->height >= 240 && out->width <= 16384 && out->height <= 16384)
        return true;
    return error_set(error, ERROR_USAGE,
                     "--size %s: width and height in pixels are expected, as 1440x900", text);
}

static bool run(const Options *given, Error *error) {
    WindowOptions options_of = {.model = options_text(given, "model", NULL),
                                .text = options_text(given, "text", NULL),
                                .session = options_text(given, "session", NULL),
                                .theme = options_text(given, "theme", NULL),
                                .screenshot = options_text(given, "screenshot", NULL),
                                .scale = options_number(given, "scale", 0),
                                .file = options_word(given, 0),
                                .fresh = options_given(given, "fresh")};
    if (!read_size(given, &options_of, error)) return false;
    Window *window = window_open(&options_of, error);
    if (!window) return false;
    bool ok = true;
    if (options_of.screenshot)
        ok = window_settle(window, 60000) || error_set(error, ERROR_IO, "the picture did not come");
    else
        window_loop(window);
    window_close(window);
    return ok;
}

const Command command_window = {
    .name = "window",
    .title = "open the window: type a sentence and see what every head does with it",
    .about =
        "FILE is a model's folder, a trace, a session, or a text file of sentences (with a tab:\n"
        "of pairs). The window remembers its session in $XDG_STATE_HOME/attnscope.\n",
    .examples = "attnscope\n"
                "attnscope window --text 'She loves cats.' --theme dark\n"
                "attnscope window --model models/bert-base-uncased --scale 2\n",
    .options = {.groups = {options, options_model}, .words = "[FILE]", .n_words_max = 1},
    .run = run,
};
