"""Network policies: a model of what they allow, and the truth table of a live cluster beside it."""
