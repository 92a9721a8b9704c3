"""The import rule that import-linter lacks: "these packages import nothing but …" (pyproject: `only`)."""

import sys
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output
from importlinter.domain.imports import Module


class OnlyContract(Contract):
    """Modules may import their own package, `ours`, the standard library and `theirs` (absent: any library).

    It looks at direct imports only: every package has a rule of its own. A package also covers what is inside
    it; the bare `ticketchain` package is open to all.
    """

    modules: Any = fields.ListField(subfield=fields.ModuleField())
    ours: Any = fields.ListField(subfield=fields.StringField())
    theirs: Any = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Collect the imports that the rule does not allow."""
        broken: list[str] = []
        for package in (module.name for module in self.modules):
            for importer in sorted({package} | graph.find_descendants(package)):
                for imported in sorted(graph.find_modules_directly_imported_by(importer)):
                    if not self._allows(package, imported, graph):
                        broken.append(f"{importer} -> {imported}")
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line per forbidden import."""
        for line in check.metadata["broken"]:
            output.print_error(f"- {line}")

    def _allows(self, package: str, imported: str, graph: ImportGraph) -> bool:
        if graph.is_module_squashed(imported):  # a library: the graph knows no more than its name
            top = imported.partition(".")[0]
            return top in sys.stdlib_module_names or self.theirs is None or top in self.theirs
        open_to_it = [package, *self.ours]
        return imported == "ticketchain" or any(Module(imported).is_in_package(Module(name)) for name in open_to_it)
