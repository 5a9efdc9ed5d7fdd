#include "model/run_hooks.h"

#include "model/capture.h"
#include "model/edit_apply.h"

Tensor hook_edited(Run *run, const HookPoint *at, Tensor x) {
    return edits_apply(run->edits, at, x, run->arena, run->tape, &run->undone);
}

void hook_record(Run *run, const HookPoint *at, Tensor x) {
    if (run->capture && capture_wants(run, at)) capture_put(run, at, x);
}

Tensor hook(Run *run, const HookPoint *at, Tensor x) {
    if (!run->edits && !run->capture) return x;
    x = hook_edited(run, at, x);
    hook_record(run, at, x);
    return x;
}

bool hook_wanted(const Run *run, const HookPoint *at) {
    return edits_touch(run->edits, at) || (run->capture && capture_wants(run, at));
}
