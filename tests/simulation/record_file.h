/* What a real Slipway left behind, in a file: tests/system/verdict.py writes it, from all
 * topics, with nothing of Slipway's own code.
 *
 * "slipway record 1\n"; a number of records, in the order of publishing; a number of deeds, in
 * theirs. Numbers are little-endian; a text is its length in two bytes and itself. A record is
 * partition (4), offset (8), ms (8), poison (1), topic, key, ce_id, ce_writer, and its value
 * behind its length in four bytes. A deed is order (8), ms (8), grant (8), version (8), back
 * (1), service, target, instance, deployment, and the version that was brought. */
#ifndef TESTS_SIMULATION_RECORD_FILE_H
#define TESTS_SIMULATION_RECORD_FILE_H

#include "tests/simulation/judge.h"

/* Reads a file of at most 256 MiB into the judge, said, features and all, and the deeds into
 * that history; everything is in the judge's arena. False, with a message on stderr, when the
 * file is not whole. */
bool record_file_read(struct judge *judge, const char *path, struct history *ret);

#endif
