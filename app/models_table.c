#include "app/models_table.h"

#include <string.h>

#include "model/arch.h"
#include "model/hooks.h"

/* Kinds of numbers that a weight may have. */
static void print_dtypes(Output *out) {
    output_puts(out, "Numbers of weights: ");
    for (int i = 0; i < DTYPE_COUNT; i++)
        output_printf(out, "%s%s", i ? ", " : "", dtype_info[i].name);
    output_puts(out, ".\n");
}

static void print_families(Output *out, bool markdown) {
    int n;
    const Arch *const *rows = arch_rows(&n);
    if (markdown)
        output_puts(out, "| model_type | models | fields of config.json |\n|---|---|---|\n");
    for (int i = 0; i < n; i++) {
        const Arch *a = rows[i];
        if (!markdown) {
            output_printf(out, "%-20s %s\n", a->model_type, a->title);
            continue;
        }
        output_printf(out, "| %s", a->model_type);
        for (const char *at = a->aliases; at && *at;) {
            size_t length = strcspn(at, " ");
            output_printf(out, ", %.*s", (int)length, at);
            at += length + (at[length] == ' ');
        }
        output_printf(out, " | %s | %s |\n", a->title, a->fields);
    }
}

static const char introduction[] =
    "# Models that open\n\n"
    "Written by `attnscope models --families --markdown`.\n\n"
    "A folder from Hugging Face, a file, or a name found in its cache; nothing is downloaded.\n"
    "Each family is one file in `model/arch/` and one row in `model/arch.c`.\n\n";

static const char limits[] =
    "\nFormats of weights: safetensors (single and in shards), pytorch_model.bin (zip and legacy; "
    "tensors only, no code is run), GGUF (llama, qwen2, gemma and GPT-2 files, whole or "
    "in parts), llama2.c's .bin, "
    "nanoGPT and minGPT checkpoints, Marian's .npz, and LoRA adapters over their base model.\n\n"
    "Tokenizers: tokenizer.json, vocab.txt, vocab.json with merges.txt, SentencePiece models, "
    "Marian's folders, Whisper's .tiktoken, those inside GGUF files and beside llama2.c's.\n\n"
    "## What is refused by name\n\n"
    "- quantization_config; attn_logit_softcapping and final_logit_softcapping; norms on queries "
    "and keys; experts; rope_scaling of other kinds than linear, dynamic and llama3\n"
    "- tensors that would change the numbers and that no family reads (q_norm, experts, qweight "
    "...); other tensors and fields that nothing reads are said on stderr\n"
    "- CLIP with both towers opens as that of pictures; that of texts is clip_text_model\n";

void models_table(Output *out, bool markdown) {
    if (markdown) output_puts(out, introduction);
    print_families(out, markdown);
    if (!markdown) return;
    output_puts(out, "\n");
    print_dtypes(out);
    output_puts(out, limits);
}

static json_t *words_of(const char *text) {
    json_t *list = json_array();
    for (const char *at = text; at && *at;) {
        size_t n = strcspn(at, " ");
        if (n) json_array_append_new(list, json_stringn(at, n));
        at += n + (at[n] == ' ');
    }
    return list;
}

void models_json(Output *out) {
    int n;
    const Arch *const *rows = arch_rows(&n);
    json_t *all = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(all,
                              json_pack("{s:s, s:o, s:s, s:o}", "model_type", rows[i]->model_type,
                                        "aliases", words_of(rows[i]->aliases), "models",
                                        rows[i]->title, "fields", words_of(rows[i]->fields)));
    output_json(out, all, true);
}
