#ifndef MOCKSERVE_CREGEX_H
#define MOCKSERVE_CREGEX_H

#include <stddef.h>
#include <stdint.h>

/* Regular expressions in time linear in the text, whatever the expression (RE2). Text and expression are bytes: one
   byte is one character, and classes such as \w are ASCII. */

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mockserve_regex mockserve_regex;

/* Compiles an expression and the text that replaces its matches, in which \0 is the whole match and \1 to \9 are the
   groups. Returns NULL with a reason in `error` if either is malformed or too large. */
mockserve_regex *mockserve_regex_make(const char *pattern, size_t pattern_count, const char *replacement,
                                      size_t replacement_count, char *error, size_t error_size);

/* Replaces every match. Returns 0 without a result if that would be longer than `limit` or memory runs out; otherwise
   1, and `*output` must be freed with mockserve_regex_free_text. */
int mockserve_regex_replace(const mockserve_regex *regex, const uint8_t *text, size_t count, size_t limit,
                            uint8_t **output, size_t *output_count);

/* Bounds of a match, and the first group that took part in it (0, the whole match, if none did) with its bounds:
   offsets in the text. */
typedef struct {
    size_t start, end;
    int group;
    size_t group_start, group_end;
} mockserve_match;

/* Compiles an expression to search for. `memory`, in bytes, limits the program and its cache. Returns NULL with a
   reason in `error` if the expression is malformed or too large. */
mockserve_regex *mockserve_regex_make_finder(const char *pattern, size_t pattern_count, int64_t memory, char *error,
                                             size_t error_size);

/* Finds the first match that begins at `from` or later. Returns 0 if there is none; otherwise 1. Assertions such as \b
   see the text before `from`. */
int mockserve_regex_find(const mockserve_regex *regex, const uint8_t *text, size_t count, size_t from,
                         mockserve_match *match);

void mockserve_regex_free_text(uint8_t *text);

void mockserve_regex_free(mockserve_regex *regex);

#ifdef __cplusplus
}
#endif

#endif
