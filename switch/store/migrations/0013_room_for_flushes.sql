-- A flush writes a new version of nearly every row that moves, and finds the last one's versions dead.
-- With half of each page free both fit in turns: no index is touched, no page is added, and a row is
-- found where its neighbours are. With less, tables of a busy switch grew to a page for each row, and
-- each row of a flush put a whole page into the log. Pages that exist already change when they are
-- rewritten (VACUUM FULL, or pg_repack, at a quiet hour).
ALTER TABLE balance SET (fillfactor = 45);
ALTER TABLE card SET (fillfactor = 45);
