/* Transcripts of the command line: a file of commands with what each one prints, compared byte
 * by byte. Its lines:
 *
 *   # a remark
 *   % zone Europe/Berlin, % width 60, % terminal     how the next command runs
 *   % runs 4                                         what a program that it runs ends with
 *   % digest sha-256=:...:                           sent along with the next answers
 *   % keys oq                                        keys typed at a terminal, one at each look
 *   < GET /v1/me 200 me.json                         an answer of the server: a file of
 * answers/, or the JSON itself; before the first command of the file: for all of them < GET
 * /v1/me down                                no answer > y what somebody types at the next
 * command | express-pay.3                                  a line of its stdin, which is no
 * terminal $ slipway show express-pay                       the command
 *
 * and under it what it asked the server to do (=>), stdout as it is, stderr behind "2| ", and
 * "exit N" unless that is 0. */
#ifndef TESTS_UNIT_CLI_TRANSCRIPT_H
#define TESTS_UNIT_CLI_TRANSCRIPT_H

/* Plays the transcript; fails the test where something else comes out. With the environment
 * variable SLIPWAY_GOLDEN=write it writes down what comes out instead. */
void transcript_play(const char *path);

#endif
