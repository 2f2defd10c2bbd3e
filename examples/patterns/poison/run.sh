# Starts a worker again each time it is killed.
until "$@"; do echo "the worker died, starting another"; done
