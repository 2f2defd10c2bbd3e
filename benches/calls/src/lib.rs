//! Only benches: `make bench-calls`.
