"""The import rule `only` allows a package itself, what it names and the standard library, and nothing else."""

import pytest
from grimp import ImportGraph

from scripts.import_rules import OnlyContract


def broken(imported: str, *, library: bool, theirs: list[str] | None) -> list[str]:
    graph = ImportGraph()
    for module in ("ticketchain", "ticketchain.gate", "ticketchain.gate.codes", "ticketchain.domain.money"):
        graph.add_module(module)
    graph.add_module(imported, is_squashed=library)
    graph.add_import(importer="ticketchain.gate.codes", imported=imported)
    options: dict[str, object] = {"modules": ["ticketchain.gate"], "ours": ["ticketchain.domain"]}
    if theirs is not None:
        options["theirs"] = theirs
    contract = OnlyContract("gate", session_options={}, contract_options=options)
    found = contract.check(graph, verbose=False)
    assert found.kept == (not found.metadata["broken"])
    return list(found.metadata["broken"])


@pytest.mark.parametrize("module", ["ticketchain", "ticketchain.gate", "ticketchain.domain.money"])
def test_allows_itself_and_what_it_names(module: str) -> None:
    assert broken(module, library=False, theirs=[]) == []


@pytest.mark.parametrize("module", ["ticketchain.store", "ticketchain.domains", "api"])
def test_refuses_the_rest_of_ours(module: str) -> None:
    assert broken(module, library=False, theirs=None) == [f"ticketchain.gate.codes -> {module}"]


@pytest.mark.parametrize(
    ("library", "theirs", "allowed"),
    [
        ("json", [], True),
        ("httpx", None, True),
        ("httpx", ["httpx"], True),
        ("httpx", ["cryptography"], False),
        ("httpx", [], False),
    ],
)
def test_libraries(library: str, theirs: list[str] | None, allowed: bool) -> None:
    assert (broken(library, library=True, theirs=theirs) == []) == allowed
