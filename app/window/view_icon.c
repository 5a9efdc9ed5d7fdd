/* Each icon is a few boxes and lines on a grid of 16 by 16, written as text:
 * "b x y w h" a box, "f x y w h" a frame, "l x y x y" a line. */
#include "app/window/view_icon.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *view, *strokes;
} icons[] = {
    {"model", "b 1 1 4 4;b 6 1 4 4;b 11 1 4 4;b 1 6 4 4;b 6 6 4 4;b 11 6 4 4;b 1 11 4 4;"
              "b 6 11 4 4;b 11 11 4 4"},
    {"head", "l 2 3 14 8;l 2 8 14 3;l 2 13 14 13;l 2 8 14 8"},
    {"heatmap", "f 1 1 14 14;b 2 2 4 4;b 6 6 4 4;b 10 10 4 4"},
    {"arcs", "l 2 12 5 5;l 5 5 11 5;l 11 5 14 12;l 5 12 7 9;l 7 9 9 9;l 9 9 11 12"},
    {"cross", "b 1 2 4 2;b 1 7 4 2;b 1 12 4 2;b 11 2 4 2;b 11 12 4 2;l 5 3 11 3;l 5 8 11 13"},
    {"sentence", "b 1 3 5 3;b 7 3 8 3;b 1 9 8 3;b 10 9 5 3"},
    {"neuron", "b 1 2 2 5;b 4 2 2 3;b 7 2 2 6;b 10 2 2 2;b 13 2 2 4;l 1 13 15 13"},
    {"steps", "f 1 2 5 5;l 7 4 10 4;f 10 2 5 5;f 1 10 5 5;l 7 12 10 12;f 10 10 5 5"},
    {"positions", "l 1 8 4 2;l 4 2 8 14;l 8 14 12 2;l 12 2 15 8"},
    {"position-map", "f 1 1 14 14;b 2 3 12 2;b 2 7 12 1;b 2 11 12 2"},
    {"position-similarity", "l 1 14 5 11;l 5 11 8 2;l 8 2 11 11;l 11 11 15 14"},
    {"mask", "f 1 1 14 14;b 2 2 3 12;b 5 5 3 9;b 8 8 3 6;b 11 11 3 3"},
    {"blocks", "f 3 1 10 4;f 3 6 10 4;f 3 11 10 4"},
    {"difference", "l 3 5 9 5;l 6 2 6 8;l 8 12 14 12"},
    {"patches", "f 1 1 14 14;l 6 1 6 15;l 11 1 11 15;l 1 6 15 6;l 1 11 15 11"},
    {"audio", "b 1 6 2 4;b 4 3 2 10;b 7 1 2 14;b 10 4 2 8;b 13 6 2 4"},
};

void view_icon(Ui *ui, const char *view, Box box, Color color) {
    const char *at = "f 2 2 12 12";
    for (size_t i = 0; i < sizeof icons / sizeof *icons; i++)
        if (strcmp(icons[i].view, view) == 0) at = icons[i].strokes;
    double x0 = box.x + (box.w - 16) / 2, y0 = box.y + (box.h - 16) / 2;
    for (; at; at = strchr(at, ';') ? strchr(at, ';') + 1 : NULL) {
        char kind;
        double a, b, c, d;
        if (sscanf(at, "%c %lf %lf %lf %lf", &kind, &a, &b, &c, &d) != 5) return;
        if (kind == 'b')
            paint_fill(&ui->paint, (Box){x0 + a, y0 + b, c, d}, color);
        else if (kind == 'f')
            paint_frame(&ui->paint, (Box){x0 + a, y0 + b, c, d}, 2, 1.3, color);
        else
            paint_stroke(&ui->paint, x0 + a, y0 + b, x0 + c, y0 + d, 1.4, color);
    }
}
