"""English dates in one style: Sep 4, 2019, 6:12 PM, as browsers write them in the headings of days.
Django's own formats have “Sept. 4”, “May 4” and “p.m.”."""

DATE_FORMAT = "M j, Y"
# A time never breaks before its AM or PM.
TIME_FORMAT = "g:i\u00a0A"
DATETIME_FORMAT = f"{DATE_FORMAT}, {TIME_FORMAT}"
MONTH_DAY_FORMAT = "M j"
