"""Label sets: categories that people define, and pictures sorted into them.

`definition` reads what a set is, `sets` keeps it, `fitting` makes the vectors of its categories
in a space, `scoring` compares pictures with them in the database, `previewing` and `applying`
turn scores into labels and back, `labelling` does so for new pictures, `reading` finds pictures
by category, `answers` is what people say, and `learning` is the mathematics.
"""
