"""The meaning of scores in a space, and the languages that its model knows."""
