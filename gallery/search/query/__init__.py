"""What somebody looks for: terms and filters, as a line, as JSON and as one vector."""
