"""Sets of takes as a whole: diversity, coverage, distance to real speech, entropy, erosion."""
