"""Answerbook: what its notebooks, its command and its tests share.

The lesson itself stands in the notebooks; here is what would distract from it. Start with
`answerbook.services`, which brings the real services up.
"""
