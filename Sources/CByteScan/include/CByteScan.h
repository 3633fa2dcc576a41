#pragma once

#include <stddef.h>
#include <stdint.h>

/// The loops of the search for secrets that see every byte. They are in C so that debug builds, in which tests run, are
/// quick too.

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

/// Where the next run of at least `shortest` bytes of base64 or base64url (RFC 4648) begins, from `position` on; `count` if
/// there is none. `is_part` has 1 for each byte that may be in one.
static inline size_t mockserve_next_run(const uint8_t *text, size_t position, size_t count, size_t shortest,
                                        const uint8_t *is_part) {
    while (position + shortest <= count) {
        // Most places are ruled out by the byte at which a run would have to go on.
        size_t index = position + shortest;
        while (index > position && is_part[text[index - 1]]) index--;
        if (index == position) return position;
        position = index;
    }
    return count;
}

/// How many bytes follow from `position` on that may be in a run.
static inline size_t mockserve_run_length(const uint8_t *text, size_t position, size_t count, const uint8_t *is_part) {
    size_t end = position;
    while (end < count && is_part[text[end]]) end++;
    return end - position;
}

/// Decodes base64 or base64url (RFC 4648) without padding, every byte of which `is_part` of it; what is left over of the last
/// group is left out. `out` has room for three bytes of every four.
///
/// Returns how many bytes there are, and counts those that are controls, and those over 0x7F.
static inline size_t mockserve_decode_base64(const uint8_t *text, size_t count, uint8_t *out, size_t *controls,
                                             size_t *foreign) {
    size_t size = 0;
    uint32_t bits = 0;
    int left = 0;
    *foreign = 0;
    for (size_t index = 0; index < count; index++) {
        const uint8_t byte = text[index];
        const uint32_t value = byte >= 'a' ? byte - 'a' + 26u
            : byte == '_' ? 63u
            : byte >= 'A' ? byte - 'A' + 0u
            : byte >= '0' ? byte - '0' + 52u
            : byte == '/' ? 63u : 62u;
        bits = bits << 6 | (value & 63);
        left += 6;
        if (left < 8) continue;
        left -= 8;
        out[size] = (uint8_t)(bits >> left);
        *foreign += out[size] >> 7;
        size++;
    }
    *controls = mockserve_count_controls(out, size);
    return size;
}

/// Where bytes are in a text; `count` if they are nowhere.
size_t mockserve_find(const uint8_t *text, size_t count, const uint8_t *wanted, size_t size);
