#pragma once

/// Keeps SQLite from counting its memory, for which all threads would share a lock. Before its first use in a process; for
/// programs only, as it is for the whole process.
void mockserve_sqlite_without_statistics(void);

/// Puts a connection in the state for files that somebody else made: nothing in the schema is trusted, the file's
/// structure cannot be changed by SQL, and no code can be loaded. (`sqlite3_db_config` is variadic, which Swift cannot
/// call.)
void mockserve_sqlite_guard(void *connection);
