module polyproc.dev/calls

go 1.25.0

require polyproc.dev/polyproc v0.0.0

require (
	github.com/vmihailenco/msgpack/v5 v5.4.1 // indirect
	github.com/vmihailenco/tagparser/v2 v2.0.0 // indirect
)

replace polyproc.dev/polyproc => ../../../bindings/go
