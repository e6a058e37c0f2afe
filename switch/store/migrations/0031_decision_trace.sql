-- What decided an authorization that was not simply granted, and what each check said of it: the number
-- of the check that decided (or, above 100, of what decides without one), a set of the checks that
-- passed and one of those that failed (bit n is check n), and behind them what was compared, needed and
-- there. The numbers and their names stand in docs/explain.md; `cardswitch explain` reads them. Null
-- where every check passed, and in all that was written before. What one check declined is found by
--     SELECT * FROM card_authorization WHERE trace[1] = 17 AND decided_at >= '2026-11-27';
ALTER TABLE card_authorization ADD COLUMN trace int8[];
