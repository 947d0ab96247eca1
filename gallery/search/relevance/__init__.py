"""What scores mean in a space, and which languages its model knows."""
