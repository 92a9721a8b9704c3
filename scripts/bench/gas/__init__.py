"""Gas of ours and of its peers, side by side in one run; what is measured and how is told in docs/bench.md.

`chain` sends signed transactions to a real anvil; `contender` is what every contract can be asked to do, `ours` and
`peers` do it; `lives` leads tickets from issue to redemption and checks that they arrived; `figures` names the
results, `snapshot` compares them with the committed ones, `chart` draws them.
"""
