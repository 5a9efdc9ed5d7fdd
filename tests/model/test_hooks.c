/* Names of sites: printed and parsed back, and nothing else is taken for one. */
#include "tests/model/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/hooks.h"

static void expect_round_trip(HookPoint at) {
    char name[HOOK_NAME_MAX], again[HOOK_NAME_MAX];
    HookPoint back;
    hook_name(&at, name);
    if (!hook_parse(name, &back)) fail_msg("%s is not parsed", name);
    assert_string_equal(hook_name(&back, again), name);
    assert_int_equal(back.site, at.site);
    if (hook_sites[at.site].scope != SCOPE_MODEL) assert_int_equal(back.stack, at.stack);
    if (hook_sites[at.site].scope >= SCOPE_LAYER) assert_int_equal(back.layer, at.layer);
}

static void names_come_back(void **state) {
    (void)state;
    for (Site site = 0; site < SITE_COUNT; site++) {
        assert_non_null(hook_sites[site].name);
        assert_true(strlen(hook_sites[site].axes) > 2 && strlen(hook_sites[site].meaning) > 3);
        for (StackId stack = 0; stack < STACK_COUNT; stack++)
            for (int layer = 0; layer < 120; layer += 17) {
                HookPoint at = {.site = site, .stack = stack, .layer = layer};
                expect_round_trip(at);
                bool has_cross =
                    hook_sites[site].cross_name || hook_sites[site].scope == SCOPE_ATTENTION;
                at.cross = stack == STACK_DECODER && has_cross;
                expect_round_trip(at);
            }
    }
}

static void names_as_others_write_them(void **state) {
    (void)state;
    static const struct {
        const char *name;
        Site site;
        StackId stack;
        int layer;
        bool cross;
    } known[] = {
        {"blocks.5.attn.hook_pattern", SITE_PATTERN, STACK_BLOCKS, 5, false},
        {"decoder.2.cross_attn.hook_z", SITE_Z, STACK_DECODER, 2, true},
        {"hook_embed", SITE_EMBED, STACK_BLOCKS, 0, false},
        {"hook_pos_embed", SITE_POS_EMBED, STACK_BLOCKS, 0, false},
        {"encoder.hook_embed", SITE_EMBED, STACK_ENCODER, 0, false},
        {"ln_final.hook_normalized", SITE_FINAL_NORMALIZED, STACK_BLOCKS, 0, false},
        {"decoder.ln_final.hook_normalized", SITE_FINAL_NORMALIZED, STACK_DECODER, 0, false},
        {"logits", SITE_LOGITS, STACK_BLOCKS, 0, false},
        {"blocks.0.hook_resid_mid", SITE_RESID_MID, STACK_BLOCKS, 0, false},
        {"decoder.0.hook_resid_mid_cross", SITE_RESID_MID, STACK_DECODER, 0, true},
        {"decoder.1.hook_cross_attn_out", SITE_ATTN_OUT, STACK_DECODER, 1, true},
        {"decoder.1.hook_normalized_resid_mid_cross", SITE_NORMALIZED_RESID_MID, STACK_DECODER, 1,
         true},
        {"blocks.11.mlp.hook_post", SITE_MLP_POST, STACK_BLOCKS, 11, false},
        {"blocks.11.ln2.hook_scale", SITE_LN2_SCALE, STACK_BLOCKS, 11, false},
        {"blocks.3.attn.hook_attn_scores", SITE_SCORES, STACK_BLOCKS, 3, false},
        {"blocks.3.attn.hook_rot_q", SITE_ROT_Q, STACK_BLOCKS, 3, false}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        HookPoint at;
        if (!hook_parse(known[i].name, &at)) fail_msg("%s", known[i].name);
        assert_int_equal(at.site, known[i].site);
        assert_int_equal(at.stack, known[i].stack);
        assert_int_equal(at.layer, known[i].layer);
        assert_int_equal(at.cross, known[i].cross);
        char name[HOOK_NAME_MAX];
        assert_string_equal(hook_name(&at, name), known[i].name);
    }
}

static void what_is_no_name(void **state) {
    (void)state;
    static const char *const wrong[] = {"",
                                        "hook",
                                        "blocks",
                                        "blocks.",
                                        "blocks.1",
                                        "blocks.1.",
                                        "blocks.1.hook_q",
                                        "blocks.x.hook_resid_pre",
                                        "blocks.-1.hook_resid_pre",
                                        "blocks. 1.hook_resid_pre",
                                        "blocks.+1.hook_resid_pre",
                                        "blocks.99999999999999999999.hook_resid_pre",
                                        "blocks.1.attn",
                                        "blocks.1.attn.hook_q ",
                                        "blocks.1.attn.hook_resid_pre",
                                        "blocks.hook_embed",
                                        "1.attn.hook_q",
                                        "stack.1.attn.hook_q",
                                        "encoder.logits",
                                        "logits2",
                                        "decoder.decoder.1.attn.hook_q"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        HookPoint at;
        if (hook_parse(wrong[i], &at)) fail_msg("\"%s\" was taken", wrong[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_come_back),
                                       cmocka_unit_test(names_as_others_write_them),
                                       cmocka_unit_test(what_is_no_name)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
