/* Options that several commands take, one table a subject. */
#include "app/commands.h"

const Option options_model[] = {
    {.name = "model",
     .letter = 'm',
     .kind = OPTION_MODEL,
     .argument = "MODEL",
     .help = "folder, file, or name in the Hugging Face cache (default: the model that comes with "
             "the program, English to French and Finnish)"},
    {.name = "no-adapter",
     .kind = OPTION_FLAG,
     .help = "open a folder with a LoRA adapter without it: the base model alone"},
    {0}};

#define LANGUAGES                                                                                  \
    {.name = "to",                                                                                 \
     .kind = OPTION_TEXT,                                                                          \
     .argument = "LANGUAGE",                                                                       \
     .help = "target language, as the model calls it: fin, fra (default: the first, where a tag "  \
             "as >>fin<< tells it to the model, else what its own files say)"},                    \
    {                                                                                              \
        .name = "source-language", .kind = OPTION_TEXT, .argument = "LANGUAGE",                    \
        .help = "language of the text, for models that want to be told (mBART, M2M100); of the "   \
                "speech, which --to en has translated (Whisper)"                                   \
    }

const Option options_language[] = {LANGUAGES, {0}};

const Option options_search[] = {
    {.name = "beam",
     .kind = OPTION_INTEGER,
     .argument = "N",
     .help = "search with N beams (default: what generation_config.json says, else 1: greedy)",
     .min = 1,
     .max = 64},
    {.name = "max-new-tokens",
     .kind = OPTION_INTEGER,
     .argument = "N",
     .help = "write at most N tokens",
     .min = 1,
     .max = 100000},
    {0}};

const Option options_input[] = {
    {.name = "text", .kind = OPTION_TEXT, .argument = "TEXT", .help = "the text that is read"},
    {.name = "text-pair",
     .kind = OPTION_TEXT,
     .argument = "TEXT",
     .help = "a second sentence, for models that read two"},
    {.name = "target-text",
     .kind = OPTION_TEXT,
     .argument = "TEXT",
     .help = "what the decoder is made to write (default: what the model itself writes)"},
    LANGUAGES,
    {.name = "inputs",
     .kind = OPTION_FILE,
     .argument = "FILE",
     .help = "a batch in safetensors under Hugging Face's names (input_ids, attention_mask, "
             "decoder_input_ids ...) in place of a text"},
    {.name = "row",
     .kind = OPTION_INTEGER,
     .argument = "N",
     .help = "which row of the batch (default 0)",
     .max = 1e9},
    {.name = "image",
     .kind = OPTION_FILE,
     .argument = "FILE",
     .help = "PNG or JPEG, for models that look at pictures"},
    {.name = "audio",
     .kind = OPTION_FILE,
     .argument = "FILE",
     .help = "WAV or FLAC, for models that listen"},
    {0}};

const Option options_edits[] = {
    {.name = "ablate",
     .kind = OPTION_TEXT,
     .argument = "PLACE",
     .help = "switch a head off: decoder.2.cross_attn:H3, or L5H3 in a model of one stack",
     .repeatable = true},
    {.name = "scale",
     .kind = OPTION_TEXT,
     .argument = "PLACE=X",
     .help = "multiply what a head gives by X: encoder.0.attn:H1=0.5",
     .repeatable = true},
    {.name = "patch",
     .kind = OPTION_TEXT,
     .argument = "SITE[@POS]=TRACE",
     .help = "put in the values that another run had there: encoder.1.hook_resid_post@3=a.trace",
     .repeatable = true},
    {.name = "set",
     .kind = OPTION_TEXT,
     .argument = "PLACE:qN:kM=W",
     .help = "give one cell of a pattern the weight W; the rest of its row is scaled to sum to 1",
     .repeatable = true},
    {0}};

const Option options_output[] = {{.name = "output",
                                  .letter = 'o',
                                  .kind = OPTION_FILE,
                                  .argument = "FILE",
                                  .help = "write there instead of to the standard output"},
                                 {0}};

const Option options_json[] = {
    {.name = "json", .kind = OPTION_FLAG, .help = "answer in JSON, for programs"}, {0}};

const Option options_help[] = {
    {.name = "help", .letter = 'h', .kind = OPTION_FLAG, .help = "this help"},
    {.name = "version", .kind = OPTION_FLAG, .help = "the version of the program"},
    {0}};
