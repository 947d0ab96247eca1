"""What a process keeps for each of those who look at pictures."""

# Statements that depend on who looks are put together once for so many, the latest ones. They
# take about 100 kB for each viewer, in all, and a page some milliseconds longer without.
AT_HAND = 256
