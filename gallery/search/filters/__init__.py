"""What pictures are narrowed by, and what that leaves."""
