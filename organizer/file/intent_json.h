/*
 * intent_json: an act as it stands in the log of intents, and back.
 *
 * Holds everything that recording needs (row, former name, journal line), so that recovery after a
 * crash between rename and commit goes the way of any other act.
 */
#ifndef ORGANIZER_FILE_INTENT_JSON_H
#define ORGANIZER_FILE_INTENT_JSON_H

#include <stdint.h>

#include "file/act.h"

struct error;

/* Appends a, whose `to` is chosen, as one JSON object. root_dev: device of the cabinet. */
void intent_write(struct str *json, const struct act *a, uint64_t root_dev);
/* The act again, with `to` set and without descriptor and callbacks. Device numbers may change
 * when the machine starts; the one of the cabinet is put right: root_dev is what it has now. NULL
 * with err when it is not what intent_write() makes. Free with act_free(). */
struct act *intent_read(const char *json, uint64_t root_dev, struct error *err);

#endif
