#if __has_include(<brotli/decode.h>)
#include <brotli/decode.h>
#include <brotli/encode.h>
#else
#error "Brotli is missing: install libbrotli-dev (Debian, Ubuntu) or brotli (Homebrew)"
#endif
