// RE2 has a C++ interface only, which CRegex includes. This module is there for what pkg-config says of it.
