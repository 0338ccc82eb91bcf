# Two commands matter: `make book` and `make test`. Each sets up .venv first, and does nothing twice.
.PHONY: book pdf offline test types coverage links setup data public benchmarks lock clean

# The first interpreter that is new enough; tools/setup_environment.py says what to do when there is none.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && exit; done; echo python3)
RUN := .venv/bin/python

book: setup
	@$(RUN) -m analysis book

test: setup
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy
	@$(RUN) -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder --durations=10

types: setup
	@$(RUN) -m mypy

# The tests once more, with the lines that they reach: a table on the screen, the lines in _build/coverage/index.html.
coverage: setup
	@$(RUN) -m pytest --cov --cov-report=term --cov-report=html

# The whole book as _build/book.pdf; needs Chromium or Chrome.
pdf: book
	@$(RUN) -m analysis pdf -o _build/book.pdf

# The whole book as _build/book.zip, to be unpacked and read without a network.
offline: book
	@$(RUN) -m analysis offline -o _build/book.zip

# Opens every link of the book, as book/links.txt lists them; needs the network.
links: setup
	@$(RUN) -m tools.links

setup:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: install it, or name it with 'make PYTHON=/path/to/python3.11 ...'." >&2; exit 2; }
	@$(PYTHON) tools/setup_environment.py

# Downloads the public files that are not there yet, and checks them: to ANALYSIS_DATA, or the user's cache.
data: setup
	@$(RUN) -m analysis fetch $$($(RUN) -c 'from analysis.data import registry; print(*registry.datasets(), *registry.ARCHIVES)')

# Runs the notebooks on public data anew, where their sources have changed; hours on 2 cores, resumable.
public: setup
	@$(RUN) -m analysis public

# Speed and memory beside named alternatives, a quarter of an hour on 2 idle cores. ARGS="kappa cka" measures these jobs alone;
# ARGS=--record writes what the book's page shows. The alternatives: .venv/bin/pip install -e ".[benchmarks]"
benchmarks: setup
	@$(RUN) -m benchmarks $(ARGS)

# Pins anew what pyproject.toml asks for, and the hashes of all but PyTorch. "+cpu" names one build of PyTorch; "2.13.0" accepts every build.
lock: setup
	@$(RUN) -m pip install --quiet pip-tools
	@$(RUN) -m piptools compile --quiet --upgrade --extra test --strip-extras --allow-unsafe --no-header \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
		--output-file requirements.lock pyproject.toml
	@sed -i.bak 's/^\(torch==[0-9.]*\)+cpu/\1/' requirements.lock && rm requirements.lock.bak
	@$(RUN) -m piptools compile --quiet --generate-hashes --unsafe-package torch --strip-extras --no-annotate --no-header \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
		--output-file requirements.hashes requirements.lock

clean:
	rm -rf _build
