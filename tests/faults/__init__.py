"""The whole site under load while its parts are killed, stopped and taken away (`make faults`)."""
