/* A few threads that share one pass: started once, then handed rounds of work some microseconds
 * apart, for which starting a thread each time would cost more than the work.
 *
 *     Team *team = team_new(2);                    // NULL: one thread is all there is
 *     team_run(team, n_parts, work, context);      // work(context, part) for each, in any order
 *     team_free(team);
 *
 * Parts are taken as threads come free, so one that the system holds up delays nobody. team_run
 * comes back when all parts are done; with NULL it does them itself. One caller at a time; a part
 * must not call team_run.
 */
#ifndef MODEL_TEAM_H
#define MODEL_TEAM_H

#include <stdint.h>

typedef struct Team Team;
typedef void TeamWork(void *context, int64_t part);

enum { TEAM_MOST_PARTS = 1 << 15 };

/* n_threads with the caller's own; fewer where the system gives fewer. */
Team *team_new(int n_threads);
void team_free(Team *team);
/* 1 for NULL. */
int team_size(const Team *team);
void team_run(Team *team, int64_t n_parts, TeamWork *work, void *context);

#endif
