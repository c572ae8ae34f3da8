# The manual of everyday work. `make help` prints the first comment of each target.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
export KODOMO_HOME ?= ./var
RESIDENTS ?= 25299
SERVE ?= 1
PORT ?= 8000

.PHONY: help demo test check fix fonts lock docs screenshots adr bench bench-month bench-linkage bench-judgement bench-judgement-city bench-judgement-speed bench-load clean system-packages test-analysis-alone

help: ## 何ができるかを表示する
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 24

demo: $(VENV)/run.stamp ## ひなた市で全部を通し、http://127.0.0.1:8000 を開く(RESIDENTS=… SERVE=0 PORT=…)
	@$(BIN)/kodomo --home "$(KODOMO_HOME)" demo --residents $(RESIDENTS) --port $(PORT) $(if $(filter 0,$(SERVE)),--no-serve,)

test: $(VENV)/dev.stamp system-packages ## すべてのテスト
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -q -n 2 --dist loadgroup --no-loadscope-reorder

test-%: $(VENV)/dev.stamp system-packages ## 一種類のテスト: test-unit test-spec test-web test-journey test-privacy test-architecture
	$(BIN)/pytest -q tests/$*

test-analysis-alone: $(VENV)/dev.stamp ## 識別側のない環境で、分析側だけが動くことを確かめる
	$(BIN)/pytest -q tests/journey/test_analysis_alone.py

check: $(VENV)/dev.stamp ## 書式、検査、型、輸入の壁、生成文書が最新か
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy kodomo benchmarks
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

fonts: $(VENV)/run.stamp ## 字体のないパソコンのために、画面の字体を切り分ける(入れた部品から。通信しない)
	$(BIN)/kodomo fonts

fix: $(VENV)/dev.stamp ## 書式を整え、直せるものを直す
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/dev.stamp ## 生成文書を作り直す
	$(BIN)/python docs/generate.py

bench: $(VENV)/dev.stamp ## 所要時間とメモリを測り、benchmarks/results に書く
	$(BIN)/python benchmarks/path.py
	$(BIN)/python benchmarks/normalise.py
	$(BIN)/python benchmarks/judgement.py gates
	$(MAKE) bench-month
	$(BIN)/python benchmarks/linkage_estimate.py
	$(MAKE) bench-linkage bench-judgement bench-judgement-city bench-judgement-speed bench-load

bench-month: $(VENV)/dev.stamp ## 一か月分の 5,000 行を足す名寄せと、全件の名寄せを比べる
	$(BIN)/python benchmarks/linkage_month.py --out benchmarks/results/linkage-month.json
	$(BIN)/python benchmarks/linkage_month_core.py --residents 25299 113000 1000000 --out benchmarks/results/linkage-month-core.json

bench-linkage: $(VENV)/dev.stamp .venv-peers/stamp ## 名寄せの精度・速さ・メモリを、ほかの道具と並べて測る(SIZES="25299 113000 1000000" ALL_AGES=1000000)
	$(BIN)/python benchmarks/linkage.py --peers .venv-peers/bin/python $(if $(SIZES),--sizes $(SIZES),) \
	  $(if $(ALL_AGES),--all-ages $(ALL_AGES),)

bench-judgement: $(VENV)/dev.stamp .venv-peers/stamp ## 学び手を、公開された 20 の表でほかの道具と並べて測る
	@tables=$$(mktemp -d) && .venv-peers/bin/python benchmarks/outside_tables.py $$tables && \
	$(BIN)/python benchmarks/judgement.py compare $$tables --leave-out ebm --out benchmarks/results/judgement.json && \
	$(BIN)/python benchmarks/judgement.py hidden $$tables --out benchmarks/results/judgement-hidden.json; rm -rf $$tables

bench-load: $(VENV)/dev.stamp .venv-peers/stamp system-packages ## 三年分の事例のある市で、50 人が5分いっしょに使う速さを測る(DURATION=秒 HOME_READY=用意済みの置き場)
	$(BIN)/python benchmarks/load.py --locust .venv-peers/bin/locust --out benchmarks/results/load.json \
	  $(if $(DURATION),--duration $(DURATION),) $(if $(HOME_READY),--home $(HOME_READY),)

bench-judgement-city: $(VENV)/dev.stamp ## ひなた市の判定を、同じ指標・日付・登録の LightGBM と並べ、答えと照らす(RESIDENTS=… SEEDS="1 2 3")
	$(BIN)/python benchmarks/judgement_city.py --residents $(RESIDENTS) --seeds $(or $(SEEDS),1 2 3) --out benchmarks/results/judgement-city.json
	$(BIN)/python benchmarks/judgement_intervals.py --out benchmarks/results/judgement-intervals.json
	$(BIN)/python benchmarks/judgement_child_intervals.py --out benchmarks/results/judgement-child-intervals.json

bench-judgement-speed: $(VENV)/dev.stamp ## 18,000 人の指標づくり・学習・判定の時間とメモリを測る(SIZES="18000 180000")
	$(BIN)/python benchmarks/judgement_speed.py all --children $(or $(SIZES),18000) --out benchmarks/results/judgement-speed.json

.venv-peers/stamp: requirements/peers.txt
	@test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/peers.txt
	@touch $@

screenshots: $(VENV)/dev.stamp system-packages ## 手引きの画面の写真(docs/images)を撮り直す
	KODOMO_SCREENSHOTS=1 $(BIN)/pytest -q tests/web/test_every_page.py
	$(BIN)/pytest -q tests/docs/test_guide.py

adr: ## 新しい設計判断の雛形をつくる(TITLE=短い英語の題)
	@test -n "$(TITLE)" || { echo "make adr TITLE=short-title"; exit 2; }
	@n=$$(printf %04d $$(( $$(ls docs/adr | grep -cE '^[0-9]{4}-') + 1 ))); f=docs/adr/$$n-$(TITLE).md; \
	printf '# %s. %s\n\nStatus: proposed\n\n## Context\n\n## Decision\n\n## Consequences\n' "$$n" "$(TITLE)" > $$f; echo $$f

lock: $(VENV)/dev.stamp ## 依存の版とハッシュを固定し直す(取得元の住所は書かない)
	$(BIN)/uv pip compile -q --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --extra identity --extra analysis --extra casework --extra city pyproject.toml requirements/build.in -o requirements/run.txt
	$(BIN)/uv pip compile -q --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --all-extras -c requirements/run.txt pyproject.toml requirements/build.in -o requirements/dev.txt
	$(BIN)/uv pip compile -q --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  requirements/peers.in -o requirements/peers.txt

# Debian's browser, a Japanese font and Java, for the tests that look at pages or start Spark; only root can install them.
system-packages:
	@missing=""; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	fc-list 2>/dev/null | grep -qi 'noto.*cjk' || missing="$$missing fonts-noto-cjk fontconfig"; \
	command -v java >/dev/null || missing="$$missing default-jre-headless"; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "テストに要るものを入れます:$$missing" && apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	else echo "$$missing がないため、それを使うテストは飛ばされます(root で make test を実行するか、手で入れてください)"; fi

$(VENV)/run.stamp: requirements/run.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/kodomo fonts
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/kodomo fonts
	@touch $@ $(VENV)/run.stamp

clean: ## 仮想環境と var を消す(合成データのときだけ使う)
	rm -rf $(VENV) "$(KODOMO_HOME)"
