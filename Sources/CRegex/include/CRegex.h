#ifndef MOCKSERVE_CREGEX_H
#define MOCKSERVE_CREGEX_H

#include <stddef.h>
#include <stdint.h>

/* Regular expressions in time linear in the text, whatever the expression (RE2). Text and expression are bytes: one
   byte is one character, classes such as \w are ASCII. */

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mockserve_regex mockserve_regex;

/* Compiles an expression and the text that is to stand in the place of what it matches, in which \0 to \9 are what the groups
   matched. Returns NULL with a reason in `error` if either is malformed or too large. */
mockserve_regex *mockserve_regex_make(const char *pattern, size_t pattern_count, const char *replacement,
                                      size_t replacement_count, char *error, size_t error_size);

/* Replaces every match. Returns 0 and leaves `*output` alone if the result would be longer than `limit`; else 1, with
   `*output` to be freed with mockserve_regex_free_text. */
int mockserve_regex_replace(const mockserve_regex *regex, const uint8_t *text, size_t count, size_t limit,
                            uint8_t **output, size_t *output_count);

/* Where an expression was found, and which of its groups took part: offsets in the text. */
typedef struct {
    size_t start, end;
    int group;
    size_t group_start, group_end;
} mockserve_match;

/* Compiles an expression to be searched for. Memory in bytes bounds the program and its cache. */
mockserve_regex *mockserve_regex_make_finder(const char *pattern, size_t pattern_count, int64_t memory, char *error,
                                             size_t error_size);

/* Finds the first match that begins at `from` or later. Returns 0 if there is none; else 1 with its bounds and those of its first
   group that matched. What stands before `from` is seen by assertions such as \b. */
int mockserve_regex_find(const mockserve_regex *regex, const uint8_t *text, size_t count, size_t from,
                         mockserve_match *match);

void mockserve_regex_free_text(uint8_t *text);

void mockserve_regex_free(mockserve_regex *regex);

#ifdef __cplusplus
}
#endif

#endif
