"""BOLT 1: init, pings, and messages that nobody knows."""
from lnprototest import Connect, ExpectDisconnect, ExpectMsg, Msg, MustNotMsg, RawMsg, TryAll, bitfield
from lnprototest.utils import run_runner


def test_features_that_are_odd_and_unknown_are_ignored(runner):
    run_runner(runner, [
        Connect(connprivkey="02"), ExpectMsg("init"), Msg("init", globalfeatures="", features=bitfield(99, 2001)),
        # It goes on talking.
        Msg("ping", num_pong_bytes=3, ignored=""), ExpectMsg("pong", ignored="000000"),
    ])


def test_features_that_are_even_and_unknown_end_the_connection(runner):
    """BOLT 1: upon receiving unknown _even_ feature bits that are non-zero: MUST close the connection."""
    run_runner(runner, [
        Connect(connprivkey="02"), ExpectMsg("init"),
        TryAll(Msg("init", globalfeatures="", features=bitfield(98)), Msg("init", globalfeatures=bitfield(98), features="")),
        ExpectDisconnectOrWarning(),
    ])


def test_pings_are_answered_with_as_many_bytes_as_they_ask_for(runner):
    """BOLT 1: if `num_pong_bytes` is less than 65532: MUST respond; otherwise MUST ignore the `ping`."""
    run_runner(runner, [
        Connect(connprivkey="02"), ExpectMsg("init"), Msg("init", globalfeatures="", features=""),
        Msg("ping", num_pong_bytes=0, ignored="00" * 100), ExpectMsg("pong", ignored=""),
        Msg("ping", num_pong_bytes=65531, ignored=""), ExpectMsg("pong", ignored="00" * 65531),
        Msg("ping", num_pong_bytes=65532, ignored=""),
        Msg("ping", num_pong_bytes=1, ignored=""), ExpectMsg("pong", ignored="00"),
    ])


def test_messages_that_are_odd_and_unknown_are_ignored(runner):
    run_runner(runner, [
        Connect(connprivkey="02"), ExpectMsg("init"), Msg("init", globalfeatures="", features=""),
        MustNotMsg("error"), RawMsg(bytes.fromhex("270F")), Msg("ping", num_pong_bytes=1, ignored=""),
        ExpectMsg("pong", ignored="00"),
    ])


def test_messages_that_are_even_and_unknown_end_the_connection(runner):
    """BOLT 1: upon receiving a message of _even_, unknown type: MUST close the connection."""
    run_runner(runner, [
        Connect(connprivkey="02"), ExpectMsg("init"), Msg("init", globalfeatures="", features=""),
        RawMsg(bytes.fromhex("2710")), ExpectDisconnectOrWarning(),
    ])


class ExpectDisconnectOrWarning(ExpectDisconnect):
    """The connection ends; a node may say why before."""

    def action(self, runner):
        conn = self.find_conn(runner)
        while runner.check_error(self, conn) is not None:
            pass
        return True
