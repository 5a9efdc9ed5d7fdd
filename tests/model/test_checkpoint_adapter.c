/* LoRA adapters, written here as PEFT writes them. */
#include "model/safetensors.h"
#include "tests/model/checkpoint_hand.h"
#include "tests/model/scratch.h"

/* Base W [3, 2] = 1..6, A [1, 2] = (1, 2), B [3, 1] = (1, 0, -1), lora_alpha 2, r 1. */

static void write_base(const char *folder, const char *config, const char *weight, bool conv) {
    static const float w[6] = {1, 2, 3, 4, 5, 6};
    Error error = {0};
    scratch_write(arena_printf(scratch_arena(), "%s/config.json", folder), str(config));
    SafetensorsWriter *out = safetensors_create(
        scratch_path(arena_printf(scratch_arena(), "%s/model.safetensors", folder)), &error);
    safetensors_add(out, weight, DTYPE_F32, 2, conv ? (int64_t[]){2, 3} : (int64_t[]){3, 2}, w);
    safetensors_add(out, "model.head.weight", DTYPE_F32, 1, (int64_t[]){1}, w);
    safetensors_add(out, "words.weight", DTYPE_F32, 2, (int64_t[]){3, 2}, w);
    assert_true(safetensors_commit(out, &error));
}

static const float lora_a[2] = {1, 2}, lora_b[3] = {1, 0, -1};

static void write_adapter(const char *config, const char *module) {
    Error error = {0};
    scratch_write("adapter/adapter_config.json", str(config));
    SafetensorsWriter *out =
        safetensors_create(scratch_path("adapter/adapter_model.safetensors"), &error);
    Arena *arena = scratch_arena();
    safetensors_add(out, arena_printf(arena, "base_model.model.%s.lora_A.weight", module),
                    DTYPE_F32, 2, (int64_t[]){1, 2}, lora_a);
    safetensors_add(out, arena_printf(arena, "base_model.model.%s.lora_B.weight", module),
                    DTYPE_F32, 2, (int64_t[]){3, 1}, lora_b);
    static const float head = 42;
    safetensors_add(out, "base_model.model.model.head.weight", DTYPE_F32, 1, (int64_t[]){1}, &head);
    assert_true(safetensors_commit(out, &error));
}

#define LORA(more)                                                                                 \
    "{\"peft_type\": \"LORA\", \"base_model_name_or_path\": \"../base\", \"r\": 1, "               \
    "\"lora_alpha\": "                                                                             \
    "2, \"target_modules\": [\"q\"]" more "}"

static void adapters_are_merged(void **state) {
    (void)state;
    static const struct {
        const char *config, *weight, *module, *adapter;
        bool conv;
        float want[6];
    } cases[] = {
        {"{}", "model.q.weight", "model.q", LORA(""), false, {3, 6, 3, 4, 3, 2}},
        {"{}", "q.weight", "model.q", LORA(""), false, {3, 6, 3, 4, 3, 2}},
        {"{}",
         "model.q.weight",
         "q",
         LORA(", \"use_rslora\": true, \"use_dora\": false"),
         false,
         {3, 6, 3, 4, 3, 2}},
        {"{}",
         "model.q.weight",
         "model.q",
         LORA(", \"alpha_pattern\": {\"q\": 1, \"model.q\": 9}"), /* the first that fits */
         false,
         {2, 4, 3, 4, 4, 4}},
        {"{\"model_type\": \"gpt2\"}",
         "h.0.c_attn.weight",
         "transformer.h.0.c_attn",
         LORA(""),
         true,
         {3, 2, 1, 8, 5, 2}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_base("base", cases[i].config, cases[i].weight, cases[i].conv);
        write_adapter(cases[i].adapter, cases[i].module);
        Checkpoint *c = checkpoint_must_open(scratch_path("adapter"));
        assert_string_equal(checkpoint_format(c), "lora adapter");
        assert_non_null(strstr(checkpoint_tokenizer_path(c), "base"));
        const float *w = checkpoint_numbers(c, cases[i].weight);
        for (int k = 0; k < 6; k++)
            assert_true(w[k] == cases[i].want[k]);
        assert_true(*checkpoint_numbers(c, "model.head.weight") == 42);
        checkpoint_close(c);
        Error error = {0};
        c = checkpoint_open_with(scratch_path("adapter"), &(CheckpointOptions){.no_adapter = true},
                                 &error);
        assert_non_null(c);
        assert_true(checkpoint_numbers(c, cases[i].weight)[0] == 1 &&
                    *checkpoint_numbers(c, "model.head.weight") == 1);
        checkpoint_close(c);
    }
}

static void embeddings_are_merged_turned(void **state) {
    (void)state;
    write_base("base", "{}", "model.q.weight", false);
    scratch_write("adapter/adapter_config.json", str(LORA("")));
    Error error = {0};
    SafetensorsWriter *out =
        safetensors_create(scratch_path("adapter/adapter_model.safetensors"), &error);
    safetensors_add(out, "base_model.model.words.lora_embedding_A", DTYPE_F32, 2, (int64_t[]){1, 3},
                    lora_b);
    safetensors_add(out, "base_model.model.words.lora_embedding_B", DTYPE_F32, 2, (int64_t[]){2, 1},
                    lora_a);
    assert_true(safetensors_commit(out, &error));
    Checkpoint *c = checkpoint_must_open(scratch_path("adapter"));
    static const float want[6] = {3, 6, 3, 4, 3, 2};
    assert_memory_equal(checkpoint_numbers(c, "words.weight"), want, sizeof want);
    checkpoint_close(c);
}

static void other_adapters_are_refused(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"{\"peft_type\": \"IA3\", \"base_model_name_or_path\": \"../base\"}", "IA3"},
        {"{\"base_model_name_or_path\": \"../base\"}", "peft_type"},
        {"{\"peft_type\": \"LORA\", \"lora_alpha\": 1}", "base_model_name_or_path"},
        {"{\"peft_type\": \"LORA\", \"base_model_name_or_path\": \"../nowhere\"}", "nowhere"},
        {"{\"peft_type\": \"LORA\", \"base_model_name_or_path\": \"../adapter\"}",
         "adapter itself"},
        {LORA(", \"use_dora\": true"), "use_dora"},
        {LORA(", \"layer_replication\": [[0, 4]]"), "layer_replication"},
        {LORA(", \"some_new_field\": 1"), "some_new_field"},
        {LORA(", \"init_lora_weights\": \"pissa_niter_4\""), "pissa"},
        {LORA(", \"alpha_pattern\": {\"q|v\": 1}"), "alpha_pattern"},
    };
    write_base("base", "{}", "model.q.weight", false);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_adapter(cases[i][0], "model.q");
        checkpoint_must_fail(scratch_path("adapter"), cases[i][1]);
    }
    write_adapter(LORA(""), "model.v");
    checkpoint_must_fail(scratch_path("adapter"), "model.v.weight");
    write_adapter(LORA(""), "model.head");
    checkpoint_must_fail(scratch_path("adapter"), "model.head.weight");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adapters_are_merged),
        cmocka_unit_test(embeddings_are_merged_turned),
        cmocka_unit_test(other_adapters_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
