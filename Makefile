# Every way to run Answerbook. `make help` lists them; nothing but Python 3.11 or later is needed.

PYTHON ?= python3
INSTALL = $(PYTHON) requirements/install.py
BIN = .venv/bin

.PHONY: help
help: ## List these targets
	@echo "Usage: make TARGET [VARIABLE=value]"
	@awk -F ' ?## ?' '/^## /{print "\n" $$2} /^[a-z]+:.*## /{sub(/:.*/, "", $$1); printf "  %-13s %s\n", $$1, $$2}' Makefile

## Read and run

.PHONY: lab
# Loopback only, with a token; no news and no update check, which would ask the network.
LAB_OPTIONS = --ip=127.0.0.1 --LabApp.news_url=None \
	--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate \
	$(if $(filter 0,$(shell id -u)),--allow-root)
lab: ## Open JupyterLab on 00_start_here (LAB_ARGS=--no-browser)
	@$(INSTALL) lab
	@$(BIN)/python -m answerbook.notebook.work
	@$(BIN)/jupyter-lab $(LAB_OPTIONS) $(LAB_ARGS) work/00_start_here.ipynb

.PHONY: notebooks
# Questions 2 and 5 have packages of their own; the other notebooks run with the lab's.
CHOSEN = $(if $(NB),$(NB),$(Q))
SET_OF = $(if $(filter 2%,$(1)),q2,$(if $(filter 5%,$(1)),q5,lab))
NEEDED = $(sort $(if $(CHOSEN),$(foreach one,$(CHOSEN),$(call SET_OF,$(one))),q2 q5))
notebooks: ## Run every notebook live, headless (Q=1 for a question's, NB=1_1_rest for one)
	@for set in $(NEEDED); do $(INSTALL) $$set || exit 1; done
	@$(BIN)/python -m answerbook.notebook.run $(if $(Q),--question $(Q)) $(NB)

.PHONY: publish
publish: ## Run notebooks and write them with their outputs (NB=1_1_rest for one)
	@$(INSTALL) dev
	@$(BIN)/python -m answerbook.notebook.publish $(if $(Q),--question $(Q)) $(NB)

## Services

.PHONY: up
up: ## Start RabbitMQ, Kafka and PostgreSQL (SERVICES="rabbitmq-3 kafka-3", notify or site for others)
	@$(INSTALL) $(if $(filter notify%,$(SERVICES)),q2,lab)
	@$(BIN)/python -m answerbook up $(SERVICES)

# Records of services, where nobody would be left to end them if .venv was deleted.
RECORDS = $(wildcard $(addsuffix /services/*/record.json,\
	$(or $(ANSWERBOOK_HOME),.answerbook /var/lib/answerbook/*)))

.PHONY: down
down: ## End every service (SERVICES=kafka for one)
ifneq (,$(wildcard $(BIN)/python))
	@$(BIN)/python -m answerbook down $(SERVICES)
else ifneq (,$(RECORDS))
	@$(INSTALL) lab
	@$(BIN)/python -m answerbook down $(SERVICES)
else
	@echo "Nothing was running: there is no .venv here that could have started a service."
endif

.PHONY: status
status: ## Show address, version, uptime and memory of each running service
	@$(INSTALL) lab
	@$(BIN)/python -m answerbook status $(SERVICES)

.PHONY: doctor
doctor: ## Check all that the services need of this machine
	@$(INSTALL) lab
	@$(BIN)/python -m answerbook doctor

## Work on it

.PHONY: test
test: ## Run all tests but the thorough ones (TESTS=tests/unit, ARGS=-x)
	@$(INSTALL) dev
	@$(BIN)/python -m pytest -m "not thorough" $(ARGS) $(TESTS)

.PHONY: thorough
thorough: ## Run all tests, the long ones too (TESTS=…, ARGS=…)
	@$(INSTALL) dev
	@$(BIN)/python -m pytest --timeout 1800 $(ARGS) $(TESTS)

.PHONY: check
check: ## Check style, types, shell and YAML files, in seconds
	@$(INSTALL) dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/shellcheck .ci/run
	$(BIN)/yamllint --strict .
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker/compose.yaml

.PHONY: bench
bench: ## Measure, and write benchmarks/results (BENCH=services for one, ARGS=--anyway on a busy machine)
	@$(INSTALL) dev
	@set -e; there=$$(grep -l __main__ benchmarks/*.py); \
	for program in $(or $(BENCH:%=benchmarks/%.py),$$there); do \
		if ! test -f $$program; then echo "There is no $$program. There are:" $$there >&2; exit 1; fi; \
		$(BIN)/python $$program $(ARGS); done

.PHONY: corpus
corpus: ## Make the search site's default documents again, from the notebooks and Python's docstrings
	@$(INSTALL) dev
	@$(BIN)/python -m answerbook.notebook.corpus

.PHONY: requirements
# Versions that stand in the output already are preferred: so lab.txt gets those of dev.txt.
PIN = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --custom-compile-command "make requirements"
COMPILE = $(PIN) pyproject.toml --group build
requirements: ## Pin again what pyproject.toml and the jgo files name (ARGS=--upgrade for the newest)
	@$(INSTALL) dev
	$(COMPILE) --extra lab --extra q1 --extra q2 --extra q3 --extra q5 --extra dev --group site --output-file requirements/dev.txt $(ARGS)
	cp requirements/dev.txt requirements/lab.txt
	cp requirements/dev.txt requirements/q2.txt
	cp requirements/dev.txt requirements/q5.txt
	cp requirements/dev.txt requirements/site.txt
	$(COMPILE) --extra lab --extra q1 --extra q3 --output-file requirements/lab.txt
	$(COMPILE) --extra lab --extra q1 --extra q2 --extra q3 --output-file requirements/q2.txt
	$(COMPILE) --extra lab --extra q1 --extra q3 --extra q5 --group site --output-file requirements/q5.txt
	$(PIN) --group site --output-file requirements/site.txt
	$(BIN)/python -m answerbook.services.native.programs.lock
