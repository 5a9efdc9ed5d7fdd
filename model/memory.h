/* Is there room for it? Asked before a run is begun, so that a text that is too long is refused in
 * one line and not killed by the system.
 *
 *     if (!memory_fits(n_bytes, "a pass over 9,000 tokens", "a shorter text takes less",
 *                      &error)) ...
 */
#ifndef MODEL_MEMORY_H
#define MODEL_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/error.h"

/* Bytes that can still be had, of the machine and of the group of processes that this one belongs
 * to (a container); -1 where the system does not say. */
int64_t memory_available(void);
/* advice: what would take less. */
bool memory_fits(int64_t n_bytes, const char *what, const char *advice, Error *error);

#endif
