-- What one partner's customers have is added up without a look at everybody's accounts. The partner of an account
-- never changes, so that a row which moves has no new entry here.
CREATE INDEX balance_of_partner ON balance (partner_id);
