-- What recognisers that understand speech made of the takes that they heard; each row has its hypothesis.

-- `intent` and `found` are as the recogniser wrote them; an intent is right or not where the prompt has one, else NULL.
CREATE TABLE understanding (
    evaluation_id UUID, take_id UUID, intent VARCHAR, is_intent_right BOOLEAN,
    found STRUCT(name VARCHAR, value VARCHAR)[], num_wanted INTEGER, num_found INTEGER, num_right INTEGER
);
