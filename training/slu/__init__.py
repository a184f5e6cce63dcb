"""Spoken language understanding: labels and transcript, written as one sequence of characters.

sequence     the sequence, and how it is read back
attending    attention that keeps what it has seen
decoder      a small Transformer that writes characters of what it hears
understanding the objective `slu`, and its recipe table
"""
