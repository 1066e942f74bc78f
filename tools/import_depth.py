"""Measures how deep the imports of hashkit are: its longest chain of modules that import the next.

    python tools/import_depth.py [LIMIT]         # imports that run when a module is imported
    python tools/import_depth.py --all [LIMIT]   # those inside functions too

Prints the number of modules in the longest chain, and the chain. Exits with 1 if there are more
than LIMIT, or if modules import each other in a circle, be it inside functions. Imports for type
checkers only (``if TYPE_CHECKING``) do not count.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

Graph = Mapping[str, set[str]]


def modules_in(package: Path) -> dict[str, Path]:
    """Each module of the package by its name."""
    modules = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return modules


def graph_of(modules: Mapping[str, Path], *, in_functions: bool) -> Graph:
    """For each module, those that it imports."""
    return {
        name: set(_imports(ast.parse(path.read_bytes()), modules, in_functions)) - {name}
        for name, path in modules.items()
    }


def longest_chain(graph: Graph) -> list[str]:
    """The longest chain, importing modules first. Raises CycleError."""
    chains: dict[str, list[str]] = {}
    for name in TopologicalSorter(graph).static_order():  # what is imported comes first
        below = (chains[each] for each in sorted(graph[name]))
        chains[name] = [name, *max(below, key=len, default=[])]
    return max(chains.values(), key=len)


def _imports(node: ast.AST, modules: Mapping[str, Path], in_functions: bool) -> Iterator[str]:
    match node:
        case ast.Import():
            for each in node.names:
                if each.name in modules:
                    yield each.name
        case ast.ImportFrom(module=str(module)):
            for each in node.names:
                inner = f"{module}.{each.name}"
                yield from [name for name in (inner, module) if name in modules][:1]
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            for statement in node.orelse:
                yield from _imports(statement, modules, in_functions)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda() if not in_functions:
            return
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _imports(child, modules, in_functions)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures how deep the imports of hashkit are.")
    parser.add_argument("limit", nargs="?", type=int, help="exit with 1 above so many modules")
    parser.add_argument("--all", action="store_true", help="count imports inside functions too")
    arguments = parser.parse_args()
    modules = modules_in(Path(__file__).resolve().parent.parent / "hashkit")
    try:
        longest_chain(graph_of(modules, in_functions=True))
        chain = longest_chain(graph_of(modules, in_functions=arguments.all))
    except CycleError as error:
        print("These import each other:", " -> ".join(error.args[1]))
        return 1
    print(f"{len(chain)} modules in the longest chain of imports:")
    print(*(f"  {name}" for name in chain), sep="\n")
    return int(arguments.limit is not None and len(chain) > arguments.limit)


if __name__ == "__main__":
    sys.exit(main())
