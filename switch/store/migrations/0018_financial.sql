-- Financial messages, completions and partial reversals.
-- What was asked for (preauthorization, cash, cash_back, quasi_cash, refund, balance_inquiry,
-- account_verification); null for a purchase, which nearly everything is. `class` has financial and
-- financial_advice from here on, whose amount is settled by the message itself. The authorization
-- that a financial advice completes, or the purchase that it refunds: its row has the sum of what
-- was settled and refunded of it, so that whoever adds up `cleared` over rows leaves those out that
-- complete another.
ALTER TABLE card_authorization ADD COLUMN transaction_type text, ADD COLUMN completes_id int8,
    ADD COLUMN completes_at timestamptz;

-- Kinds are reversed, voided and, for each message that completes or refunds an authorization,
-- completed. What a reversal leaves standing, null or zero where it is of all, in minor units of its
-- original; and of which class its original is, where it says so.
ALTER TABLE authorization_event ADD COLUMN standing int8, ADD COLUMN original_class text;
