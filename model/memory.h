/* Is there room for it? Asked before a run is begun (effort.h), so that a text that is too long is
 * refused in one line and not killed by the system.
 *
 *     if (!memory_fits(n_bytes)) ...
 */
#ifndef MODEL_MEMORY_H
#define MODEL_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes that can still be had, of the machine, of the groups of processes that this one belongs to
 * (a container) and of what ulimit -v leaves; -1 where the system does not say. */
int64_t memory_available(void);
/* True too where the system does not say. */
bool memory_fits(int64_t n_bytes);

#endif
