-- Messages of an endpoint in one state are listed without a walk through all the others: few that failed lie among
-- millions that arrived.
CREATE INDEX webhook_message_in_state ON webhook_message (endpoint_id, state, id);
