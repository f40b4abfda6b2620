.PHONY: dev run migrate seed test

dev: ; @bin/python test
run: ; @bin/serve
migrate: ; @bin/migrate
seed: ; @bin/seed
test: ; @bin/test
