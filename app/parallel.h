/* The same work on many things at once, on all cores.
 *
 *     parallel_for(n_lines, translate_line, &job);       work(context, 0 .. n - 1), any order
 *
 * While more than one thread is at it, BLAS has one thread in each.
 */
#ifndef APP_PARALLEL_H
#define APP_PARALLEL_H

/* Cores this process may use; OPENBLAS_NUM_THREADS bounds it. */
int parallel_n_threads(void);
/* Returns when all is done. work must be safe in several threads. */
void parallel_for(int n_items, void (*work)(void *context, int item), void *context);

#endif
