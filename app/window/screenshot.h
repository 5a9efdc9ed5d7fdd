/* The window's own pixels as a PNG. */
#ifndef APP_WINDOW_SCREENSHOT_H
#define APP_WINDOW_SCREENSHOT_H

#include "model/base/error.h"
#include "render/canvas.h"

bool screenshot_save(const CanvasPixels *pixels, const char *path, Error *error);

#endif
