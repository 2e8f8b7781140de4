# %% [markdown]
# # 5.2 Ranking: how good is it, and how fast can it be?
# *1 minute · 0.3 GB · services: PostgreSQL*
#
# ## Answer in a minute
# A ranking is good if the documents that people judged relevant come first. nDCG and average
# precision turn that into a number, so that two rankings can be compared on the same searches.
#
# `ts_rank` looks at one document and knows nothing of the others: a rare word counts as much as a
# common one, a long document as much as a short one. **BM25** adds both, and is one SQL statement
# over what the `tsvector` holds.
#
# Scoring every match of a common word is slow. Cutting to the first matches is quick and loses the
# best; **champion lists**, the best documents of each common word, keep them. Typos are looked up in
# a vocabulary under a trigram index. Deep pages want a key, not an `OFFSET`.
#
# Leave PostgreSQL when a measured class of searches misses its goal, and count the second copy of
# the data as part of the price.
#
# ## You will
# - **do**: judge rankings by searches whose right answers are known; build BM25, champion lists, a
#   speller and pages in SQL, and measure each.
# - **learn**: what each part of a ranking is worth, and which of it luck could have given.
# - **need**: [5.1](5_1_full_text_search.ipynb), or lexemes, `tsvector`, `@@` and GIN from elsewhere.

# %%
import math
import random
import statistics
from functools import partial

import psycopg

from answerbook import services
from answerbook.notebook import (
    bars,
    environment,
    lines,
    progress,
    results,
    show,
    stopwatch,
    table,
)
from answerbook.notebook import ranking as kit
from answerbook.notebook.benchmarks import search_costs, search_rows
from answerbook.notebook.docstrings import documents
from answerbook.notebook.exercises import q5_2_ranking as exercises

# %% [markdown]
# ## Judged searches are the ruler
# The documents are what the search site ships: the sections of these notebooks, and the docstrings
# of Python's standard library. For some forty searches somebody read the candidates and wrote down a
# grade: 2 answers it, 1 helps, 0 does not. Whatever nobody judged counts as 0. Judging is the dear
# part: it is done once, and kept with the documents.
#
# A name such as `json.dumps` would be one lexeme, a host's name; so its dots become spaces first.
#
# <details><summary>Predict: of some thousand documents, how many has one to read for each
# search?</summary>
# A dozen or so: those that several rankings put first. That is called pooling, and all that a
# ranking finds beyond the pool counts as wrong.
# </details>

# %%
postgres = services.require("postgres")
database = postgres.create_database("ranking")
connection = psycopg.connect(database, autocommit=True, prepare_threshold=None)
CREATE = """
    CREATE TABLE document (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text, title text, body text,
        search tsvector GENERATED ALWAYS AS (to_tsvector('english',
            translate(title || ' ' || body, './<_', '    '))) STORED)"""
COPY = "COPY document (name, title, body) FROM STDIN"


# %%
def load(rows):
    connection.execute(CREATE)
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        for row in progress(rows, "loading"):
            copy.write_row(row)
    connection.execute("CREATE INDEX ON document USING gin (search)")
    connection.execute("VACUUM ANALYZE document")


connection.execute("SET max_parallel_workers_per_gather = 0")
load(kit.corpus())
queries, grades = kit.judged()

# %%
rows = [
    (text, len(grades[each]), sum(map(bool, grades[each].values())))
    for each, text in list(queries.items())[-6:]
]
names = ["search", "judged", "relevant of these"]
table(rows, columns=names, caption=f"The last six of {len(queries)} searches.")
stored = {name for (name,) in connection.execute("SELECT name FROM document")}
assert all(any(judged.values()) for judged in grades.values())
assert all(judged.keys() <= stored for judged in grades.values())

# %% [markdown]
# ## Two numbers say how good a ranking is
# One search first, by hand: the ten documents that `ts_rank` puts first for query 23. We look for
# documents with *any* of the words; `plainto_tsquery` joins them with `&`, and we put `|` there.
#
# **nDCG@10** adds up the grades of the first ten, each divided by log2(place + 1): the second place
# counts 0.63, the tenth 0.29. The sum is divided by that of the best possible order, so that 1 is
# perfect for every search.
#
# **Average precision** knows only relevant or not. At the place of each relevant document it asks
# which share of what was shown so far is relevant, and takes the mean over all that are relevant,
# found or not. Its mean over searches is called MAP.
#
# <details><summary>Predict: the only document of grade 2 falls from the first place to the second.
# What is left?</summary>
# 63 %, which is 1 / log2(3), if it is the only relevant one: whoever looks reads from the top.
# </details>

# %%
ALL = "plainto_tsquery('english', %(text)s)"
ANY = f"CAST(replace({ALL}::text, '&', '|') AS tsquery)"
BY_RANK = """
    SELECT name FROM document, {query} AS query
    WHERE search @@ query ORDER BY {rank} DESC, id LIMIT 100"""


def ask(statement, text):
    rows = connection.execute(statement, {"text": text})
    return [name for name, *_ in rows]


def rankings(statement):
    return {each: ask(statement, text) for each, text in queries.items()}


# %%
text, judged = queries["23"], grades["23"]
by_rank = BY_RANK.format(query=ANY, rank="ts_rank(search, query)")
first = ask(by_rank, text)[:10]
rows = []
for place, name in enumerate(first, 1):
    grade, discount = judged.get(name, 0), 1 / math.log2(place + 1)
    rows.append((place, name, grade, discount, grade * discount))
names = ["place", "document", "grade", "1 / log2(place + 1)", "counts"]
table(rows, columns=names, caption=f"{text}: by ts_rank, any word.")

# %%
gained = sum(counts for *_, counts in rows)
best = sorted(judged.values(), reverse=True)[:10]
possible = sum(g / math.log2(place + 2) for place, g in enumerate(best))
print(f"nDCG@10 = {gained:.3f} / {possible:.3f} = {gained / possible:.3f}")
places = [place for place, _, grade, *_ in rows if grade]
relevant = sum(map(bool, judged.values()))
added = " + ".join(f"{n}/{place}" for n, place in enumerate(places, 1))
precision = kit.average_precision(first, judged)
print(f"AP of these ten = ({added}) / {relevant} = {precision:.3f}")
assert math.isclose(kit.ndcg(first, judged), gained / possible)

# %% [markdown]
# ## Asking for every word loses whole searches
# Now all searches, by what PostgreSQL brings: every word or any of them, `ts_rank` or `ts_rank_cd`
# (which looks at how close the words stand), and their switches for length: 1 divides by 1 + the
# logarithm of the length, 2 by the length itself.
#
# <details><summary>Predict: which is better, every word or any word?</summary>
# Any word: a document that lacks one of four words is often the right one, and with every word some
# searches find nothing at all. The ranking, not the condition, should put full matches first.
# </details>


# %%
def by(rank, query=ANY):
    return rankings(BY_RANK.format(query=query, rank=rank))


found = {
    "every word, ts_rank": by("ts_rank(search, query)", ALL),
    "any word, ts_rank": by("ts_rank(search, query)"),
    "… by log of length": by("ts_rank(search, query, 1)"),
    "… by length": by("ts_rank(search, query, 2)"),
    "any word, ts_rank_cd": by("ts_rank_cd(search, query)"),
}


# %%
def quality(found, measure=kit.ndcg):
    scores = [measure(found[each], grades[each]) for each in queries]
    return statistics.mean(scores)


rows = []
for way, each in found.items():
    empty = sum(not ranking for ranking in each.values())
    scores = quality(each), quality(each, kit.average_precision)
    rows.append((way, *scores, empty))
names = ["way", "nDCG@10", "MAP", "found nothing"]
table(rows, columns=names, caption=f"Means of {len(queries)} searches.")
assert rows[0][3] > 0 and rows[1][1] > rows[0][1]
assert 2 * rows[3][1] < rows[1][1]

# %% [markdown]
# Dividing by the length is no cure: then the shortest documents win, whatever they say.
#
# ## ts_rank knows neither how rare a word is nor how long a document
# It gets one vector and one query; what the other documents hold it cannot know. Let us count that
# beside it: in how many documents each lexeme stands (`ts_stat`), and how long each document is. For
# the same query 23, what did `ts_rank` see?
#
# <details><summary>Predict: which document does a ranking like that better than it should?</summary>
# A long one with one common word over and over, and not a single time the word that matters.
# </details>

# %%
STATISTICS = """
    CREATE TABLE term AS SELECT word AS lexeme, ndoc AS documents
    FROM ts_stat('SELECT search FROM document');
    CREATE TABLE length AS SELECT id, sum(cardinality(positions)) AS words
    FROM document, unnest(search) GROUP BY id;
    CREATE TABLE corpus AS
    SELECT count(*)::float AS total, avg(words)::float AS mean FROM length;
    ALTER TABLE term ADD PRIMARY KEY (lexeme);
    ALTER TABLE length ADD PRIMARY KEY (id); ANALYZE term, length, corpus"""
counted = connection.execute(STATISTICS)
print(f"{counted.rowcount} lexemes")

# %%
LEXEMES = "tsvector_to_array(to_tsvector('english', %(text)s))"
FREQUENT = f"""
    SELECT * FROM term WHERE lexeme = ANY ({LEXEMES}) ORDER BY documents"""
frequencies = connection.execute(FREQUENT, {"text": text}).fetchall()
print(", ".join(f"{lexeme} in {n} documents" for lexeme, n in frequencies))
rows = [kit.seen(connection, name, text) for name in first]
columns = ["title", "how often", "words"]
table(rows, columns=columns, caption=f"{text}: the first ten by ts_rank.")
rare = frequencies[0][0]
assert any(rare not in often for _, often, _ in rows)

# %% [markdown]
# And how does a score grow with each more occurrence? In a document that is nothing but one word,
# *n* times, against once:

# %%
GROWTH = """
    SELECT n, ts_rank(vector, 'word'), ts_rank_cd(vector, 'word'),
        2.2 * n / (n + 1.2) FROM unnest(ARRAY[1, 2, 5, 20]) AS n,
        to_tsvector('simple', repeat('word ', n)) AS vector ORDER BY n"""
once, *more = connection.execute(GROWTH).fetchall()
grown = [
    (row[0], *(float(a / b) for a, b in zip(row[1:], once[1:], strict=True)))
    for row in more
]
names = ["occurrences", "ts_rank", "ts_rank_cd", "BM25, to come"]
table(grown, columns=names, caption="Scores, times that of one occurrence.")
assert grown[-1][2] > 15 and grown[-1][1] < 2

# %% [markdown]
# `ts_rank_cd` counts without end: with any word in the query, a document that says *file* forty
# times beats everything.
#
# ## BM25 in SQL is one sum over what the index holds
# For each of the query's lexemes, and each document that has some of them:
#
# - **rarity**, idf = ln(1 + (N − n + ½) / (n + ½)), for *n* of *N* documents that have it;
# - times its **saturating count**, tf · (k1 + 1) / (tf + k1 · …): the second time says less than the
#   first (k1 = 1.2);
# - where … is 1 − b + b · **length** / mean length: the same count says less in a long document
#   (b = 0.75).
#
# `unnest(search)` gives each lexeme's positions, so the count is their number. Which documents are
# scored is a parameter of the statement; we will need that.
#
# <details><summary>Predict: what kind of document comes first for query 23 now?</summary>
# A short one with the rare word.
# </details>

# %%
MATCHES = f"SELECT id FROM document WHERE search @@ {ANY}"
IDF = "ln(1 + (total - documents + 0.5) / (documents + 0.5))"
BM25 = f"""
    WITH wanted AS (SELECT lexeme, {{idf}} AS idf FROM term, corpus
                    WHERE lexeme = ANY ({LEXEMES})),
    found AS ({{which}})
    SELECT name, sum(idf * {{share}}) AS score
    FROM corpus, found JOIN document USING (id) JOIN length USING (id),
        unnest(search) JOIN wanted USING (lexeme), cardinality(positions) AS tf
    GROUP BY id, name ORDER BY score DESC, id LIMIT 100"""


# %%
def share(k1, b):
    long = f"(1 - {b} + {b} * words / mean)"
    return f"tf * ({k1} + 1) / (tf + {k1} * {long})"


def bm25(which=MATCHES, idf=IDF, k1=1.2, b=0.75):
    return BM25.format(which=which, idf=idf, share=share(k1, b))


found["BM25"] = rankings(bm25())
first = found["BM25"]["23"][:5]
rows = [kit.seen(connection, name, text) for name in first]
table(rows, columns=columns, caption=f"{text}: the first five by BM25.")
assert all(rare in often for _, often, _ in rows)
assert quality(found["BM25"]) > quality(found["any word, ts_rank"]) + 0.03

# %% [markdown]
# ## Take BM25's parts away, and ts_rank comes out
# Which part is it that helps? We take one after the other away: all lexemes equally rare, *b* = 0,
# both, and at last a *k1* so large that nothing saturates.
#
# <details><summary>Predict: what do the last two resemble?</summary>
# Without rarity and length, BM25 puts nearly the same documents first as <code>ts_rank</code>;
# without saturation too, the same as <code>ts_rank_cd</code>. They are not other ideas: they are
# less of the same one.
# </details>

# %%
found |= {
    "BM25 without rarity": rankings(bm25(idf="1.0")),
    "without length": rankings(bm25(b=0)),
    "without both": rankings(bm25(idf="1.0", b=0)),
    "without saturation, too": rankings(bm25(idf="1.0", b=0, k1=1e9)),
}
shown = {way: quality(each) for way, each in found.items()}
shown = dict(sorted(shown.items(), key=lambda one: -one[1]))
drawn = bars(shown, x="nDCG@10", y="way to rank", horizontal=True)
show(drawn, alt="BM25 is best; each part taken away costs something.")


# %%
own, own_cd = found["any word, ts_rank"], found["any word, ts_rank_cd"]
same = kit.shared(own, found["without both"])
same_cd = kit.shared(own_cd, found["without saturation, too"])
usual = kit.shared(own, found["BM25"])
print(f"ts_rank shares {same:.0%} of its first ten with what is left,")
print(f"and {usual:.0%} with all of BM25;")
print(f"ts_rank_cd shares {same_cd:.0%} with the last of these")
assert same > 0.85 and same_cd > 0.85 and usual < same
assert next(iter(shown)) == "BM25"

# %% [markdown]
# Forty searches are few. If two rankings were equally good, each difference could as well have the
# other sign; *p* is how often random signs give a mean as far from zero. Below 0.05 one begins to
# believe it.

# %%
rows = []
less = "without length", "BM25 without rarity"
for way in (*less, "any word, ts_rank", "any word, ts_rank_cd"):
    *more, p = kit.compared(found["BM25"], found[way], grades)
    rows.append((way, *more, f"{p:.4f}"))
names = ["BM25 against", "nDCG@10, more", "better in", "worse in", "p"]
table(rows, columns=names, caption="What luck could have given.")
assert rows[0][1] > rows[1][1] and float(rows[-1][-1]) < 0.01

# %% [markdown]
# Of the two that `ts_rank` lacks, length helps more. Rarity helps less: stop words are gone already,
# and few of the queries mix common words with rare ones as query 23 does. Look at its *p* before you
# believe in it. And for many a search BM25 is worse than `ts_rank`: a mean says nothing about one.
#
# The site does the same, with titles counting threefold:
# [bm25.py](../site/search/rankers/bm25.py). `manage.py evaluate` measures it on any judged
# collection.
#
# ## The first matches are not the best ones
# Scoring takes as long as there are matches. To see that, 30,000 documents, made of real docstrings
# as in 5.1, in a schema of their own, so that all statements above work as they stand. The searches
# are for words that a tenth of all documents have, or more: one, two or three of them. The rows are
# shuffled, so that the first matches are any matches.
#
# <details><summary>Predict: of the true first ten, how many are in the first thousand
# matches?</summary>
# As large a share as a thousand is of all matches, and those are some ten thousand: where a row
# stands has nothing to do with its score.
# </details>

# %%
COUNT = 30_000
connection.execute("CREATE SCHEMA many; SET search_path = many, public")
made = [(document.title, *document) for document in documents(COUNT)]
random.Random(1).shuffle(made)
load(made)
connection.execute(STATISTICS)
COMMON = """SELECT lexeme FROM term, corpus WHERE lexeme ~ '^[a-z]{3,}$'
    AND tsvector_to_array(to_tsvector('english', lexeme)) = ARRAY[lexeme]
    AND documents BETWEEN total / 10 AND total / 2 ORDER BY documents DESC"""


# %%
common = [lexeme for (lexeme,) in connection.execute(COMMON)]
chance = random.Random(1)
searches = [" ".join(chance.sample(common, n)) for n in (1, 2, 2, 3) * 4]


def timed(statement, text):
    with stopwatch() as watch:
        rows = connection.execute(statement, {"text": text}).fetchall()
    return 1000 * watch.seconds, [first for first, *_ in rows[:10]]


def tried(which, what):
    bar = progress(searches, what)
    runs = {text: timed(bm25(which), text) for text in bar}
    first = {text: names for text, (_, names) in runs.items()}
    return statistics.median(ms for ms, _ in runs.values()), first


# %%
CUTS = (10, 30, 100, 300, 1_000)
exact_ms, exact = tried(MATCHES, "all matches")
naive = [tried(f"{MATCHES} LIMIT {cut}", f"first {cut}") for cut in CUTS]
kept = [kit.shared(exact, first) for _, first in naive]
print(f"{exact_ms:.0f} ms for all matches; {naive[-1][0]:.0f} ms for 1,000,")
print(f"with {kept[-1]:.0%} of the true first ten")
assert kept[-1] < 0.4 and 2 * naive[2][0] < exact_ms

# %% [markdown]
# ## Champion lists score few documents, and the right ones
# What a lexeme gives a document, its *impact*, is known before anybody asks. So for each lexeme in
# more than one of twenty documents we keep the two thousand documents of the highest impact, best
# first. A query adds up what the lists say of each document, takes the best of these sums as
# candidates, and scores only them: exactly, since no list holds all that a document has.
#
# <details><summary>Predict: how many candidates does it take for nine of the true first
# ten?</summary>
# Tens, not thousands: a document that is among the best by the sum is near the top of some list.
# </details>

# %%
LISTS = f"""
    CREATE TABLE champion AS SELECT lexeme, impact, id FROM (
        SELECT *, row_number() OVER (
            PARTITION BY lexeme ORDER BY impact DESC, id DESC) AS place
        FROM (SELECT lexeme, id, {share(1.2, 0.75)} AS impact
            FROM corpus, document JOIN length USING (id), unnest(search)
            JOIN term USING (lexeme), cardinality(positions) AS tf
            WHERE documents > total / 20) AS one) AS ranked
    WHERE place <= 2000"""
INDEX = "CREATE INDEX ON champion (lexeme, impact DESC, id DESC)"

# %%
with stopwatch() as watch:
    connection.execute(LISTS)
    connection.execute(INDEX)
    connection.execute("VACUUM ANALYZE champion")
query = "SELECT count(*), count(DISTINCT lexeme) FROM champion"
entries, lists = connection.execute(query).fetchone()
print(f"{lists} lists, {entries:,} entries, made in {watch.seconds:.1f} s")
BEST = """
    SELECT id FROM champion JOIN wanted USING (lexeme)
    GROUP BY id ORDER BY sum(idf * impact) DESC LIMIT {}"""

# %%
champions = [tried(BEST.format(cut), f"best {cut}") for cut in CUTS]
best = [kit.shared(exact, first) for _, first in champions]
series = {"champion lists": (CUTS, best), "first matches": (CUTS, kept)}
axes = {"x": "documents scored", "y": "share of the true first ten"}
drawn = lines(series, **axes)
drawn.axes[0].set(xscale="log", ylim=(0, 1.05))
show(
    drawn, alt="Champion lists need few documents; other cuts lose nearly all."
)

# %%
rows = [("all matches", exact_ms, 1.0)]
rows += [("first 300 matches", naive[3][0], kept[3])]
rows += [("best 300 by champion lists", champions[3][0], best[3])]
names = ["scored", "median, ms", "of the true first ten"]
table(rows, columns=names, caption=f"{len(searches)} searches, {COUNT} rows.")
assert best[3] > 0.8 and best[3] > 2 * kept[3]
assert 2 * champions[3][0] < exact_ms

# %% [markdown]
# The same number of documents scored, much the same time, another result. The lists do not grow with
# the table, so the time does not either, and that of scoring everything does. Shorter lists are
# thriftier, and lose what is good in several words and the best in none.
#
# What they cost is upkeep: a document that changes is not in them. The site keeps such documents
# apart and looks at each, estimates what the end of a list leaves open, and takes documents of the
# query's rare words too: [champions.py](../site/search/rankers/champions.py).
#
# ## A vocabulary corrects typos that titles miss
# A typo is not in the index, so nothing is found. Common advice is to compare it with the titles, by
# trigrams: `title % q`, or the nearest part of a title, `q <% title`. But a title is a few words of
# many, and each search compares all of them. A **vocabulary** has every word once. Three sources
# agree on a correction: trigrams find candidates by an index, the edit distance says which of them
# is one slip away, and how many documents have it decides between two. We mistype sixty words.
#
# <details><summary>Predict: what is left to get wrong?</summary>
# Two words that are one slip away each: then the more frequent one wins, and is sometimes not what
# was meant. Nothing but the other words of the query could tell.
# </details>

# %%
EXTENSIONS = "CREATE EXTENSION pg_trgm; CREATE EXTENSION fuzzystrmatch"
VOCABULARY = """
    CREATE TABLE vocabulary AS SELECT word, ndoc AS documents
    FROM ts_stat($$SELECT to_tsvector('simple', translate(
        title || ' ' || body, './<_-', '     ')) FROM document$$)
    WHERE word ~ '^[a-z]{3,40}$';
    CREATE INDEX ON vocabulary USING gin (word gin_trgm_ops);
    CREATE INDEX by_title ON document USING gin (title gin_trgm_ops)"""
connection.execute(f"{EXTENSIONS}; {VOCABULARY}")
print(connection.execute("VACUUM ANALYZE vocabulary").statusmessage)

# %%
OFTEN = """SELECT word FROM vocabulary
    WHERE documents >= 100 AND length(word) >= 6 ORDER BY word"""
words = [word for (word,) in connection.execute(OFTEN)]
mistyped = kit.typos(words, 60)
NEAR = """
    SELECT word FROM vocabulary WHERE word %% %(text)s
    AND levenshtein_less_equal(word, %(text)s, 2) <= 2
    ORDER BY levenshtein(word, %(text)s), {} LIMIT 1"""
TITLES = """SELECT lower(title) FROM document WHERE {}
    ORDER BY similarity(title, %(text)s) DESC LIMIT 10"""

# %%
rows = [
    (way, *kit.corrected(partial(ask, statement), mistyped))
    for way, statement in {
        "title % q": TITLES.format("title %% %(text)s"),
        "q <% title": TITLES.format("%(text)s <%% title"),
        "vocabulary, distance alone": NEAR.format("word"),
        "vocabulary, and frequency": NEAR.format("documents DESC"),
    }.items()
]
names = ["way", f"right, of {len(mistyped)}", "median, ms"]
table(rows, columns=names, caption="Titles and words both have an index.")
assert rows[3][1] > rows[2][1] > rows[1][1] and 2 * rows[3][2] < rows[0][2]

# %% [markdown]
# The titles were even given an index, and ten answers of which one had to contain the word. The site
# adds swapped letters as one slip, and takes no word for a typo that the documents have often:
# [spelling.py](../site/search/spelling.py).
#
# ## OFFSET reads every page before; a key reads its own
# `OFFSET 9990` finds 9,990 rows to throw them away. A **keyset** page begins behind the last row
# that was shown: `WHERE id < …`, in the order of an index. Here the newest documents of the most
# common word.
#
# <details><summary>Predict: and if a document is added between two pages?</summary>
# With <code>OFFSET</code> everything moves down a place, so the last row of one page comes again as
# the first of the next. A key does not move.
# </details>

# %%
NEWEST = "SELECT id FROM document WHERE search @@ %(word)s::tsquery"
BY_OFFSET = f"{NEWEST} ORDER BY id DESC LIMIT 10 OFFSET %(skip)s"
BY_KEY = f"{NEWEST} AND id < %(last)s ORDER BY id DESC LIMIT 10"


def page(statement, **given):
    rows = connection.execute(statement, given | {"word": common[0]})
    return [first for (first,) in rows]


def cost(statement, **given):
    explain = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "
    ((one,),) = page(explain + statement, **given)
    return kit.rows_read(one["Plan"]), kit.buffers(one["Plan"])


# %%
rows = []
for number in (1, 10, 100, 1_000):
    skip = 10 * (number - 1)
    last = page(BY_OFFSET, skip=skip - 1)[0] if skip else 2**31 - 1
    by_offset, by_key = cost(BY_OFFSET, skip=skip), cost(BY_KEY, last=last)
    rows.append((number, *by_offset, *by_key))
names = ["page", "OFFSET: rows", "buffers", "key: rows", "its buffers"]
table(rows, columns=names, caption="Read for ten rows of the same page.")
assert rows[-1][1] > 10_000 and rows[-1][3] < 200

# %%
shown = page(BY_OFFSET, skip=0)
assert page(BY_OFFSET, skip=10) == page(BY_KEY, last=shown[-1])
insert = "INSERT INTO document (title, body) VALUES ('', %s)"
connection.execute(insert, [common[0]])
again = set(page(BY_OFFSET, skip=10)) & set(shown)
print(f"shown again after an insert: {len(again)} by OFFSET, 0 by key")
assert again == {shown[-1]}
assert not set(page(BY_KEY, last=shown[-1])) & set(shown)

# %% [markdown]
# Some rows are read and dropped, because this plan walks the key and looks whether each row matches.
# A key works for any order, as long as it ends in something unique and an index has it. A score that
# is computed has no index: each page scores everything again, and a key saves only the repeats. A
# champion list does have one, `(lexeme, impact, id)`.
#
# ## Leave PostgreSQL for a number, not for a feeling
# The benchmark of the site has a million documents and asks each class of searches in three ways: the
# site as it is; the obvious one (GIN, `ts_rank_cd`, headlines after the `LIMIT`); and tantivy, a
# search library in Rust whose index is made for this. Here is what 95 of 100 searches keep.
#
# <details><summary>Predict: which searches gain most by a search engine?</summary>
# Those for common words: there the obvious way has to score every match. For a rare word it has
# little to do.
# </details>

# %%
benchmark = results("search")
classes = benchmark["classes"]
kinds = "rare word", "two words", "phrase", "word in most", "two common words"
p95 = {
    way: {kind: classes[kind][way]["p95_ms"] for kind in kinds}
    for way in ("obvious", "site", "tantivy")
}
drawn = bars(p95, x="milliseconds, p95", y="search", log=True, horizontal=True)
show(drawn, alt="tantivy is quickest in each class, a common word gains most.")
obvious, site, tantivy = (p95[way] for way in p95)
assert all(tantivy[it] < min(obvious[it], site[it]) for it in kinds)
assert 2 * site["word in most"] < obvious["word in most"]

# %%
rare, most = (obvious["rare word"], obvious["word in most"])
rows = [
    ("tens of thousands", "BM25, every match", f"{exact_ms:.0f} ms here"),
    ("more, searched by rare words", "the same: few match", f"{rare:.1f} ms"),
    ("more, searched by common words", "champion lists", site["word in most"]),
    ("the same, and a goal below that", "an engine", tantivy["word in most"]),
]
rows[2:] = [(*row, f"{ms:.1f} ms, not {most:.0f}") for *row, ms in rows[2:]]
names = ["what you have", "what answers it", "measured"]
table(rows, columns=names, caption="First this run, then the benchmark: p95.")

# %% [markdown]
# Between the last two rows stands an extension with a BM25 index of its own, such as
# [pg_textsearch](https://github.com/timescale/pg_textsearch), where you may install one.
#
# What an engine costs is not its server: it is the second copy. It has to be fed by an outbox or by
# change capture, it lags, it can disagree, it needs permissions and backups of its own, and what was
# just written is not found yet. What it gives is more than time: languages, fuzziness, learning to
# rank.
#
# ## Summary
# - Judge searches once; nDCG@10 and MAP then compare rankings in seconds, and a randomisation test
#   says which differences to believe.
# - Ask for any word and let the ranking put full matches first.
# - `ts_rank` is BM25 without rarity and length; `ts_rank_cd` with any word counts without end.
# - BM25 is one statement over lexemes, their positions, and three small tables of counts.
# - The first matches are arbitrary; champion lists keep the best of each common word.
# - A vocabulary under a trigram index corrects typos; distance first, then frequency.
# - A key reads its own page and repeats nothing; `OFFSET` reads all pages before.
# - Leave for a number. Here are ours, from `make bench BENCH=search`:

# %%
count, cores = benchmark["documents"], benchmark["machine"]["cores"]
names = ["milliseconds, p95", "goal", "site", "obvious way", "tantivy"]
caption = f"{count:,} documents, {cores} cores; ten rows with headlines each."
table(search_rows(benchmark), columns=names, caption=caption)
costs = search_costs(benchmark)
names = ["of the site", "measured", "goal", "reached"]
table(costs, columns=names, caption="And what it takes.")

# %% [markdown]
# ## Follow-ups
# <details><summary>Titles should count more. How, in BM25?</summary>
# As more occurrences: three for each in the title, before saturation, as BM25F does; two scores
# added up would saturate apart. <code>setweight</code> marks the positions. <code>ts_rank</code> has
# weights too, and by default one mention in the title is worth ten in the body. Evidence:
# <a href="https://www.staff.city.ac.uk/~sbrp622/papers/foundations_bm25_review.pdf">BM25 and
# Beyond</a>, on weighted fields.
# </details>
#
# <details><summary>The judged documents were found by these very rankings. Is that
# fair?</summary>
# To those that took part. A new ranking that finds other good documents is punished for what nobody
# judged: look at its first ten, judge what is missing, measure again. Evidence: <i>Judged searches
# are the ruler</i>.
# </details>
#
# <details><summary>Can clicks replace judges?</summary>
# They say what was clicked of what was shown, and the first place gets most of it. Interleaving two
# rankings in one page cancels that. Evidence:
# <a href="https://doi.org/10.1145/1458082.1458092">How does
# clickthrough data reflect retrieval quality?</a>
# </details>
#
# <details><summary>Are champion lists exact?</summary>
# For one word, yes. For several, a document can be good in all of them and in no list. Exact and
# quick is possible where postings carry the highest impact of each block, and whole blocks are
# skipped (WAND, block-max): that is what engines do, and GIN cannot. Evidence: <i>Champion lists
# score few documents, and the right ones</i>.
# </details>
#
# <details><summary>A document changes. What has to be counted again?</summary>
# Its length, the documents of the lexemes it gained or lost, and the mean: triggers do it in the
# same transaction. A slightly old <i>n</i> hardly moves a logarithm, so after an import one recounts
# at once. Evidence: <i>BM25 in SQL is one sum over what the index holds</i>.
# </details>
#
# <details><summary>How does a reader jump to page 50 with keys?</summary>
# Not at all: a key knows the next page and the one before. Few people want page 50; a date or a
# filter takes them there. The site counts up to 1,000 and ends at page 100. Evidence: <i>OFFSET reads
# every page before; a key reads its own</i>.
# </details>
#
# ## Exercises
# **1.** A search has two relevant documents, of grades 2 and 1. A ranking shows something
# irrelevant first, then the one of grade 2, then the other. What is nDCG@10, to two decimals?
#
# <details><summary>Solution</summary>
# <code>answer = 0.67</code>: (2 · 0.631 + 1 · 0.5) / (2 · 1 + 1 · 0.631) = 1.762 / 2.631.
# </details>

# %%
answer = ...

# %%
exercises.second_place.check(answer)

# %% [markdown]
# **2.** Write the rarity of a word as a function of how many documents there are and how many have
# it. It must never be negative.
#
# <details><summary>Solution</summary>
# <pre>
# def answer(documents, having):
#     return math.log(1 + (documents - having + 0.5) / (having + 0.5))
# </pre>
# Without the 1, a word in more than half of all documents would count against them.
# </details>

# %%
answer = ...

# %%
exercises.rarity.check(answer)

# %% [markdown]
# **3.** Hits are shown in the order `score DESC, id`. The last one of a page had `%(score)s` and
# `%(id)s`. Write the condition, SQL as text, that begins the next page. Scores can be equal. The
# check makes a table of hits, and turns its pages.
#
# <details><summary>Solution</summary>
# <code>answer = "score &lt; %(score)s OR score = %(score)s AND id &gt; %(id)s"</code>. The short form
# <code>(score, id) &lt; (…)</code> needs both in the same direction.
# </details>

# %%
answer = ...

# %%
exercises.next_page.check(answer, connection)

# %% [markdown]
# ## Next, and further reading
# - Before: [5.1 Full-text search](5_1_full_text_search.ipynb)
# - Next: [5.3 The search site](5_3_search_site.ipynb)
# - [The Probabilistic Relevance Framework: BM25 and
#   Beyond](https://www.staff.city.ac.uk/~sbrp622/papers/foundations_bm25_review.pdf), by Robertson
#   and Zaragoza, where each part comes from
# - [Introduction to Information Retrieval](https://nlp.stanford.edu/IR-book/), chapters 7 and 8:
#   champion lists, and evaluation
# - [Controlling text search](https://www.postgresql.org/docs/current/textsearch-controls.html)
# - [No Offset](https://use-the-index-luke.com/no-offset), by Markus Winand

# %%
environment("psycopg", postgres)
