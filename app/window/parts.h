/* What a frame is drawn of, each in its box: the loop puts them side by side, panel_draw() lays the
 * open panel over them. Nothing else calls these. */
#ifndef APP_WINDOW_PARTS_H
#define APP_WINDOW_PARTS_H

#include "app/window/window.h"

void topbar_draw(Window *window, Box box);
double topbar_height(Window *window, double width);
void sidebar_draw(Window *window, Box box, bool narrow);
void sidebar_list(Window *window, Box box);
void header_draw(Window *window, Box box);
double header_height(Window *window, double width);
void picture_draw(Window *window, Box area);
bool picture_shows_progress(const Window *window);
void inspector_draw(Window *window, Box box);
void strip_draw(Window *window, Box box);
bool strip_wanted(const Window *window);

void panel_draw(Window *window);
void panel_palette(Window *window, Box box);
void panel_help(Window *window, Box box);
void panel_open_model(Window *window, Box box);
void panel_export(Window *window, Box box);
void panel_heads(Window *window, Box box);
void panel_beam(Window *window, Box box);
void panel_lines(Window *window, Box box);
void panel_options(Window *window, Box box);

#endif
