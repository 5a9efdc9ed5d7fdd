/* tokenize: lines in, one a line out. */
#include "app/commands.h"
#include "app/lines.h"
#include "app/model_path.h"
#include "app/output.h"
#include "model/base/json.h"
#include "model/tokenizer.h"

static const Option options[] = {
    {.name = "jsonl",
     .kind = OPTION_FLAG,
     .help = "read {\"text\": ...} a line and write {\"ids\": [...], \"tokens\": [...], "
             "\"offsets\": [[start, end], ...]}; offsets are bytes of the text"},
    {.name = "no-special", .kind = OPTION_FLAG, .help = "add no </s>, [CLS], [SEP] ..."},
    {.name = "target",
     .kind = OPTION_FLAG,
     .help = "as the side that is written, where it has a vocabulary of its own"},
    {.name = "to",
     .kind = OPTION_TEXT,
     .argument = "LANGUAGE",
     .help = "put the tag of a target language where the model expects it: fra, fin"},
    {.name = "source-language",
     .kind = OPTION_TEXT,
     .argument = "LANGUAGE",
     .help = "language of the text, for models that want to be told (mBART, M2M100)"},
    {0}};

static void write_plain(Output *out, const Tokens *tokens) {
    for (int i = 0; i < tokens->n; i++) {
        if (i > 0) output_puts(out, " ");
        output_str(out, tokens->items[i].label);
    }
    output_puts(out, "\n");
}

static void write_json(Output *out, const Tokens *tokens) {
    json_t *ids = json_array(), *labels = json_array(), *offsets = json_array();
    for (int i = 0; i < tokens->n; i++) {
        const Token *t = &tokens->items[i];
        json_array_append_new(ids, json_integer(t->id));
        json_array_append_new(labels, output_text(t->label));
        json_array_append_new(offsets,
                              json_pack("[I,I]", (json_int_t)t->begin, (json_int_t)t->end));
    }
    json_t *line = json_object();
    json_object_set_new(line, "ids", ids);
    json_object_set_new(line, "tokens", labels);
    json_object_set_new(line, "offsets", offsets);
    output_json(out, line, false);
}

/* The text of a line: itself, or the "text" of its JSON. */
static bool line_text(Str line, bool jsonl, Arena *arena, Str *out, Error *error) {
    *out = line;
    if (!jsonl) return true;
    json_t *root = json_parse(line, "not the JSON expected", 0, 0, error);
    if (!root) return false;
    json_t *text = json_object_get(root, "text");
    bool ok = json_is_string(text);
    if (ok)
        *out = arena_str(arena, (Str){json_string_value(text), json_string_length(text)});
    else
        error_set(error, ERROR_INPUT, "no \"text\" in it: {\"text\": \"...\"} is expected");
    json_decref(root);
    return ok;
}

static bool run_line(const Tokenizer *tokenizer, Str line, const Options *given, Arena *arena,
                     Output *out, Error *error) {
    bool jsonl = options_given(given, "jsonl");
    EncodeOptions encode = {.special = !options_given(given, "no-special"),
                            .target = options_given(given, "target"),
                            .target_language = options_text(given, "to", NULL),
                            .source_language = options_text(given, "source-language", NULL)};
    Str text;
    Tokens tokens;
    if (!line_text(line, jsonl, arena, &text, error)) return false;
    if (!tokenizer_encode(tokenizer, text, &encode, arena, &tokens, error)) return false;
    if (jsonl)
        write_json(out, &tokens);
    else
        write_plain(out, &tokens);
    return true;
}

static bool run_lines(const Tokenizer *tokenizer, LineReader *reader, const Options *given,
                      Output *out, Error *error) {
    Str lines[256];
    Arena *arena = arena_new();
    int number = 0, n_failed = 0;
    for (int n; !output_failed(out) && (n = lines_next(reader, 256, lines, error)) > 0;) {
        for (int i = 0; i < n; i++) {
            Error failure = {0};
            number++;
            arena_clear(arena);
            if (lines[i].n > 0 && run_line(tokenizer, lines[i], given, arena, out, &failure))
                continue;
            output_puts(out, "\n");
            if (failure.kind == ERROR_NONE) continue;
            output_note("line %d: %s", number, failure.message);
            n_failed++;
        }
        output_flush(out);
    }
    arena_free(arena);
    return error_ok(error) &&
           (n_failed == 0 ||
            error_set(error, ERROR_INPUT, "%d of %d lines failed", n_failed, number));
}

static bool run(const Options *given, Error *error) {
    Arena *arena = arena_new();
    const char *path = model_path_find(options_text(given, "model", NULL), arena, error);
    Tokenizer *tokenizer = path ? tokenizer_open(path, error) : NULL;
    const char *to = options_text(given, "to", NULL);
    int32_t id;
    bool known = tokenizer && (!to || tokenizer_find_language(tokenizer, to, &id, error) ||
                               error_prefix(error, "--to"));
    LineReader *reader = known ? lines_open(options_word(given, 0), error) : NULL;
    Output *out = reader ? output_open(options_text(given, "output", NULL), error) : NULL;
    bool ok = out && run_lines(tokenizer, reader, given, out, error);
    if (out) ok = output_close(out, error) && ok;
    lines_close(reader);
    tokenizer_free(tokenizer);
    arena_free(arena);
    return ok;
}

const Command command_tokenize = {
    .name = "tokenize",
    .title = "cut lines of text into the pieces that a model reads",
    .about =
        "Lines come from FILE or the standard input. An empty line gives an empty line; a line "
        "that fails gives an empty line and its number on the standard error.",
    .examples = "echo 'She loves cats.' | attnscope tokenize\n"
                "echo '{\"text\": \"She loves cats.\"}' | attnscope tokenize --jsonl --to fra\n"
                "attnscope tokenize --model bert-base-uncased --no-special sentences.txt\n",
    .options = {.groups = {options, options_model, options_output},
                .words = "[FILE]",
                .n_words_max = 1},
    .run = run,
};
