"""The command line ``proving-ground``: run single steps of what pytest does with machines."""
