module answerbook/standins

go 1.24.9

require github.com/docker/compose/v2 v2.40.3

// As in the module's own go.mod, which does not count for those who require it.
exclude (
	github.com/davecgh/go-spew v1.1.2-0.20180830191138-d8f796af33cc
	github.com/pmezard/go-difflib v1.0.1-0.20181226105442-5d4384ee4fb2
)
