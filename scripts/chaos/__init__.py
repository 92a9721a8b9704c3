"""The fault rig: `python -m scripts.chaos --seed N --kills N --rpc-faults N --reorgs N --json`; see docs/bench.md.

Orders flow over HTTP while processes are killed with SIGKILL at named points and at random, an RPC proxy lies and the
chain is reorganised. Then a checker that shares no code with the service compares the provider's money, orders, outbox,
chain and read model. `--control naive` runs a naive sender and indexer instead, which the checker must convict.
"""
