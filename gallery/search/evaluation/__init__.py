"""How well the search works, measured in the library itself."""
