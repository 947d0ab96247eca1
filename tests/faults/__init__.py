"""Runs the whole site under load and kills, stops and removes its parts (`make faults`)."""
