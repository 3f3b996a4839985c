"""What a belief is worth where recorded actions are wrong, beside agents that know less and more."""
