"""For pytest: the options and fixtures that tests written for lnprototest expect."""
import importlib

import lnprototest
import pytest


def pytest_addoption(parser):
    parser.addoption("--runner", default="glc_runner.Runner", help="the class that drives the node")
    parser.addoption("--runner-args", action="append", default=[], help="a flag for the node, without its dashes")


@pytest.fixture()
def runner(pytestconfig):
    module, _, name = pytestconfig.getoption("runner").rpartition(".")
    made = getattr(importlib.import_module(module), name)(pytestconfig)
    yield made
    made.teardown()


@pytest.fixture()
def namespaceoverride():
    """Messages of a proposal, for one test."""
    before = lnprototest.namespace()
    yield lnprototest.assign_namespace
    lnprototest.assign_namespace(before)

