# %% [markdown]
# # 5.3 The search site, served, loaded and reloaded
# *2 minutes · 0.8 GB · services: the search site*
#
# ## Answer in a minute
# The search is a stored vector with a GIN index, one method of a query set, and a view
# of a dozen lines; a page and a JSON API call the same function. nginx takes
# connections, static files, slow clients and limits; uWSGI behind it has a few
# processes, each with one request and one database connection at a time.
#
# Processes help until the cores are busy, then requests only wait longer: with a fixed
# number of readers, the time of a page is readers divided by pages a second. A new
# version comes by a rolling reload, one worker after the other, and no request is
# refused. The development server is one process, and opens a database connection for
# every visitor.
#
# uWSGI is in maintenance mode. What it is given is WSGI, so another server takes its
# place without a line of Python changed.
#
# ## You will
# - **do**: read the site's code, search it as a person and as a program, load it by
#   Locust with one to four workers, reload it under load, and serve it by other servers.
# - **learn**: what a page costs and where, how many workers to run, and what is safe
#   before anybody configures anything.
# - **need**: [5.1](5_1_full_text_search.ipynb), or what a `tsvector` is.

# %%
import os
import re
import signal
from importlib.util import find_spec

import psutil
import psycopg
import requests

from answerbook import services
from answerbook.load.pages import asked_for, asking
from answerbook.notebook import environment, figure, progress, show, table
from answerbook.notebook import wait_for
from answerbook.notebook.browser import picture
from answerbook.notebook.environment import usable_cores
from answerbook.notebook.exercises import q5_3_search_site as exercises
from answerbook.notebook.search_site import cpu_seconds, link, served, source

# %% [markdown]
# ## One column, one method and a short view are the search
# `require` starts PostgreSQL, makes the database, applies the migrations, loads the
# documents that the site ships, and starts uWSGI and nginx. The code below is read from
# `site/`, where it runs. First what is stored.

# %%
site = services.require("site")
source("search/models.py", "Document")

# %% [markdown]
# `vector` is a column that PostgreSQL fills itself, from title, tags and body with a
# weight each, and `document_vector` is the GIN index on it. What turns a typed text into
# a page stands behind one verb of the query set:

# %%
source("search/manager.py", "DocumentQuerySet.search")
source("search/manager.py", "_Found.page")

# %% [markdown]
# Two stages: find and rank **ids**, cut to a page, and only then (`hits.of`) read titles
# and make headlines, of ten rows and not of all that match. The view knows nothing of
# that:

# %%
source("search/views.py", "results", "found")

# %% [markdown]
# <details><summary>Predict: which index answers, and is the view's code in its
# way?</summary>
# The GIN index on the stored column: the query names the column, so there is no
# expression that could differ from an indexed one. The ORM adds nothing to the
# condition.
# </details>

# %%
EXPLAIN = """
from search.models import Document
print(Document.objects.matching("'deadlock'").only("id").explain())
"""
plan = site.manage("shell", "--no-imports", "-c", EXPLAIN)
print(plan)
assert "Bitmap Index Scan on document_vector" in plan

# %% [markdown]
# ## People get a page and programs get JSON, from one search
# The page works without JavaScript: a form, links for filters and pages, and an address
# that says everything, so it can be sent to somebody.

# %%
asked = {"q": "idempotency key", "kind": "section"}
page = requests.get(f"{site.url}/search", params=asked, timeout=10)
hits = re.findall(r'href="(/document/\d+)', page.text)
print(page.status_code, page.headers["Server"], f"{len(page.text)} characters")
assert page.status_code == 200 and "<mark>" in page.text and hits

# %%
answer = requests.get(f"{site.url}/api/search", params=asked, timeout=10)
found = answer.json()
rows = [
    (hit["title_html"][:60], hit["source"], hit["score"])
    for hit in found["hits"][:5]
]
many = found["count"]["number"]
names = ["title", "source", "score"]
table(rows, columns=names, caption=f"The best of {many} sections, as JSON.")
assert [hit["url"] for hit in found["hits"]] == list(dict.fromkeys(hits))

# %% [markdown]
# Titles and snippets are HTML, escaped but for `<mark>`, and their names say so:
# `title_html`. An API that passes over what it does not know makes a misspelt filter look
# like an empty result; this one refuses, with problem details (RFC 9457):

# %%
typo = {"q": "retry", "knid": "section"}
refused = requests.get(f"{site.url}/api/search", params=typo, timeout=10)
print(refused.status_code, refused.headers["Content-Type"])
print(refused.json()["detail"])
assert refused.status_code == 422

# %%
picture(page.url, alt="Results for “idempotency key”, filters beside them.")
link(page.url, "Open it in your browser")

# %% [markdown]
# ## What nobody configured is safe
# Only what is needed is allowed: scripts and styles from the site's own files and none in
# a page, nothing from elsewhere, no frame around it. These headers come with every answer.
#
# <details><summary>Predict: somebody searches for a script tag. Does it
# run?</summary>
# No, twice over. Templates escape what they print, so it is text; and were one place
# forgotten, the policy has no <code>'unsafe-inline'</code>, so browsers would not run it.
# </details>

# %%
SCRIPT = "<script>alert(1)</script>"
page = requests.get(f"{site.url}/search", params={"q": SCRIPT}, timeout=10)
policy = page.headers["Content-Security-Policy"]
for directive in sorted(policy.split("; ")):
    print(directive)
assert SCRIPT not in page.text and "&lt;script&gt;" in page.text
assert "unsafe" not in policy and "frame-ancestors 'none'" in policy

# %% [markdown]
# A name that is not the site's is refused, because links in mails are made of it. Metrics
# are on a port of their own. And whoever asks too fast is told when to come back: nginx
# takes 20 requests a second from one address, and a hundred at once.

# %%
forged = requests.get(site.url, headers={"Host": "evil.example"}, timeout=10)
hidden = requests.get(f"{site.url}/metrics", timeout=10)
hasty, sent = requests.Session(), 0
nowhere = f"{site.url}/nothing"
while (answer := hasty.get(nowhere, timeout=10)).status_code == 404:
    sent += 1
print(forged.status_code, hidden.status_code, f"{sent} before a refusal")
print("Retry-After:", answer.headers["Retry-After"], "–", answer.text)
assert (forged.status_code, hidden.status_code) == (400, 404)
assert answer.status_code == 429 and sent >= 100

# %% [markdown]
# ## The admin lets in one account, and no forged form
# Its account has a generated password (`answerbook env site` prints it), kept as an
# Argon2 hash. Without a session every page leads to the form, and a form that did not come
# from this site, so without its token, is refused before anybody looks at the password.

# %%
admin = f"{site.url}/admin/login/"
visitor = requests.Session()
closed = visitor.get(f"{site.url}/admin/search/document/", timeout=10)
credentials = {"username": site.admin_user, "next": "/admin/"}
credentials["password"] = str(site.admin_password)
forged = visitor.post(admin, data=credentials, timeout=10)
print(closed.url.removeprefix(site.url), forged.status_code)
assert closed.url.startswith(admin) and forged.status_code == 403

# %%
visitor.get(admin, timeout=10)
token = {"csrfmiddlewaretoken": visitor.cookies["csrftoken"]}
entered = visitor.post(admin, data=credentials | token, timeout=10)
print(entered.status_code, entered.url.removeprefix(site.url))
documents = f"{site.url}/admin/search/document/?q=quorum"
assert "quorum" in visitor.get(documents, timeout=10).text.lower()

# %%
cookie = entered.history[0].headers["Set-Cookie"]
flags = cookie[cookie.index("sessionid=") :].split("; ")[1:]
print("the session's cookie:", *flags, sep="  ")
assert {"HttpOnly", "SameSite=Lax"} <= set(flags)
alt = "The admin's list of documents, searched by the same query set."
cookies = visitor.cookies.get_dict()
picture(documents, alt=alt, cookies=cookies, height=560)

# %% [markdown]
# ## More workers help until the cores are busy
# A worker is a process that answers one request at a time. Locust is the crowd: eight
# readers, each of whom asks again as soon as the page is there. It runs as a process of
# its own, because `import locust` would patch this kernel's sockets. Beside what Locust
# measures, we count the seconds of processor time that each part took.
#
# nginx's limit for one address has to go, since all eight come from one.


# %%
READERS, WITHOUT_LIMIT = 8, 1_000_000
TEXTS = ["kafka", "exactly once", "socket timeout", '"event loop"', "hash*"]
TEXTS += ["parse json", "unicode", "retry -kafka"]


def load(where, readers=READERS, seconds=4):
    with cpu_seconds(site, where) as spent:
        pages = asked_for(where.url, TEXTS, readers, seconds)
    spent["locust"] = pages.cpu_seconds
    return pages, {it: 1000 * spent[it] / pages.count for it in spent}


# %% [markdown]
# <details><summary>Predict: how many pages a second do four workers give, if one gives
# fifty?</summary>
# Not two hundred, unless there are cores for it: a page is work for Django and for
# PostgreSQL, and both, and Locust, share the cores of this machine.
# </details>

# %%
loads, costs, memory = {}, {}, {}
for workers in progress((1, 2, 3, 4), "workers"):
    site.configure(
        workers=workers, rate=WITHOUT_LIMIT, burst=WITHOUT_LIMIT
    ).restart()
    loads[workers], costs[workers] = load(site)
    memory[workers] = site.engine.memory(site, 1) / 1e6

# %%
rows = [
    (workers, it.a_second, it.mean, it.p95, memory[workers])
    for workers, it in loads.items()
]
names = ["workers", "pages a second", "mean, ms", "p95, ms", "memory, MB"]
table(rows, columns=names, caption="Eight readers; memory of uWSGI and nginx.")
assert sum(it.failures for it in loads.values()) == 0
assert memory[4] > 1.5 * memory[2]

# %% [markdown]
# What a page costs hardly depends on the number of workers; the least of the four runs
# tells how many pages a second these cores can give at most.

# %%
parts = {"uwsgi": "Django, in uWSGI", "postgres": "PostgreSQL"}
parts |= {"nginx": "nginx", "locust": "Locust"}
cost = {it: min(run[it] for run in costs.values()) for it in parts}
ceiling = usable_cores() * 1000 / sum(cost.values())
rows = [(what, cost[role]) for role, what in parts.items()]
names = ["part", "ms of processor time a page"]
table(rows, columns=names, caption=f"So at most {ceiling:.0f} a second here.")
assert max(it.a_second for it in loads.values()) < 2 * ceiling
assert cost["uwsgi"] > 2 * cost["nginx"]

# %%
drawn, (left, right) = figure(8, 3.2, columns=2)
rates = [it.a_second for it in loads.values()]
left.plot(list(loads), rates, label="measured")
left.axhline(ceiling, color="#000000", linestyle="--", label="all cores busy")
left.set(xlabel="workers", ylabel="pages a second", xticks=list(loads))
left.set_ylim(bottom=0)
left.legend(loc="lower right")
right.plot(list(loads), [it.p95 for it in loads.values()], color="#D55E00")
right.set(xlabel="workers", ylabel="p95, milliseconds", xticks=list(loads))
right.set_ylim(bottom=0)
alt = "Pages a second, and the time that 95 of 100 keep, by workers."
show(drawn, alt=alt)

# %% [markdown]
# The two curves are one fact. Each of the eight readers waits for exactly one page all
# the time, so readers = pages a second × seconds a page (Little's law), whatever the number
# of workers. Latency under such a load says how long the queue is, not how fast the site is.

# %%
for workers, it in loads.items():
    waiting = it.a_second * it.mean / 1000
    print(f"workers: {workers}; readers who wait: {waiting:.1f}")
    assert READERS / 2 < waiting < READERS * 2

# %% [markdown]
# Each point above is one run of four seconds. Where the machine has other work at that
# moment, a point falls to half, and the curve is ragged; processor time of a page moves far
# less, which is why the claim rests on it. For a decision, repeat the runs.
#
# So: as many workers as cores to begin with, twice as many where requests wait for
# something else than this machine's processors; and memory is what each one costs. All
# the same, two on one core are better than one: a reload then leaves one to answer.
#
# ## The development server gives out where uWSGI lets visitors wait
# `manage.py runserver` is one process with a thread for each connection. We serve the
# same site by it, on the same database, as one develops: with `SITE_DEBUG=1`.
#
# <details><summary>Predict: is it slower, and is that the trouble?</summary>
# Slower where cores are free: the threads of one process run Python one at a time. Where
# all cores are busy anyway, that hardly shows. The trouble is another: a thread for each
# visitor is a database connection for each visitor, and a database has so many and no
# more.
# </details>

# %%
RUNSERVER = ["python", "manage.py", "runserver", "--noreload", "{address}"]
CROWD = 80
with served(site, *RUNSERVER, SITE_DEBUG="1") as runserver:
    few, cost_there = load(runserver)
    crowded, _ = load(runserver, CROWD)
    missing = requests.get(f"{runserver.url}/nothing", timeout=10)
crowded_site, _ = load(site, CROWD)

# %%
runs = {
    f"runserver, {READERS}": few,
    f"uWSGI and nginx, {READERS}": loads[4],
    f"runserver, {CROWD}": crowded,
    f"uWSGI and nginx, {CROWD}": crowded_site,
}
rows = [(name, it.a_second, it.p95, it.failures) for name, it in runs.items()]
names = ["server and readers", "answers a second", "p95, ms", "no page"]
table(rows, columns=names, caption="One process with threads; four workers.")
assert crowded.failures > 0 == crowded_site.failures

# %%
USED = "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = 'site'"
with psycopg.connect(site.postgres.url_of("site")) as connection:
    (most,) = connection.execute("SHOW max_connections").fetchone()
    (used,) = connection.execute(USED).fetchone()
print(f"{most} connections, {CROWD} visitors; uWSGI has {used}")
routes = re.findall(r"\[name='([\w-]+)'\]", missing.text)
print("runserver tells of the routes", *routes)
hidden = requests.get(f"{site.url}/nothing", timeout=10)
assert used <= site.workers < int(most) < CROWD
assert "metrics" in routes and "metrics" not in hidden.text

# %% [markdown]
# The answers without a page came fast, so runserver's *answers a second* went up when
# it failed; look at failures before rates. With `SITE_DEBUG=1`, a wrong address shows all
# addresses that there are, and an error shows the code with its variables. Django's
# documentation says it in capitals: not in production.
#
# uWSGI's eighty readers were all served. They waited in a queue in front of the workers,
# which is where a crowd should wait: the database sees one connection of each worker. nginx
# adds what an application server should not do: static files, compression, limits, and
# patience with slow clients, who would hold a worker for as long as they take.
#
# ## uWSGI is in maintenance mode, and WSGI makes it replaceable
# Its authors say so: bugs are fixed, and support for new versions of Python comes, but
# nothing else. It works, and it will be replaced one day. All that the application knows
# of it is a callable, `project.wsgi.application`, so we serve the site by
# [Granian](https://github.com/emmett-framework/granian), written in Rust, where that is
# installed. One blocking thread a worker makes it take one request at a time, as uWSGI
# does; with its own choice of threads each has a database connection, as above.
#
# <details><summary>Predict: how much faster does a server in Rust make a
# page?</summary>
# Hardly at all. The page is made by Django and PostgreSQL; what is left for the server is
# to read a request and to write an answer.
# </details>

# %%
GRANIAN = ["granian", "--interface", "wsgi", "--workers", "2"]
GRANIAN += ["--blocking-threads", "1", "--port", "{port}"]
GRANIAN += ["project.wsgi:application"]
replacements = [GRANIAN] if find_spec("granian") else []


def pids(server):
    children = psutil.Process(server.pid).children()
    return {child.pid for child in children}


# %%
others = {"uWSGI": (loads[2], costs[2]["uwsgi"])}
others["runserver"] = few, cost_there["server"]
for words in replacements:
    with served(site, *words) as granian:
        pages, spent = load(granian)
        others["Granian"] = pages, spent["server"]
        before = pids(granian)
        with asking(granian.url, TEXTS) as under_way:
            os.kill(granian.pid, signal.SIGHUP)
            wait_for(lambda old=before: not old & pids(granian), "new", 60)
        assert under_way.pages.failures == 0

# %%
rows = [
    (name, it.a_second, it.p95, cost) for name, (it, cost) in others.items()
]
names = ["server", "pages a second", "p95, ms", "ms of its processor time"]
table(rows, columns=names, caption="Eight readers; two workers, where any.")
if not replacements:
    print("Granian is not installed here: pip install granian")
of_workers = [others[it][1] for it in others if it != "runserver"]
assert max(of_workers) < 2 * min(of_workers)

# %% [markdown]
# To uWSGI and to Granian a page costs about the same, for nearly all of it is Django;
# runserver's threads also pay for taking turns. Where Granian is installed, its `SIGHUP`
# replaced the workers without a failure, too. What decides is therefore not speed but what this site
# uses of uWSGI, and who else has it:
#
# | what | uWSGI | Gunicorn | Granian |
# |---|---|---|---|
# | a request that hangs is ended | `harakiri` | `--timeout` | only by PostgreSQL's limit |
# | what leaks, leaks no further | `max-requests` | `--max-requests` | `--workers-lifetime` |
# | a new version, and nobody refused | `master-fifo`, `c` | `SIGHUP` | `SIGHUP` |
# | nginx speaks to it by | `uwsgi_pass` | `proxy_pass` | `proxy_pass` |
#
# Gunicorn is pure Python and the usual choice for Django; its plain workers, like
# uWSGI's, want nginx before them. To go over is a line in nginx and another program in
# the container.
#
# ## A rolling reload drops no request, a restart does
# Each worker finishes what it is answering, ends, and is started with the code of
# today; the next one goes when it is back (`echo c > control` in `docker/uwsgi`'s
# configuration). For that, workers load the application after the fork (`lazy-apps`), and
# share no memory for it: the price of the column *memory* above.
#
# <details><summary>Predict: what do readers see who are there in the midst of
# it?</summary>
# At a reload nothing but a longer wait, with one worker less. At a restart nobody listens
# for some seconds, and every connection is refused at once.
# </details>

# %%
before = {worker.pid for worker in site.worker_processes()}
with asking(site.url, TEXTS) as under_way:
    site.reload()
rolling = under_way.pages
after = {worker.pid for worker in site.worker_processes()}
print(f"reload: {rolling.count} asked, {rolling.failures} without a page")
assert not before & after
assert rolling.failures == 0 < rolling.count

# %% [markdown]
# The restart also takes back what was configured above, so that the site is left as it
# was found. So that its limit is kept to, four readers pause half a second each time.

# %%
with asking(site.url, TEXTS, users=4, pause=0.5) as under_way:
    site.configure().restart()
hard = under_way.pages
print(f"restart: {hard.count} asked, {hard.failures} without a page")
link(site.url, "The site is still there: open it")
assert hard.failures > 0

# %% [markdown]
# During a rolling reload two versions answer side by side, on one database. A migration
# therefore has to suit both: add first, use it with the next version, and take away with
# the one after that.
#
# ## Summary
# - The model, one query-set method and a short view are the search; the GIN index
#   answers, and headlines are made for the page alone.
# - Page and API come from one function; an API refuses what it does not know.
# - Escaping, a strict policy, a list of hosts, a limit and tokens hold before anybody
#   configures anything.
# - Processor time of a page, times pages a second, is at most the number of cores: it
#   tells how many workers help. Each takes memory.
# - With a fixed crowd, seconds a page = readers / pages a second.
# - runserver gives each visitor a database connection; uWSGI gives each worker one, and
#   lets visitors wait.
# - The application server costs little of a page and can be replaced.
# - A reload goes worker by worker and refuses nobody; a restart refuses everybody for
#   some seconds.
#
# ## Follow-ups
# <details><summary>How many workers do you start with?</summary>
# As many as cores, at least two, and then measure: more if processors idle while requests
# wait, fewer if memory is short. PostgreSQL needs its share of the cores where it runs on
# the same machine. Evidence: <i>More workers help until the cores are busy</i>.
# </details>
#
# <details><summary>Why not threads in each worker?</summary>
# For pages that wait for other services, yes: a waiting thread costs less than a waiting
# process. Here most of the time is Python's, one thread of a process at a time has the
# interpreter, and each thread wants a connection. Evidence:
# <i>The development server gives out where uWSGI lets visitors wait</i>.
# </details>
#
# <details><summary>And a thousand workers on many machines?</summary>
# Then their connections are too many for PostgreSQL. A pooler such as PgBouncer shares few
# connections among many clients, a transaction at a time. Evidence:
# <a href="https://www.pgbouncer.org/features.html">PgBouncer's features</a>.
# </details>
#
# <details><summary>Would an asynchronous server and view be faster?</summary>
# Not for this page: its time is computing, not waiting. Async pays where a request waits
# long, for streams or for slow services. Evidence:
# <a href="https://docs.djangoproject.com/en/5.2/topics/async/">Django on asynchronous
# support</a>.
# </details>
#
# <details><summary>What does nginx do for a slow client?</summary>
# It reads the whole request before a worker hears of it, and takes the whole answer from
# the worker at once. A thousand slow clients are a thousand small buffers, and no worker
# waits. Evidence:
# <a href="https://nginx.org/en/docs/http/ngx_http_uwsgi_module.html">uwsgi_buffering</a>.
# </details>
#
# <details><summary>Why is a page of results not cached?</summary>
# It could be, for a minute, by nginx. But most searches are made once, and the frequent
# ones are quick by other means; a cache that is seldom hit is one more thing that can be
# stale. Measure the share of repeated searches first: the admin lists them. Evidence:
# <a href="https://docs.djangoproject.com/en/5.2/topics/cache/">Django on caching</a>.
# </details>
#
# <details><summary>How would you move to another server without a gap?</summary>
# Start it on a second socket, add that to nginx's <code>upstream</code>, reload nginx,
# watch, and take the first one out; nginx's reload lets old connections finish. Evidence:
# <i>uWSGI is in maintenance mode, and WSGI makes it replaceable</i>.
# </details>
#
# ## Exercises
# **1.** A page takes 15 ms of processor time in Django and 10 ms in PostgreSQL, all on one
# machine with four cores. How many pages a second can it give at most? Answer with a
# number.
#
# <details><summary>Solution</summary>
# <code>answer = 160</code>: four cores have 4,000 ms a second, and a page takes 25 of
# them.
# </details>

# %%
answer = ...

# %%
exercises.ceiling.check(answer)

# %% [markdown]
# **2.** Write a function of the readers, each of whom asks again at once, and of the pages
# a second that all of them get together: how many milliseconds a page takes on average.
#
# <details><summary>Solution</summary>
# <code>answer = lambda readers, a_second: 1000 * readers / a_second</code>
# </details>

# %%
answer = ...

# %%
exercises.wait.check(answer)

# %% [markdown]
# **3.** Answer with the parameters, a dictionary, that get the second page of the notebooks'
# sections (kind `section`) about *kafka*, the newest first, from `/api/search`. The
# check asks the site.
#
# <details><summary>Solution</summary>
# <code>answer = {"q": "kafka", "kind": "section", "order": "date", "page": 2}</code>
# </details>

# %%
answer = ...

# %%
exercises.parameters.check(answer, site.url)

# %% [markdown]
# **4.** Which directive of the policy keeps other sites from showing this one in a frame,
# where somebody could be led to click on what he does not see? Answer with its name.
#
# <details><summary>Solution</summary>
# <code>answer = "frame-ancestors"</code>; the header <code>X-Frame-Options</code> says the
# same to old browsers.
# </details>

# %%
answer = ...

# %%
exercises.directive.check(answer)

# %% [markdown]
# ## Next, and further reading
# - Before: [5.1 Full-text search](5_1_full_text_search.ipynb) and [5.2
#   Ranking](5_2_ranking.ipynb), what happens in PostgreSQL
# - [Things to know about uWSGI](https://uwsgi-docs.readthedocs.io/en/latest/ThingsToKnow.html),
#   and [the art of graceful
#   reloading](https://uwsgi-docs.readthedocs.io/en/latest/articles/TheArtOfGracefulReloading.html)
# - [Django's deployment checklist](https://docs.djangoproject.com/en/5.2/howto/deployment/checklist/)
# - [Content Security Policy](https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CSP),
#   directive by directive

# %%
environment("Django", "pyuwsgi", "locust", site, site.postgres)
