/* What the builds of the views share: a chart's options from the state, and the report.
 *
 *     ChartOptions options = view_options(input, m.title, m.notes);
 *     if (!heatmap_draw(figure, &heatmap, &options, error)) return false;
 *     view_tell_matrices(figure, input, &m, "Rows are queries, columns keys");
 */
#ifndef APP_VIEWS_COMMON_H
#define APP_VIEWS_COMMON_H

#include "app/views/matrices.h"

/* Title, notes, size, colours and switches as the state says. */
ChartOptions view_options(const ViewInput *input, const char *title, const char *notes);
/* The same for weights drawn as lines: no colour map, and 0..1 unless --range says otherwise. */
ChartOptions view_line_options(const ViewInput *input, const Matrices *m, const char *notes);
/* The state's scale; where it says none: 0..1, or 0..largest when nothing reaches a half. */
ChartScale view_scale(const ViewInput *input, const Matrices *m);
/* "lines under 1 % left out: 3.2 % of the weight", for charts of lines with these options; "" where
 * none is. */
const char *view_faint_note(const Matrices *m, const ChartOptions *options, Arena *arena);
/* The locked selection (in the window also the hovered one) in focus, when it is of these heads. */
void view_focus(ChartOptions *options, const ViewInput *input, const Matrices *m);

/* In the window the lines of hundreds of tokens would be a block of colour: there only one query,
 * the picked one, is to be drawn with its largest weights. *row: which; *notes: says so. False:
 * there is room for all, as in a file, or the state says itself what to leave out. */
enum { VIEW_TOP_OF_MANY = 20 };
bool view_one_query(const ViewInput *input, const Matrices *m, int *row, const char **notes,
                    Arena *arena);

/* Fills the report, if one is wanted: title and quiet line from the figure, caption, picks. how: a
 * sentence on how to read it, "Rows are queries and columns keys". */
void view_tell_matrices(Figure *figure, const ViewInput *input, const Matrices *m, const char *how);
void view_tell(Figure *figure, const ViewInput *input, const char *how);

/* "en-fr-fi": the model's name for captions and titles; never NULL. */
const char *view_model_name(const ViewInput *input);
const char *view_joined(Arena *arena, const char *a, const char *b); /* "a · b", or the one */

/* ---- the builds, one a file ---- */
bool view_model(Figure *figure, const ViewInput *input, Error *error);
bool view_head(Figure *figure, const ViewInput *input, Error *error);
bool view_arcs(Figure *figure, const ViewInput *input, Error *error);
bool view_sentence(Figure *figure, const ViewInput *input, Error *error);
bool view_neuron(Figure *figure, const ViewInput *input, Error *error);
bool view_steps(Figure *figure, const ViewInput *input, Error *error);
bool view_mask(Figure *figure, const ViewInput *input, Error *error);
bool view_blocks(Figure *figure, const ViewInput *input, Error *error);
bool view_difference(Figure *figure, const ViewInput *input, Error *error);
bool view_heatmap(Figure *figure, const ViewInput *input, Error *error);
bool view_cross(Figure *figure, const ViewInput *input, Error *error);
bool view_positions(Figure *figure, const ViewInput *input, Error *error);
bool view_patches(Figure *figure, const ViewInput *input, Error *error);
bool view_audio(Figure *figure, const ViewInput *input, Error *error);
bool view_position_map(Figure *figure, const ViewInput *input, Error *error);
bool view_position_similarity(Figure *figure, const ViewInput *input, Error *error);

#endif
