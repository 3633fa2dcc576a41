#if __has_include(<zlib.h>)
#include <zlib.h>
#else
#error "zlib is missing: install zlib1g-dev (Debian, Ubuntu) or zlib (Homebrew)"
#endif
