/* Completion of a path: what lies in the folder typed so far and begins as the rest does.
 *
 *     char *found[64];
 *     int n = complete_path("~/mod", found, 64);          owned by the caller
 */
#ifndef APP_WINDOW_COMPLETE_H
#define APP_WINDOW_COMPLETE_H

#include <stddef.h>

/* Folders end in a slash and come first; names that begin with a dot only when asked for. A leading
 * ~ stays as it was typed. */
int complete_path(const char *typed, char **out, int max);
/* How many bytes all of them begin with; 0 of none. */
size_t complete_shared(char *const *found, int n);
/* typed with ~ written out; the caller frees. */
char *complete_expand(const char *typed);

#endif
