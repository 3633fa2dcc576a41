#pragma once

/// Turns off SQLite's memory statistics, for which all threads would share a lock. Call it before the first use of
/// SQLite. For programs only, because it affects the whole process.
void mockserve_sqlite_without_statistics(void);

/// Prepares a connection for files that somebody else may have made: nothing in the schema is trusted, SQL cannot
/// deliberately corrupt the file, no trigger or view runs, and no code can be loaded. (`sqlite3_db_config` is variadic,
/// which Swift cannot call.)
void mockserve_sqlite_guard(void *connection);
