"""The pictures nearest to a vector, exactly or by an index, and a sample of all vectors."""
