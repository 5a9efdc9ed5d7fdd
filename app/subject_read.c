/* From words to what a pass reads: text or ids, pairs, languages, a target that is forced. */
#include <string.h>

#include "app/subject.h"
#include "model/base/utf8.h"
#include "model/begin.h"

/* Does the model read as many tokens as that? */
static bool check_length(const Subject *subject, StackId stack, int n, const char *where,
                         Error *error) {
    const StackConfig *config = &subject->model->config.stack[stack];
    int most = config->n_positions > 0 ? config->n_positions : 0;
    if (most == 0 || n <= most) return true;
    return error_set(error, ERROR_INPUT,
                     "%s: %d tokens, this model reads at most %d: shorten it, or give it line by "
                     "line",
                     where, n, most);
}

/* Without a tokenizer a text is ids with blanks or commas between: "5 12 7". */
static bool read_ids(const Subject *subject, Str text, bool target, Arena *arena, Tokens *out,
                     Error *error) {
    const ModelConfig *config = &subject->model->config;
    int limit = target || config->n_source_vocab < 1 ? config->n_vocab : config->n_source_vocab;
    int32_t *ids = arena_alloc(arena, (text.n / 2 + 1) * sizeof *ids);
    int n = 0;
    for (size_t at = 0; at < text.n;) {
        size_t end = at;
        while (end < text.n && !strchr(" ,\t\r\n", text.data[end]))
            end++;
        long long id = -1;
        bool number = integer_parse(str_sub(text, at, end), &id);
        if (end > at && (!number || id < 0 || id >= limit))
            return error_set(error, ERROR_INPUT,
                             "%s: no tokenizer in this folder, so it reads no text, but token ids: "
                             "0 to %d with blanks between, or --inputs FILE.safetensors",
                             subject->path, limit - 1);
        if (end > at) ids[n++] = (int32_t)id;
        at = end + 1;
    }
    *out = subject_tokens(subject, ids, n, target, arena);
    return n > 0 || error_set(error, ERROR_INPUT, "no token ids, at least one is expected");
}

static bool encode(const Subject *subject, Str text, const EncodeOptions *options,
                   const char *where, Arena *arena, Tokens *out, Error *error) {
    if (!subject->tokenizer && options->pair.data)
        return error_set(error, ERROR_INPUT,
                         "--text-pair: no tokenizer in %s, which would part two texts; --inputs "
                         "FILE.safetensors takes input_ids and token_type_ids",
                         subject->path);
    if (!subject->tokenizer) return read_ids(subject, text, options->target, arena, out, error);
    if (!utf8_check(text, where, error)) return false;
    const char *nul = text.n ? memchr(text.data, 0, text.n) : NULL;
    if (nul)
        return error_set(error, ERROR_INPUT, "%s: byte %zu is NUL, which is no text", where,
                         (size_t)(nul - text.data));
    if (subject_is_blank(text))
        return error_set(error, ERROR_INPUT, "%s: is empty, a sentence is expected", where);
    return tokenizer_encode(subject->tokenizer, arena_str(arena, text), options, arena, out,
                            error) ||
           error_prefix(error, "%s", where);
}

/* What Whisper's decoder is told, the tokens, and the end: a search begins with the same ids. */
static bool force_heard(const Subject *subject, Tokens target, Arena *arena, Input *input,
                        Error *error) {
    const GenerationConfig *generation = &subject->model->config.generation;
    const int32_t *begin = input->begin;
    int n = input->n_begin;
    if (n == 0 && !begin_ids(subject->model, input, NULL, arena, &begin, &n, error)) return false;
    int32_t *ids = arena_alloc(arena, ((size_t)n + (size_t)target.n + 2) * sizeof *ids);
    if (n > 0) memcpy(ids, begin, (size_t)n * sizeof *ids);
    if (n == 0 && generation->start_id >= 0) ids[n++] = generation->start_id;
    for (int i = 0; i < target.n; i++)
        ids[n++] = target.items[i].id;
    if (subject->tokenizer && generation->n_eos > 0) ids[n++] = generation->eos_ids[0];
    *input = generation_input(input, ids, n, subject->tokenizer, arena);
    return true;
}

/* start id + tokens: the decoder reads all but the last and writes all but the first. */
static void force_target(const Subject *subject, Tokens target, Arena *arena, Input *input) {
    const GenerationConfig *generation = &subject->model->config.generation;
    int32_t *ids = arena_alloc(arena, ((size_t)target.n + 1) * sizeof *ids);
    int n = 0;
    /* mBART begins with the language, which its own files put behind the target. */
    bool language_first = input->n_begin == 1;
    int32_t start = language_first ? input->begin[0] : generation->start_id;
    if (start >= 0) ids[n++] = start;
    if (language_first && target.n > 0 && target.items[target.n - 1].id == start) target.n--;
    for (int i = 0; i < target.n; i++)
        ids[n++] = target.items[i].id;
    *input = generation_input(input, ids, n, subject->tokenizer, arena);
}

/* A causal stack is made to write by giving it prompt and continuation together. */
static void append(Tokens *source, Tokens more, Arena *arena) {
    Token *items = arena_alloc(arena, (size_t)(source->n + more.n) * sizeof *items);
    StrBuf text = {0};
    strbuf_add(&text, source->text.data, source->text.n);
    strbuf_add(&text, more.text.data, more.text.n);
    memcpy(items, source->items, (size_t)source->n * sizeof *items);
    for (int i = 0; i < more.n; i++) {
        Token token = more.items[i];
        bool has_span = token.end > token.begin;
        token.begin += has_span ? (int64_t)source->text.n : 0;
        token.end += has_span ? (int64_t)source->text.n : 0;
        items[source->n + i] = token;
    }
    *source = (Tokens){
        .n = source->n + more.n, .items = items, .text = arena_str(arena, strbuf_str(&text))};
    strbuf_free(&text);
}

static bool read_target(const Subject *subject, Str target, const SubjectText *what,
                        const char *where, Arena *arena, Input *out, Error *error) {
    Family family = subject->model->config.family;
    bool two = family == FAMILY_ENCODER_DECODER || family == FAMILY_RECURRENT;
    if (family == FAMILY_ENCODER)
        return error_set(error, ERROR_INPUT,
                         "%s: this model (%s) writes nothing, it has no decoder; a second sentence "
                         "is given with --text-pair",
                         where, subject->model->config.model_type);
    bool hears = subject->model->config.front.kind == FRONT_SOUND;
    EncodeOptions options = {.special = two && !hears,
                             .target = two,
                             .target_language = two && !hears ? what->to : NULL};
    Tokens tokens;
    if (!encode(subject, target, &options, where, arena, &tokens, error)) return false;
    if (hears && !force_heard(subject, tokens, arena, out, error)) return false;
    if (two) {
        if (!hears) force_target(subject, tokens, arena, out);
        return check_length(subject, STACK_DECODER, out->target.n, where, error);
    }
    append(&out->source, tokens, arena);
    return check_length(subject, STACK_BLOCKS, out->source.n, where, error);
}

static const int32_t *types_of(Tokens tokens, Arena *arena) {
    int32_t *types = arena_alloc(arena, (size_t)tokens.n * sizeof *types);
    for (int i = 0; i < tokens.n; i++)
        types[i] = tokens.items[i].type;
    return types;
}

/* The language that --to asks for, as the decoder is told of it. */
static void set_begin(const Subject *subject, const SubjectText *what, Arena *arena, Input *out) {
    int32_t *begin = arena_alloc(arena, TOKENIZER_MAX_BEGIN * sizeof *begin);
    int32_t start = subject->model->config.generation.start_id;
    bool begins = what->to && subject->tokenizer;
    out->n_begin = begins ? tokenizer_begin(subject->tokenizer, what->to, start, begin) : 0;
    out->begin = out->n_begin ? begin : NULL;
}

/* --to alone is the language that is spoken and written; with another --source-language the task is
 * to translate, which Whisper does into English. */
static bool set_begin_of_sound(const Subject *subject, const SubjectText *what, Arena *arena,
                               Input *out, Error *error) {
    const char *spoken = what->source_language ? what->source_language : what->to;
    int32_t spoken_id, to_id;
    if (!spoken || !subject->tokenizer) return true;
    if (!tokenizer_find_language(subject->tokenizer, spoken, &spoken_id, error))
        return error_prefix(error, what->source_language ? "--source-language" : "--to");
    if (what->to && !tokenizer_find_language(subject->tokenizer, what->to, &to_id, error))
        return error_prefix(error, "--to");
    bool translates = what->to && spoken_id != to_id;
    if (translates && to_id != tokenizer_language_id(subject->tokenizer, "en"))
        return error_set(error, ERROR_INPUT,
                         "--to %s: what is said in another language (--source-language %s) is "
                         "translated into English (--to en) alone",
                         what->to, spoken);
    set_begin(subject, &(SubjectText){.to = spoken}, arena, out);
    if (!translates) return true;
    int32_t *begin = (int32_t *)(uintptr_t)out->begin; /* set_begin's own */
    int32_t write = tokenizer_id(subject->tokenizer, str("<|transcribe|>"), true);
    int32_t translate = tokenizer_id(subject->tokenizer, str("<|translate|>"), true);
    for (int i = 0; i < out->n_begin && translate >= 0; i++)
        if (begin[i] == write) begin[i] = translate;
    return translate >= 0 ||
           error_set(error, ERROR_INPUT, "--to en: this vocabulary has no <|translate|>");
}

bool subject_read_line(const Subject *subject, Str text, Str target, const SubjectText *what,
                       const char *where, Arena *arena, Input *out, Error *error) {
    const char *tag =
        what->to || !subject->tokenizer ? NULL : tokenizer_default_tag(subject->tokenizer, text);
    EncodeOptions options = {.special = true,
                             .target_language = tag ? tag : what->to,
                             .source_language = what->source_language,
                             .pair = what->text_pair ? str(what->text_pair) : (Str){0}};
    *out = (Input){0};
    StackId first = model_first_stack(subject->model);
    FrontKind front = subject->model->config.front.kind;
    if (front != FRONT_TOKENS)
        return error_set(error, ERROR_INPUT, "%s: this model (%s) %s", where,
                         subject->model->config.model_type,
                         front == FRONT_PATCHES ? "looks at pictures: --image FILE is expected"
                                                : "listens: --audio FILE is expected");
    if (!encode(subject, text, &options, where, arena, &out->source, error)) return false;
    if (!check_length(subject, first, out->source.n, where, error)) return false;
    if (what->text_pair) out->types = types_of(out->source, arena);
    set_begin(subject, what, arena, out);
    if (!target.data) return true;
    return read_target(subject, target, what, "--target-text", arena, out, error);
}

bool subject_read(const Subject *subject, const SubjectText *what, Arena *arena, Input *out,
                  Error *error) {
    if (what->inputs)
        return subject_read_inputs(subject, what->inputs, what->row, arena, out, error);
    Str target = what->target_text ? str(what->target_text) : (Str){0};
    if (what->image || what->audio) {
        bool ok = what->image ? subject_read_image(subject, what->image, arena, out, error)
                              : subject_read_audio(subject, what->audio, arena, out, error);
        if (ok && what->audio) ok = set_begin_of_sound(subject, what, arena, out, error);
        return ok && (!target.data ||
                      read_target(subject, target, what, "--target-text", arena, out, error));
    }
    if (!what->text)
        return error_set(
            error, ERROR_USAGE,
            "nothing to read: --text TEXT, --inputs FILE, --image FILE or --audio FILE "
            "is expected");
    return subject_read_line(subject, str(what->text), target, what, "--text", arena, out, error);
}

bool subject_complete(const Subject *subject, Input *input, const GenerateOptions *options,
                      Arena *arena, Error *error) {
    Family family = subject->model->config.family;
    if (family != FAMILY_ENCODER_DECODER && family != FAMILY_RECURRENT) return true;
    if (input->target.n > 0 || model_reads_source_twice(subject->model)) return true;
    Generation generation;
    if (!generate(subject->model, input, options, arena, &generation, error)) return false;
    *input = generation_input(input, generation.ids, generation.n, subject->tokenizer, arena);
    return true;
}
