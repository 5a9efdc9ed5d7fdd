/* What the named commands of actions.c do, and when they can. The argument is the table's. */
#ifndef APP_WINDOW_ACT_H
#define APP_WINDOW_ACT_H

#include "app/window/window.h"

bool act_has_model(const Window *window);
bool act_has_picture(const Window *window);
bool act_has_steps(const Window *window);
bool act_has_lines(const Window *window);
bool act_writes_words(const Window *window);
bool act_has_edits(const Window *window);
bool act_has_head(const Window *window);
bool act_has_cell(const Window *window);
bool act_can_undo(const Window *window);
bool act_can_redo(const Window *window);
bool act_is_busy(const Window *window);
void act_open_panel(Window *window, int argument);
void act_open_export(Window *window, int argument);
void act_set_view(Window *window, int argument);
void act_step_view(Window *window, int argument);
void act_step_layer(Window *window, int argument);
void act_step_head(Window *window, int argument);
void act_set_attention(Window *window, int argument);
void act_toggle_units(Window *window, int argument);
void act_toggle_rows(Window *window, int argument);
void act_toggle_flag(Window *window, int argument);
void act_focus_field(Window *window, int argument);
void act_focus_picture(Window *window, int argument);
void act_zoom(Window *window, int argument);
void act_fit(Window *window, int argument);
void act_pan(Window *window, int argument);
void act_set_scale(Window *window, int argument);
void act_full_screen(Window *window, int argument);
void act_set_theme(Window *window, int argument);
void act_go_step(Window *window, int argument);
void act_play_pause(Window *window, int argument);
void act_ablate(Window *window, int argument);
void act_scale_head(Window *window, int argument);
void act_set_cell(Window *window, int argument);
void act_clear_edits(Window *window, int argument);
void act_undo(Window *window, int argument);
void act_redo(Window *window, int argument);
void act_copy_command(Window *window, int argument);
void act_quit(Window *window, int argument);
void act_cancel(Window *window, int argument);
void act_own_target(Window *window, int argument);
void act_step_line(Window *window, int argument);
void act_open_beam(Window *window, int argument);
void act_beams(Window *window, int argument);
void act_unlock(Window *window, int argument);
void act_heads_only(Window *window, int argument);
void act_continue_text(Window *window, int argument);
void act_move_selection(Window *window, int argument);

#endif
