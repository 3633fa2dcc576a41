#define _GNU_SOURCE
#include "CByteScan.h"

#include <string.h>

size_t mockserve_find(const uint8_t *text, size_t count, const uint8_t *wanted, size_t size) {
    const uint8_t *found = memmem(text, count, wanted, size);
    return found ? (size_t)(found - text) : count;
}
