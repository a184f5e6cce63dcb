# Every target sets up what it needs: `make demo` and `make test` work on a bare machine.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PINNED := -c constraints.txt -e '.[espeak,engines,train,dev]'

.PHONY: setup demo test test-slow test-gpu check fix bench clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python $(PINNED) || $(BIN)/python -m pip install --quiet $(PINNED)
	touch $@

demo: $(STAMP)
	$(BIN)/synthgen run demo
	$(BIN)/synthgen sql -c corpora/demo - < synthgen/recipes/demo.sql
	$(BIN)/synthgen export demo -c corpora/demo --format shar --to exports/demo-shar

test: $(STAMP)
	$(BIN)/python -m pytest -n auto --dist loadfile

test-slow: $(STAMP)
	$(BIN)/python -m pytest -m slow

test-gpu: $(STAMP)
	$(BIN)/python -m pytest -m gpu

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
