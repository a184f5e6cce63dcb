"""What counts as having said a text: accepted forms, the lattice of them, faults on purpose, and whose fault it was."""
