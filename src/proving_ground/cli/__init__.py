"""The command line ``proving-ground``: what pytest does with machines, one step at a time."""
