#pragma once

#include <stddef.h>
#include <stdint.h>

/// The one loop of the search for secrets that sees every byte. It is in C so that debug builds, in which tests run, are
/// quick too.
///
/// Returns the first position from `position` up to `end` at which two bytes are in one of two sets, each of 65,536 bits by
/// `first | second << 8`; `end` if there is none. There must be a byte at `end`.
static inline size_t mockserve_next_pair(const uint8_t *text, size_t position, size_t end, const uint64_t *one,
                                         const uint64_t *other) {
    while (position < end) {
        const unsigned pair = text[position] | (unsigned)text[position + 1] << 8;
        if ((one[pair >> 6] | other[pair >> 6]) >> (pair & 63) & 1) break;
        position++;
    }
    return position;
}

/// How many of the bytes are controls, without tab, line feed and carriage return.
static inline size_t mockserve_count_controls(const uint8_t *text, size_t count) {
    size_t found = 0;
    for (size_t index = 0; index < count; index++) {
        const uint8_t byte = text[index];
        found += byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r';
    }
    return found;
}
