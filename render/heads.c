#include "render/heads.h"

double heads_legend(Figure *figure, double x, double y, double width, const ChartMatrix *heads,
                    int n_heads) {
    const Theme *theme = figure_theme(figure);
    double size = theme->type_small, swatch = size * 0.8, pitch = size * 1.7, at = x;
    FigureTextStyle style = {.font = {.size = size, .tabular = true}, .color = theme->ink};
    for (int i = 0; i < n_heads; i++) {
        Str name = str(heads[i].name ? heads[i].name : "head");
        double w = text_width(figure_fonts(figure), name, style.font) + swatch + size * 1.6;
        if (at > x && at + w - size > x + width) at = x, y += pitch;
        FigureMark mark = {.pick = {i, -1, -1}, .role = FIGURE_LABEL};
        figure_rect(figure, (FigureBox){at, y, swatch, swatch}, 2,
                    (FigurePaint){.fill = theme_hue(theme, i, n_heads)}, &mark);
        style.max_width = width - swatch - size * 0.5;
        figure_text(figure, at + swatch + size * 0.45, y + swatch * 0.5 + size * 0.36, name, style,
                    &mark);
        at += w;
    }
    return y + swatch;
}
