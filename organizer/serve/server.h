/* server: the daemon's side of talk.h: takes requests, hands them to the flow, answers. */
#ifndef ORGANIZER_SERVE_SERVER_H
#define ORGANIZER_SERVE_SERVER_H

#include <uv.h>

struct error;
struct flow;
struct server;

/* Listens in the private state's folder dir. NULL with err. */
struct server *server_new(uv_loop_t *loop, struct flow *flow, const char *dir, struct error *err);
/* Listens in folder dir, too, which is made: members of the group, who cannot enter the private
 * state, reach the daemon there, and may ask what changes nothing. Returns 0, or -1 with err. */
int server_open_to(struct server *s, const char *group, const char *dir, struct error *err);
/* Stops listening; requests under way are dropped. */
void server_free(struct server *s);

#endif
