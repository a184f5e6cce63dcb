"""Word times by a recogniser of our own: the letters of a text, aligned with the frames of its take by CTC."""
