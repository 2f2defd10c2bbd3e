build/python/venv/bin/python examples/patterns/first_page/put.py &
cd examples && go run patterns/first_page/work.go
