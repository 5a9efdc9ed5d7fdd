/* Which head is shown when nobody said: the one that the model card names, else the layer whose
 * cross-attention is the sharpest off the special tokens. */
#include "app/views.h"
#include "model/measure/measure.h"

static bool named_by_the_card(const ViewInput *input, Place *out) {
    if (!input->model || !input->model->checkpoint) return false;
    const json_t *config = checkpoint_config(input->model->checkpoint);
    const json_t *head = json_object_get(json_object_get(config, "attnscope"), "alignment_head");
    if (!json_is_string(head)) return false;
    Place place;
    Str text = {json_string_value(head), json_string_length(head)};
    if (!place_parse(text, &place, NULL)) return false;
    const Trace *t = input->trace;
    bool there = place.layer >= 0 && place.layer < trace_n_layers(t, place.stack, place.cross) &&
                 place.head < trace_n_heads(t, place.stack, place.cross);
    if (there) *out = place;
    return there;
}

static Place sharpest_cross_layer(const Trace *trace) {
    Place best = place_attention(STACK_DECODER, true);
    Tokens source = trace_source(trace);
    Arena *arena = arena_new();
    bool *special = arena_calloc(arena, (size_t)source.n + 1, sizeof *special);
    for (int i = 0; i < source.n; i++)
        special[i] = source.items[i].special;
    double least = 0;
    for (int layer = 0; layer < trace_n_layers(trace, STACK_DECODER, true); layer++) {
        Pattern pattern;
        if (!trace_pattern(trace, STACK_DECODER, layer, true, &pattern)) continue;
        double bits =
            measure_layer_sharpness(&pattern, pattern.n_keys == source.n ? special : NULL);
        if (best.layer >= 0 && bits >= least) continue;
        best.layer = layer;
        least = bits;
    }
    arena_free(arena);
    return best;
}

Place view_default_place(const ViewInput *input, const char **why) {
    const char *ignored;
    if (!why) why = &ignored;
    *why = NULL;
    Place place = place_none();
    if (!input->trace) return place;
    if (named_by_the_card(input, &place)) {
        *why = "the head that the model card names";
        return place;
    }
    if (trace_has(input->trace, STACK_DECODER, true)) {
        *why = "the layer whose cross-attention has the lowest entropy off the special tokens";
        return sharpest_cross_layer(input->trace);
    }
    static const StackId order[] = {STACK_BLOCKS, STACK_ENCODER, STACK_DECODER};
    for (int i = 0; i < 3; i++)
        if (trace_has(input->trace, order[i], false)) {
            place.stack = order[i];
            place.layer = place.head = 0;
            *why = "no head was asked for: the first";
            break;
        }
    return place;
}
