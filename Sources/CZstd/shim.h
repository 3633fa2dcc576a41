#if __has_include(<zstd.h>)
#include <zstd.h>
#else
#error "Zstandard is missing: install libzstd-dev (Debian, Ubuntu) or zstd (Homebrew)"
#endif
