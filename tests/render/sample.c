#include "tests/render/sample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const WORDS[N_SAMPLE_SCRIPTS][10] = {
    {"[CLS]", "the", "cat", "sat", "on", "the", "mat", ".", "[SEP]"},
    {"我", "喜欢", "在", "北京", "的", "秋天", "散步", "。"},
    {"أحب", "ال", "~قطة", "التي", "تجلس", "على", "السجادة", "."},
    {"החתול", "ישב", "על", "השטיח", "."},
    {"नमस्ते", "दुनिया", "क्षत्रिय", "श्री", "।"},
    {"สวัสดี", "ชาวโลก", "ก่อนที่", "น้ำ"},
    {"🙂", "👩‍👩‍👧‍👦", "🇫🇮", "é̂ǘ",
     "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢", "ok"},
    {"so",
     "DonaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaftDonaudampf"
     "schifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaftDonaudampfschifffahrts"
     "elektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
     "long", "."},
    {"", "  ", "\n", "\x01\x02", "\xff\xfe", "<b>&\"'</b>", "]]>", "\xe2\x80\xa8"},
};

Sample *sample_new(void) {
    Sample *sample = calloc(1, sizeof *sample);
    if (!sample) abort();
    sample->arena = arena_new();
    sample->text = text_new(NULL);
    return sample;
}

void sample_free(Sample *sample) {
    text_free(sample->text);
    arena_free(sample->arena);
    free(sample);
}

ChartAxis sample_axis(Sample *sample, SampleScript script, int n) {
    int n_words = 0;
    while (n_words < 10 && WORDS[script][n_words])
        n_words++;
    if (n == 0) n = n_words;
    ChartToken *tokens = arena_calloc(sample->arena, (size_t)n, sizeof *tokens);
    for (int i = 0; i < n; i++) {
        const char *word = WORDS[script][i % n_words];
        tokens[i].continues = word[0] == '~';
        tokens[i].text = str(word + tokens[i].continues);
        tokens[i].special = word[0] == '[' || str_is(str(word), "</s>");
    }
    return (ChartAxis){.n = n, .tokens = tokens};
}

ChartMatrix sample_matrix(Sample *sample, int n_queries, int n_keys, const char *name) {
    Tensor weights = tensor_new(sample->arena, 2, n_queries, n_keys);
    unsigned seed = 12345;
    for (int q = 0; q < n_queries; q++) {
        float sum = 0;
        for (int k = 0; k < n_keys; k++) {
            seed = seed * 1664525u + 1013904223u;
            float near = (float)(q * n_keys) / (float)n_queries - (float)k;
            float x = expf(-near * near) + 0.1f * (float)(seed >> 8) / (float)(1 << 24);
            *tensor_at(weights, q, k, 0, 0) = x;
            sum += x;
        }
        for (int k = 0; k < n_keys; k++)
            *tensor_at(weights, q, k, 0, 0) /= sum;
    }
    return (ChartMatrix){.weights = weights, .name = name};
}

ChartMatrix sample_causal(Sample *sample, int n, const char *name) {
    ChartMatrix matrix = sample_matrix(sample, n, n, name);
    for (int q = 0; q < n; q++)
        for (int k = q + 1; k < n; k++)
            *tensor_at(matrix.weights, q, k, 0, 0) = NAN;
    return matrix;
}

void sample_check_inside(const char *what, const Figure *figure) {
    FigureBox page = figure_bounds(figure);
    int n;
    const FigureItem *items = figure_items(figure, &n);
    for (int i = 0; i < n; i++) {
        if (items[i].kind > FIGURE_IMAGE) continue;
        FigureBox b = items[i].box;
        bool inside = b.x > -1 && b.y > -1 && b.x + b.w < page.w + 1 && b.y + b.h < page.h + 1;
        if (!inside)
            fail_msg("%s: item %d (kind %d '%s') at %.1f,%.1f %.1f x %.1f leaves the page of %.0f "
                     "x %.0f",
                     what, i, items[i].kind,
                     items[i].kind == FIGURE_TEXT ? items[i].text->s.data : "", b.x, b.y, b.w, b.h,
                     page.w, page.h);
    }
}
