"""Generation: voices read lines, and lines become takes."""
