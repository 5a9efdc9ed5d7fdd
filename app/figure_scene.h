/* Everything a view draws from, got by what a state says: the model or a file of attentions, one
 * forward pass, and for differences a second one.
 *
 *     Scene scene;
 *     if (!scene_open(&scene, &state, view, subject, &error)) ...      subject NULL: opened here
 *     ViewInput input = scene_input(&scene, &state);
 *     scene_close(&scene);
 */
#ifndef APP_FIGURE_SCENE_H
#define APP_FIGURE_SCENE_H

#include "app/subject.h"
#include "app/views.h"

typedef struct Scene {
    const Subject *subject; /* NULL: attentions from a file */
    Subject *owned, *other; /* what is closed with the scene */
    Trace *trace, *baseline;
    const char *baseline_name;
    Arena *arena;
} Scene;

bool scene_open(Scene *scene, const State *state, const View *view, const Subject *subject,
                Error *error);
void scene_close(Scene *scene);
ViewInput scene_input(const Scene *scene, const State *state);

/* What the state says is to be read; borrowed from it. */
SubjectText scene_text(const State *state);

/* "ablate PLACE", ... of the state, checked against the model. */
bool scene_edits(const State *state, const Model *model, Arena *arena, Edits *out, Error *error);

#endif
