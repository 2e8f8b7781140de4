# %% [markdown]
# # 0.0 Finding a word in a sorted list
# *1 minute · 0.2 GB · services: none*
#
# ## Answer in a minute
# To find a word in a list one looks at every word until it comes, and a list twice as long takes
# twice as long. In a sorted list one can open the middle, see in which half the word has to be,
# and forget the other half: a list twice as long takes one look more. Sorting costs more than one
# search, so it pays from the second question on. A set answers faster still, from the word's hash,
# but cannot say which word comes next.
#
# ## You will
# - **do**: find words in a list by looking at each, by halving and with a set, and count the looks.
# - **learn**: why halving needs so few, what it asks of the list, and what it costs to prepare.
# - **need**: Python lists and functions; nothing has to run for this notebook.

# %%
from bisect import bisect_left

from answerbook.notebook import (
    bars,
    environment,
    median_seconds,
    progress,
    raises,
    show,
    table,
)
from answerbook.notebook.exercises import q0_0_template as exercises

# %% [markdown]
# ## Halving finds a word in a handful of looks
# This notebook is the template: it shows each part that a notebook of the collection has, at its
# shortest, and the tests run it like any other. Read it beside the rules in
# `answerbook.notebook.anatomy`, copy it, and put your own claims in.
#
# A section makes one claim in its heading. Then it says in prose what the experiment is and how it
# could fail, because a claim that cannot fail says nothing. Here the claim is that fifty thousand
# sorted words need at most sixteen looks. Each look leaves at most half of the words, so after
# sixteen of them at most one is left: two to the sixteenth is 65,536. If the function below had to
# look more often than that, even for one word, the assertion would fail and so would the notebook.
#
# The words are made up, six digits each, so that their order as text is their order as numbers.
#
# <details><summary>Predict: how many looks does the last word need?</summary>
# No more than any other, sixteen at most: the list is halved from the middle, not walked through
# from the front. It is the first and the last word that a walk treats so differently.
# </details>

# %%
words = [f"{number:06d}" for number in range(50_000)]


def looks(word, low, high):
    if high - low <= 1:
        return 0
    middle = (low + high) // 2
    half = (middle, high) if word >= words[middle] else (low, middle)
    return 1 + looks(word, *half)


# %%
counts = [looks(word, 0, len(words)) for word in progress(words, "looking up")]
assert max(counts) == 16, "halving 50,000 words took more looks"

# %%
table(
    [
        {"word": "the first", "looks": counts[0], "a walk's looks": 1},
        {"word": "the last", "looks": counts[-1], "a walk's looks": 50_000},
    ],
    caption="Halving treats all words alike; a walk does not.",
)

# %% [markdown]
# The table shows the evidence behind the assertion. A table has at most five columns, and its
# caption says what to see in it. What the reader should take from it stands in the prose, as here:
# a walk is the better way only for words at the very front.
#
# ## Halving is faster than a walk
# Counting looks is not measuring time. A look costs more in a function of ours than inside the
# list's own `index`, which walks in C, and a claim on speed has to be measured where it is made.
# So we time both on the same word, in the same run, and assert that the ratio is at least two:
# twofold slack keeps the assertion true on a busy machine, and still far from what we see.
#
# The middle of the list is a fair word for the walk: half of all words need a longer one.
#
# <details><summary>Predict: does a set beat halving?</summary>
# Yes, by a little: it computes one hash and looks in one place, however many words there are.
# </details>

# %%
word = words[25_000]
as_set = set(words)
milliseconds = {
    "walk": 1e3 * median_seconds(lambda: words.index(word)),
    "halving": 1e3 * median_seconds(lambda: bisect_left(words, word)),
    "set": 1e3 * median_seconds(lambda: word in as_set),
}
assert 2 * milliseconds["halving"] < milliseconds["walk"]

# %%
show(
    bars(milliseconds, x="way to find a word", y="milliseconds", log=True),
    alt="Halving and the set take microseconds, a walk a hundred times that.",
)

# %% [markdown]
# A figure goes through `show`, which wants alt text for those who cannot see it and a label with a
# unit on each axis, and puts a caption under it.
#
# ## In an unsorted list halving misses words that are there
# What makes halving quick is an assumption, and nothing checks it. In a list that is not sorted the
# wrong half may be thrown away, and the function answers in good faith with a wrong place. This is
# worse than an error. We reverse the words, look for one that is certainly there, and look at what
# stands in the place that comes back.
#
# Where something refuses, show it refusing. A cell whose error should be seen in full is tagged
# `raises-exception`; one whose error is only a step on the way uses `raises`, as the second cell
# does, which prints the error in one line and fails when there is none.

# %%
backwards = words[::-1]
place = bisect_left(backwards, "000001")
assert backwards[place] != "000001", "found, though not sorted"

# %%
with raises(ValueError) as caught:
    words.index("no such word")
assert "not in list" in str(caught.error)

# %% tags=["raises-exception"]
words.index("no such word")

# %% [markdown]
# The walk says clearly that a word is missing; `bisect_left` gives the place where the word would
# have to be put in, and it is for the caller to compare. Many a bug lives in that difference, and
# a reader who has seen both answers side by side will remember it.
#
# ## Summary
# - Halving finds any of 50,000 sorted words in at most sixteen looks.
# - It is far more than twice as fast as a walk to the middle; a set is faster still.
# - It trusts the order of the list, and in an unsorted one it misses words without a complaint.
#
# ## Follow-ups
# <details><summary>When is sorting first worth its cost?</summary>
# When the same list is searched again and again: sorting looks at each word about sixteen times, a
# walk half of the words once. A few searches pay for it.
# Evidence: <i>Halving is faster than a walk</i>.
# </details>
#
# <details><summary>How do I know that a list is sorted?</summary>
# Compare neighbours, once, where the list comes in; afterwards trust it.
# Evidence: <i>In an unsorted list halving misses words that are there</i>.
# </details>
#
# <details><summary>And when words are added all the time?</summary>
# Putting a word into the middle of a list moves all that follow. Trees keep an order under change;
# databases use B-trees for it.
# Evidence: <a href="https://docs.python.org/3/library/bisect.html">the module's own notes</a>.
# </details>
#
# ## Exercises
# **1.** How many looks does the worst word need when there are 50,000, and why not fifteen? Put
# the number in place of the dots and run both cells. The check never raises: it says whether the
# question is open, the answer right, or wrong with a hint.
#
# <details><summary>Solution</summary>
# <code>answer = 16</code>: fifteen halvings tell only 32,768 words apart.
# </details>

# %%
answer = ...

# %%
exercises.guesses.check(answer)

# %% [markdown]
# ## Next, and further reading
# - [bisect](https://docs.python.org/3/library/bisect.html) in Python's documentation, with the
#   functions that compare for you.
# - Where to go next: the notebook that builds on this one, as a link to its `.ipynb`.

# %%
environment("numpy", "matplotlib")
