build/python/venv/bin/python examples/patterns/work_queue/put.py
