"""Fits gallery/indexing/text_fit.json on photographs with captions:

    python -m tools.relevance --photos photos.tar --captions captions.json --split splits.json

Captions are JSON: {"en": [["photo name without extension", "caption"], …]}, the split is JSON with
lists of names: "train" to fit, "val" to cross-validate over words. words.tsv has texts in English
and Chinese, and a pattern of the words that captions use for what the text says: a picture shows it
if at least two of its captions match. absent.tsv has things that hardly any photograph shows.
"""
