/* Small invented matrices and sentences for the tests of the charts.
 *
 *     Sample *sample = sample_new();
 *     ChartAxis axis = sample_axis(sample, SAMPLE_ARABIC, 0);
 *     ChartMatrix head = sample_matrix(sample, axis.n, axis.n, "L1H2");
 *     sample_free(sample);
 */
#ifndef TESTS_RENDER_SAMPLE_H
#define TESTS_RENDER_SAMPLE_H

#include "render/chart.h"

typedef struct Sample {
    Arena *arena;
    Text *text;
} Sample;

typedef enum SampleScript {
    SAMPLE_ENGLISH,
    SAMPLE_CHINESE,
    SAMPLE_ARABIC, /* with a word in two pieces */
    SAMPLE_HEBREW,
    SAMPLE_HINDI,
    SAMPLE_THAI,
    SAMPLE_EMOJI,   /* joined and flagged ones, combining marks in towers */
    SAMPLE_LONG,    /* a token of 300 characters among short ones */
    SAMPLE_AWKWARD, /* empty, blanks, control characters, broken UTF-8, markup */
    N_SAMPLE_SCRIPTS,
} SampleScript;

Sample *sample_new(void);
void sample_free(Sample *sample);
/* n tokens, going round; 0: as many as the script has. */
ChartAxis sample_axis(Sample *sample, SampleScript script, int n);
/* Rows sum to 1, strongest along the diagonal; always the same numbers. */
ChartMatrix sample_matrix(Sample *sample, int n_queries, int n_keys, const char *name);
/* The same with cells above the diagonal absent. */
ChartMatrix sample_causal(Sample *sample, int n, const char *name);

/* Fails the test unless everything lies on the page, with a point of grace for the ink of italics
 * and swashes. */
void sample_check_inside(const char *what, const Figure *figure);

#endif
