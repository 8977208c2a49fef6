"""The list of cases. A case is a function; its name, with spaces, is what the report calls it."""
import inspect

_cases = []


class Case:
    def __init__(self, function, group, unless):
        self.function, self.group = function, group
        # Reasons by version: why that peer has no such thing.
        self.unless = unless
        self.name = function.__name__.replace("_", " ")
        self.place = f"{inspect.getsourcefile(function)}:{function.__code__.co_firstlineno}"


def case(group, **unless):
    """Declares a case. `unless` says for which peers it is not, and why: `v4_3_4="has no hold invoices"`."""
    def declare(function):
        versions = {key[1:].replace("_", "."): reason for key, reason in unless.items()}
        _cases.append(Case(function, group, versions))
        return function
    return declare


def all_cases():
    return list(_cases)
