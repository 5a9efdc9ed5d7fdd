/* Parallel text as training reads it: rows  lang <TAB> source <TAB> target  (plain or gzip), cut
 * into ids once, and dealt into batches anew in each pass.
 *
 *     Corpus *corpus = corpus_new(tokenizer, reverse);
 *     corpus_add(corpus, "train.tsv.gz", times, n_times, 1, max_tokens, &error);
 *     corpus_deal(corpus, &recipe, pass);                     shuffles, joins, buckets by length
 *     for (int b = 0; b < corpus_n_batches(corpus); b++)
 *         CorpusBatch batch = corpus_batch(corpus, b);
 *     corpus_free(corpus);
 *
 * Dealing depends on the seed and the number of the pass alone, so a resumed run goes on with the
 * batches that it would have had.
 */
#ifndef MODEL_CORPUS_H
#define MODEL_CORPUS_H

#include "model/recipe.h"
#include "model/tokenizer.h"

/* One example: one row, or several of one language joined. Ids end with </s> on both sides. */
typedef struct Example {
    int n_source, n_target;
    const int32_t *source, *target;
} Example;

typedef struct CorpusBatch {
    int n;
    const Example *examples; // [n]
} CorpusBatch;

typedef struct Corpus Corpus;

/* reverse: the target column is the source, and the tag names the other language. */
Corpus *corpus_new(const Tokenizer *tokenizer, bool reverse);
void corpus_free(Corpus *corpus); /* NULL is fine */
/* Adds the rows of a file; each counts `times` times, and the repeat of its language on top. */
bool corpus_add(Corpus *corpus, const char *path, const Recipe *recipe, int times, Error *error);
int corpus_n_rows(const Corpus *corpus);
int corpus_n_skipped(const Corpus *corpus); /* too long */
void corpus_deal(Corpus *corpus, const Recipe *recipe, int pass);
int corpus_n_batches(const Corpus *corpus);
CorpusBatch corpus_batch(const Corpus *corpus, int index);

#endif
