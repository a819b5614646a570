"""Break machines on purpose, one fault after the other, to see which tests notice."""
