-- What spend controls are called outside, where nobody is to guess the next one. Ordinary SQL of the
-- management service: a control may be made by command, and gets its name when it is first shown.
CREATE TABLE control_handle (
    control_id int8 PRIMARY KEY,
    public_id  uuid NOT NULL UNIQUE
);
