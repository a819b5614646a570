"""The command ``proving-ground migrate``: read a Molecule project, write the settings that do the same here."""
