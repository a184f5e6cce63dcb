"""DGSA: style on and off in one voice, what each of the two readings lacks, and what that weighs."""
