-- The mockserve cassette, version 5: stubs with priorities, variables and faults. README.md in this folder describes every table and
-- column.

ALTER TABLE stub ADD COLUMN behavior TEXT;
