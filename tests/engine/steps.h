/* SPDX-License-Identifier: MIT */
/* steps.h - what a person does between the edits and the end of a row, as words. */
#ifndef TESTS_ENGINE_STEPS_H
#define TESTS_ENGINE_STEPS_H

#include "kit.h"

/*
 * Carries out one step; sides are the row's, whatever the kit calls them. Returns the err code.
 *   run · verify · repair               a run; one that reads everything and writes nothing; one that reads everything
 *   a EDITS · b EDITS                   edits as kit_edit takes them
 *   plan · apply                        keeps the digests of what a run would write; carries out just those
 *   approve N · approve first           deletes; the first run
 *   resolve ID.FIELD a · b · =TEXT      a conflict or drift
 *   retry ID · drop ID                  what is parked
 *   look                                what is uncertain is looked for on the other side: linked if there, else retried
 *   decide                              runs and looks until nothing is uncertain
 *   link A B · unlink A · forget A
 *   undo                                every run that wrote since the base state, the last one first
 *   is a RECORDS · is b · waits ENTRIES what must be the case now
 *   lose b · unsent b                   the next write on that side is not answered; does not arrive either
 *   reject b ID · reject b              that side refuses writes of the record; of none
 */
int step_do(struct kit *k, const char *step);

#endif
