# %% [markdown]
# # 5.1 Full-text search in PostgreSQL, from LIKE to an index
# *1 minute · 0.3 GB · services: PostgreSQL*
#
# ## Answer in a minute
# `LIKE '%word%'` compares characters: it finds *cat* in *concatenate*, misses other forms of a
# word, cannot rank, and reads every row. Full-text search compares **lexemes**. `to_tsvector`
# splits a text into words, drops stop words, reduces the others to their stems and keeps their
# positions; `websearch_to_tsquery` does the same to what a person typed, and `@@` compares the
# two.
#
# Computed at query time that is slower than `LIKE`, because every row is parsed for every query.
# So the vector goes into a stored generated column, with the configuration named, and a GIN index
# goes on the column: lexeme in, rows out. `EXPLAIN` then shows a Bitmap Index Scan in place of a
# Seq Scan. Rank only what matched with `ts_rank`, cut to the page, and make `ts_headline` snippets
# for that page alone. For typos and substrings there is `pg_trgm`.
#
# ## You will
# - **do**: search 20,000 documents in four ways, read the plan of each, and time them.
# - **learn**: what a lexeme is, which queries an index can serve, and where the time goes.
# - **need**: SQL up to `SELECT … WHERE`; nothing but this notebook.

# %%
import psycopg

from answerbook import services
from answerbook.notebook import (
    bars,
    environment,
    median_seconds,
    progress,
    raises,
    show,
    stopwatch,
    table,
)
from answerbook.notebook.docstrings import documents
from answerbook.notebook.exercises import q5_1_full_text_search as exercises

# %% [markdown]
# ## Twenty thousand documents of real text, loaded by COPY
# Search behaves well on ten sentences of one's own. Its cost and its surprises come from how often
# real words occur, so the text here is real: the docstrings of Python's standard library, several
# thousand, and on top of them mixtures of four paragraphs each, drawn at random from the same
# docstrings and named after the first one. Every word is about as frequent as it is in the
# originals, and the same Python makes the same rows each time.
#
# They go into a database of their own, fresh at every run. `COPY` streams all rows in one
# statement. Two things are switched off in this session, so that plans are short and each is made
# for its own word: parallel query, and psycopg's habit of preparing a statement that comes often.

# %%
postgres = services.require("postgres")
database = postgres.create_database("full_text_search")
connection = psycopg.connect(database, autocommit=True, prepare_threshold=None)
connection.execute("SET max_parallel_workers_per_gather = 0")
created = connection.execute("""
    CREATE TABLE documents (
        id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        title text NOT NULL,
        body  text NOT NULL
    )""")
print(created.statusmessage)

# %%
COUNT = 20_000
COPY = "COPY documents (title, body) FROM STDIN"
with connection.cursor() as cursor, cursor.copy(COPY) as copy:
    for document in progress(documents(COUNT), "loading", total=COUNT):
        copy.write_row(document)

# %%
connection.execute("VACUUM ANALYZE documents")
query = "SELECT count(*), avg(length(body)) FROM documents"
loaded, length = connection.execute(query).fetchone()
print(f"{loaded} documents, {length:.0f} characters each on average")
assert loaded == COUNT, "COPY lost rows"

# %% [markdown]
# ## LIKE finds characters, not words
# We count the rows that contain three letters anywhere (`LIKE`), and those that contain them as a
# word of their own (`\m` and `\M` in a regular expression are the two ends of a word). If `LIKE`
# found words, both counts would be about the same.
#
# <details><summary>Predict: how many times too many rows does <code>LIKE '%cat%'</code>
# find?</summary>
# A hundred times too many, and more: <i>indi<b>cat</b>e</i>, <i>lo<b>cat</b>ion</i>,
# <i>trun<b>cat</b>e</i> and <i>con<b>cat</b>enate</i> are frequent here, and cats are not.
# </details>


# %%
def count(condition, *values):
    query = f"SELECT count(*) FROM documents WHERE {condition}"
    return connection.execute(query, values).fetchone()[0]


LIKE = "body LIKE %s"
WORD = r"body ~ ('\m' || %s || '\M')"

# %%
counts = {
    word: {"LIKE": count(LIKE, f"%{word}%"), "word": count(WORD, word)}
    for word in ("cat", "ran", "socket", "sockets")
}
table(
    [{"searched": word, **found} for word, found in counts.items()],
    caption="Rows with these characters anywhere, and as a word.",
)
assert counts["cat"]["LIKE"] > 10 * counts["cat"]["word"]

# %% [markdown]
# Too much on one side, and too little on the other: whoever searches for *sockets* misses most of
# the documents about a *socket*. Words in another order are missed too:

# %%
phrase = count(LIKE, "%socket connected%")
both = count(f"{LIKE} AND {LIKE}", "%socket%", "%connect%")
print(f"'socket connected': {phrase} rows; with both words: {both}")
assert both > 10 * phrase

# %% [markdown]
# And there is a third lack: nothing says which of these rows is the best. How `LIKE` gets its
# answer, `EXPLAIN` tells. `ANALYZE` runs the query and reports real times and rows, `BUFFERS`
# the pages of 8 KiB that were touched.


# %%
def explain(condition, *values):
    query = f"SELECT id FROM documents WHERE {condition}"
    query = f"EXPLAIN (ANALYZE, BUFFERS) {query}"
    for (line,) in connection.execute(query, values):
        print(line)


explain(LIKE, "%deadlock%")

# %% [markdown]
# *Seq Scan* is the whole table, and *Rows Removed by Filter* is the waste: nearly every row was
# read and thrown away. The index that databases have by default, a B-tree, is sorted from the first
# character on, so it cannot serve a pattern that begins with `%`. The same plan as JSON is what a
# program can check:


# %%
def plan(condition, *values):
    query = f"SELECT id FROM documents WHERE {condition}"
    query = f"EXPLAIN (FORMAT JSON) {query}"
    return connection.execute(query, values).fetchone()[0][0]["Plan"]


def nodes(plan):
    children = plan.get("Plans", [])
    below = [node for child in children for node in nodes(child)]
    return [plan["Node Type"], *below]


assert nodes(plan(LIKE, "%deadlock%")) == ["Seq Scan"]

# %% [markdown]
# ## A tsvector holds lexemes and their positions, not words
# `to_tsvector` is the parser. It takes a *configuration*, which says how words become lexemes:
# `english` drops stop words and takes endings off, `simple` only writes in lower case. Name it
# always: without a name, the session's `default_text_search_config` decides, and so the same
# query means different things to different clients.
#
# <details><summary>Predict: is <i>ran</i> a form of <i>run</i> to the stemmer?</summary>
# No. The Snowball stemmer cuts endings by rule and knows no grammar: <i>running</i> and
# <i>runs</i> become <i>run</i>, the irregular <i>ran</i> stays alone.
# </details>

# %%
SENTENCE = "The cats were running: a cat runs, and a cat ran."
vectors = {
    name: connection.execute(
        "SELECT to_tsvector(%s, %s)", (name, SENTENCE)
    ).fetchone()[0]
    for name in ("english", "simple")
}
table(vectors.items(), columns=["as", "tsvector"], caption=SENTENCE)
assert vectors["english"] == "'cat':2,6,10 'ran':11 'run':4,7"

# %% [markdown]
# A lexeme stands once, with all its positions. Those count the stop words that are gone, so phrases
# still have the right distances. A stem need not be a word: *parsing*, *parses* and *parse* all
# become `pars`, and that is fine as long as the query goes through the same mill.
#
# ## websearch_to_tsquery reads what people type, without syntax errors
# A query is a `tsquery`: lexemes with `&` (and), `|` (or), `!` (not) and `<->` (followed by).
# `to_tsquery` wants that notation and refuses anything else, so nearly all that people type.
# `websearch_to_tsquery` knows the habits from search engines: quotes for a phrase, `or`, and a
# minus, and it reads anything. "Anything" is not "of any length", though: a text pasted by mistake,
# or sent on purpose, is an error, and should be cut before it comes here.

# %%
WEBSEARCH = "websearch_to_tsquery('english', %s)"
with raises(psycopg.errors.SyntaxError):
    connection.execute("SELECT to_tsquery('english', 'parse json')")
with raises(psycopg.OperationalError):
    connection.execute(f"SELECT {WEBSEARCH}", ("word " * 40_000,))

# %%
COMPUTED = f"to_tsvector('english', body) @@ {WEBSEARCH}"
typed = ("sockets", "parsing json", '"event loop" -policy', 'deadlock or "')
found = {}
for text in progress(typed, "searching"):
    (read,) = connection.execute(f"SELECT {WEBSEARCH}", (text,)).fetchone()
    found[text] = (read, count(COMPUTED, text))

# %%
table(
    [(text, *result) for text, result in found.items()],
    columns=["typed", "read as", "rows"],
    caption="What was typed, the query it becomes, and what it finds.",
)
assert found["sockets"][1] > 3 * counts["sockets"]["LIKE"]
assert found['deadlock or "'][0] == "'deadlock'"

# %% [markdown]
# *sockets* now finds every document about a socket, since both sides were reduced to the same
# lexeme.
#
# ## Without an index, full-text search is slower than LIKE
# Those four searches were slow. The condition calls `to_tsvector` on every row, for every query:
# the whole collection is parsed again to answer one question. Many tutorials stop here.
#
# <details><summary>Predict: which is slower, <code>LIKE</code> or this, and by how much?</summary>
# This, by ten times and more. Both read all rows; but comparing characters costs about a
# microsecond a row, while parsing and stemming a text of some hundred characters costs tens.
# </details>

# %%
explain(COMPUTED, "deadlock")
assert nodes(plan(COMPUTED, "deadlock")) == ["Seq Scan"]

# %% [markdown]
# The same Seq Scan, the same pages read, but far more work on each row. We time both for a rare
# word and for a frequent one. Each number is the median of fifteen runs (of three, where a run
# takes a second), after one that warms up.


# %%
def milliseconds(condition, pattern="{}", runs=15):
    def timed(word):
        text = pattern.format(word)
        return 1000 * median_seconds(lambda: count(condition, text), runs)

    words = progress(("deadlock", "return"), "timing")
    return {word: timed(word) for word in words}


like, computed = milliseconds(LIKE, "%{}%"), milliseconds(COMPUTED, runs=3)
times = {"LIKE": like, "vector computed": computed}
print(f"{computed['deadlock'] / like['deadlock']:.0f} times LIKE's time")
assert 2 * like["deadlock"] < computed["deadlock"]

# %% [markdown]
# ## A stored generated column is parsed once, when it is written
# The vector of a row changes only when the row does, so we keep it beside the text. A *generated*
# column is filled by the database itself: no trigger, nothing for the application to forget. Its
# expression has to be immutable, that is, to depend on nothing but the row. A vector without a
# named configuration depends on the session, and is refused:

# %%
ADD = """ALTER TABLE documents ADD COLUMN search tsvector
         GENERATED ALWAYS AS ({}) STORED"""
with raises(psycopg.errors.InvalidObjectDefinition) as caught:
    connection.execute(ADD.format("to_tsvector(body)"))
assert "not immutable" in str(caught.error)

# %%
with stopwatch() as watch:
    connection.execute(ADD.format("to_tsvector('english', body)"))
    connection.execute("VACUUM ANALYZE documents")
print(f"{COUNT} vectors in {watch.seconds:.1f} s")

# %%
STORED = f"search @@ {WEBSEARCH}"
times["column stored"] = milliseconds(STORED)
assert count(STORED, "deadlock") == count(COMPUTED, "deadlock")
assert 2 * times["column stored"]["deadlock"] < computed["deadlock"]

# %% [markdown]
# The parsing has moved from every query to the one write. `STORED` is written out on purpose: since
# PostgreSQL 18 a generated column is *virtual* unless it says otherwise, computed when it is read,
# and that is what we came from. The price is space; the last experiment below sums it up.
#
# ## A GIN index finds the rows without reading the table
# GIN, the generalised inverted index, is the index at the end of a book: for each lexeme, the rows
# that hold it. Before it is there, the stored column is read from end to end:

# %%
explain(STORED, "deadlock")
assert nodes(plan(STORED, "deadlock")) == ["Seq Scan"]

# %%
connection.execute("CREATE INDEX by_lexeme ON documents USING gin (search)")
explain(STORED, "deadlock")

# %%
after = plan(STORED, "deadlock")
assert nodes(after) == ["Bitmap Heap Scan", "Bitmap Index Scan"]
assert after["Plans"][0]["Index Name"] == "by_lexeme"
times["GIN index"] = milliseconds(STORED)
assert 2 * times["GIN index"]["deadlock"] < like["deadlock"]

# %% [markdown]
# Read the plan from the inside: the *Bitmap Index Scan* collects the rows' places from the index in
# a few pages, the *Bitmap Heap Scan* fetches just those rows. Compare *Buffers* with the plan
# above it.
#
# <details><summary>Predict: does the index help for <i>return</i>, a word in about half of all
# documents?</summary>
# Far less than for a rare word: most of the table has to be fetched either way. The planner knows
# from its statistics how frequent the word is, and chooses between the index and the whole table;
# the plans below the figure say what it chose.
# </details>

# %%
words = {"deadlock": "deadlock (rare)", "return": "return (frequent)"}
by_word = {
    label: {way: found[word] for way, found in times.items()}
    for word, label in words.items()
}
show(
    bars(by_word, x="way to search", y="milliseconds a query", log=True),
    alt="Time to count the matching rows of 20,000, on a logarithmic "
    "axis: computing vectors is slowest; the index answers a rare word "
    "fastest by far, and helps far less with a frequent one.",
)

# %%
gained = {}
for word in words:
    gained[word] = times["column stored"][word] / times["GIN index"][word]
    share = count(STORED, word) / COUNT
    print(f"{word}: {share:.1%} of rows, {nodes(plan(STORED, word))}")
assert gained["deadlock"] > 2 * gained["return"]

# %% [markdown]
# ## An expression index serves its own expression and no other
# Instead of a column one can index the expression itself. Then the planner uses the index only for
# a query with the very same expression; another one of the same meaning gets a Seq Scan, without a
# word of warning. That is what goes wrong with Django's `SearchVector("body")`: its SQL has a
# `COALESCE` around the column, which no index on the plain expression has.

# %%
connection.execute("""
    CREATE INDEX by_expression ON documents
    USING gin (to_tsvector('english', body))""")
print(connection.execute("VACUUM ANALYZE documents").statusmessage)

# %%
expressions = (
    "to_tsvector('english', body)",
    "to_tsvector('english', coalesce(body, ''))",
    "to_tsvector(body)",
    "to_tsvector('simple', body)",
)
plans = {
    expression: nodes(plan(f"{expression} @@ {WEBSEARCH}", "deadlock"))
    for expression in expressions
}

# %%
table(
    [(expression, plan[-1]) for expression, plan in plans.items()],
    columns=["searched expression", "how the rows are found"],
    caption="The index is on the first of these expressions.",
)
ways = [plan[-1] for plan in plans.values()]
assert ways == ["Bitmap Index Scan", "Seq Scan", "Seq Scan", "Seq Scan"]

# %% [markdown]
# The stored column has no such trap: it is named, not repeated. It also spares a second parsing of
# each row that ranking would cost.
#
# ## Rank what matched, and make headlines for one page only
# `ts_rank` scores a row by how often the query's lexemes occur in it. It needs the row's vector, so
# every *matching* row is read, and scored, before the best ten are known. `ts_headline` makes the
# snippet with the words marked, and it needs the text itself, parsed anew: by far the dearest part.

# %%
PAGE = f"""
    SELECT title, ts_rank(search, query) AS rank,
           ts_headline('english', body, query,
                       'MaxWords=12, MinWords=6') AS headline
    FROM documents, {WEBSEARCH} AS query WHERE search @@ query"""
BEST = f"{PAGE} ORDER BY rank DESC, title LIMIT 5"
table(
    connection.execute(BEST, ("compress files",)).fetchall(),
    columns=["title", "rank", "headline"],
    caption="The best five for: compress files.",
)

# %% [markdown]
# Common advice is to cut in a subquery first, and make headlines outside. PostgreSQL does that by
# itself in a plain query like ours: an expensive expression that the order does not need is
# computed after the `LIMIT`. But it must not where something stands between, such as `DISTINCT` or
# a `MATERIALIZED` part of a `WITH`. Same result, another bill:

# %%
FORCED = f"""
    WITH matched AS MATERIALIZED ({PAGE})
    SELECT * FROM matched ORDER BY rank DESC, title LIMIT 5"""


def page(query):
    return connection.execute(query, ("compress files",)).fetchall()


after_limit = median_seconds(lambda: page(BEST), 15)
before_limit = median_seconds(lambda: page(FORCED), 15)

# %%
print(f"headlines for the page {after_limit * 1000:.1f} ms,")
print(f"for all that matched {before_limit * 1000:.1f} ms")
assert page(BEST) == page(FORCED)
assert 2 * after_limit < before_limit

# %% [markdown]
# ## Trigrams give LIKE an index, and change nothing else
# Where characters are what is wanted (part numbers, file names, fragments), `pg_trgm` indexes every
# sequence of three characters, and `LIKE '%…%'` can use that. It finds the same rows as before:
# cats in *concatenate* too, no stems, no ranks.

# %%
before = count(LIKE, "%eadloc%")
connection.execute("CREATE EXTENSION pg_trgm")
connection.execute("""
    CREATE INDEX by_trigram ON documents USING gin (body gin_trgm_ops)""")
assert nodes(plan(LIKE, "%eadloc%"))[-1] == "Bitmap Index Scan"
assert count(LIKE, "%eadloc%") == before > 0

# %%
SIZES = """
    SELECT 'all text', sum(pg_column_size(body)) FROM documents UNION ALL
    SELECT 'all vectors', sum(pg_column_size(search)) FROM documents UNION ALL
    SELECT indexrelname, pg_relation_size(indexrelid)
    FROM pg_stat_user_indexes WHERE indexrelname ~ '^by_'"""
megabytes = {
    what: float(size) / 1e6 for what, size in connection.execute(SIZES)
}
table(megabytes.items(), columns=["what", "MB"], caption="Space taken.")
assert 2 * megabytes["by_lexeme"] < megabytes["by_trigram"]

# %% [markdown]
# ## Summary
# - `LIKE '%…%'` finds characters: too many rows for *cat*, too few for *sockets*, none ranked.
# - A `tsvector` holds stems with positions; the stemmer follows rules, so *ran* is not *run*.
# - `websearch_to_tsquery` reads what a person types; `to_tsquery` refuses two plain words.
# - Vectors computed at query time are many times slower than `LIKE`.
# - A stored generated column moves the parsing to the write; its configuration has to be named.
# - With a GIN index a rare word costs about a millisecond or less; a frequent one gains far less.
# - An expression index serves the identical expression only, and says nothing when it does not.
# - Headlines come after the `LIMIT`, unless the query forbids it.
# - Trigrams index substrings, at several times the size.
#
# ## Follow-ups
# <details><summary>GIN or GiST for a tsvector?</summary>
# GIN, nearly always: it holds each lexeme's rows exactly. GiST keeps a lossy signature of each
# row, so it finds rows that do not match and has to check them. Evidence:
# <a href="https://www.postgresql.org/docs/current/textsearch-indexes.html">Preferred index types
# for text search</a>.
# </details>
#
# <details><summary>What does a GIN index cost on writes?</summary>
# One entry for each lexeme of a new row. To soften that, new entries first go to a pending list
# (<code>fastupdate</code>), which every search also has to read until vacuum, or its own size,
# merges it. Evidence:
# <a href="https://www.postgresql.org/docs/current/gin.html">GIN indexes, fast update</a>.
# </details>
#
# <details><summary>The index is there. Why is a search for a frequent word still slow?</summary>
# Because all matching rows are needed: to be counted, and to be ranked before the best ten are
# known. GIN holds no scores. Evidence: <i>A GIN index finds the rows without reading the
# table</i>.
# </details>
#
# <details><summary>Titles should count more than bodies. How?</summary>
# <code>setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', body),
# 'D')</code> in the generated column; <code>ts_rank</code> weighs the four letters differently.
# Evidence: <a href="https://www.postgresql.org/docs/current/textsearch-controls.html">Controlling
# text search</a>.
# </details>
#
# <details><summary>And documents in several languages?</summary>
# A column of type <code>regconfig</code> names each row's configuration, and the generated column
# reads it: <code>to_tsvector(language, body)</code> is immutable too. The query has to be parsed
# with the reader's language. Evidence: <i>A tsvector holds lexemes and their positions, not
# words</i>.
# </details>
#
# <details><summary>When is PostgreSQL not enough?</summary>
# When most searches are for frequent words in millions of rows and must answer in milliseconds, or
# the ranking has to weigh rare words higher: <code>ts_rank</code> knows nothing of how rare a word
# is. Then a search engine, or an extension with BM25, earns its keep, and brings a second copy of
# the data that has to be kept in step. Evidence: <i>Rank what matched, and make headlines for one
# page only</i>.
# </details>
#
# ## Exercises
# **1.** How many lexemes are in `to_tsvector('english', 'To be or not to be')`?
#
# <details><summary>Solution</summary>
# <code>answer = 0</code>: all of them are stop words. A search for a text of stop words finds
# nothing, and PostgreSQL says so in a notice at most.
# </details>

# %%
answer = ...

# %%
exercises.hamlet.check(answer)

# %% [markdown]
# **2.** What does a person type to find the documents with the phrase *event loop* that mention no
# thread? Answer with the text, as it goes into `websearch_to_tsquery`.
#
# <details><summary>Solution</summary>
# <code>answer = '"event loop" -thread'</code>. Without quotes the two words may stand anywhere in
# the document.
# </details>

# %%
answer = ...

# %%
exercises.typed.check(answer, connection)

# %% [markdown]
# **3.** A program searches with `to_tsvector('english', coalesce(title, ''))`. Write the `CREATE
# INDEX` that serves it. The check creates your index, asks for the plan, and takes it back.
#
# <details><summary>Solution</summary>
# <code>answer = "CREATE INDEX ON documents USING gin (to_tsvector('english', coalesce(title,
# '')))"</code>: the very same expression, the useless <code>coalesce</code> included.
# </details>

# %%
answer = ...

# %%
exercises.same_expression.check(answer, connection)

# %% [markdown]
# **4.** A document says *call json.dumps*, and a search for *dumps* does not find it. What kind of
# token does PostgreSQL's parser take `json.dumps` for? `SELECT * FROM ts_debug('english', 'call
# json.dumps')` tells, in its column `alias`.
#
# <details><summary>Solution</summary>
# <code>answer = "host"</code>: a name with dots looks like <i>www.example</i>, and stays one
# lexeme. Where code is searched, split such names before <code>to_tsvector</code> sees them.
# </details>

# %%
answer = ...

# %%
exercises.token.check(answer)

# %% [markdown]
# ## Next, and further reading
# - Before: [00 Start here](00_start_here.ipynb)
# - [Full Text Search](https://www.postgresql.org/docs/current/textsearch.html), PostgreSQL's own
#   chapter: parsers, dictionaries, ranking
# - [Using EXPLAIN](https://www.postgresql.org/docs/current/using-explain.html), how to read a plan
# - [pg_trgm](https://www.postgresql.org/docs/current/pgtrgm.html), similarity and typos

# %%
environment("psycopg", postgres)
