/* server: the daemon's side of talk.h: takes requests, hands them to the flow, answers. */
#ifndef ORGANIZER_SERVE_SERVER_H
#define ORGANIZER_SERVE_SERVER_H

#include <uv.h>

struct error;
struct flow;
struct server;

/* Listens in the private state's folder dir. group (may be NULL): its members may ask what
 * changes nothing. NULL with err. */
struct server *server_new(uv_loop_t *loop, struct flow *flow, const char *dir, const char *group,
                          struct error *err);
/* Stops listening; requests under way are dropped. */
void server_free(struct server *s);

#endif
