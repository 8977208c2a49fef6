"""How lnprototest drives a glcnode: keys that tests know, blocks that tests make, messages that tests write.

Everything that makes this possible is a switch for tests, which glcnode refuses on mainnet and says aloud in its log.
"""
import hashlib
import os
import queue
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import bitcoin.core
import coincurve
import pyln.client
import pyln.proto.wire
import pytest
from lnprototest import Conn, Event, EventError, KeySet, MustNotMsg, namespace
from lnprototest import Runner as BaseRunner
from lnprototest.backend import Bitcoind

TIMEOUT = int(os.getenv("TIMEOUT", "30"))
NODE_KEY = f"{1:064x}"
SECRETS = [f"{number:064x}" for number in (0x10, 0x11, 0x12, 0x13, 0x14)]
SEED = "ff" * 32
ERROR, WARNING, PING = 17, 1, 18

# BOLT 9, as far as tests ask for it.
FEATURES = {
    0: "option_data_loss_protect", 4: "option_upfront_shutdown_script", 6: "gossip_queries", 8: "var_onion_optin",
    10: "gossip_queries_ex", 12: "option_static_remotekey", 14: "payment_secret", 16: "basic_mpp",
    18: "option_support_large_channel", 20: "option_anchor_outputs", 22: "option_anchors", 26: "option_shutdown_anysegwit",
    28: "option_dual_fund", 44: "option_channel_type", 46: "option_scid_alias", 50: "option_zeroconf",
}


def wait(what, condition, seconds=TIMEOUT):
    end = time.monotonic() + seconds
    while True:
        try:
            result = condition()
            if result:
                return result
        except OSError:
            pass
        if time.monotonic() > end:
            raise ValueError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


class QuietBitcoind(Bitcoind):
    """lnprototest's bitcoind, with a program of our choice, and with nothing on its standard output: nobody reads that after the start,
    and Knots says enough to fill the pipe and stop there."""

    def __init__(self, folder):
        super().__init__(folder)
        self.cmd_line[0] = os.environ.get("BITCOIND", "bitcoind")
        # Knots refuses transactions that Bitcoin Core relays unless it is told otherwise.
        self.cmd_line += ["-printtoconsole=0", "-corepolicy=1", "-txindex=1", "-fallbackfee=0.00001"]

    def _Bitcoind__is__bitcoind_ready(self):  # pylint: disable=invalid-name
        def answers():
            try:
                return self.rpc.getblockcount() >= 0
            except Exception as error:  # pylint: disable=broad-except
                raise OSError(str(error)) from error
        return wait("bitcoind answers", answers)


class GLCConn(Conn):
    """A connection, read by a thread of its own until it ends."""

    def __init__(self, connprivkey, port):
        super().__init__(connprivkey)
        node = coincurve.PublicKey.from_secret(bytes.fromhex(NODE_KEY)).format()
        self.wire = pyln.proto.wire.connect(
            pyln.proto.wire.PrivateKey(bytes.fromhex(self.connprivkey.to_hex())), pyln.proto.wire.PublicKey(node),
            "127.0.0.1", port)
        self.messages = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            while True:
                self.messages.put(self.wire.read_message())
        except Exception:  # pylint: disable=broad-except
            # However it ends: there is nothing more to read.
            self.messages.put(None)

    def next(self, seconds=TIMEOUT):
        """The next message; None when the connection has ended or nothing comes."""
        try:
            message = self.messages.get(timeout=seconds)
        except queue.Empty:
            return None
        if message is None:
            self.messages.put(None)
        return message

    def close(self):
        try:
            self.wire.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.wire.connection.close()


class Runner(BaseRunner):
    def __init__(self, config):
        super().__init__(config)
        # In memory where there is such a place: bitcoind waits for the disk at every block.
        if os.access("/dev/shm", os.W_OK):
            shutil.rmtree(self.directory)
            self.directory = tempfile.mkdtemp(prefix="glc-lnpt-", dir="/dev/shm")
        self.program = os.environ.get("GLCNODE", ".build/debug/glcnode")
        self.flags = [f"--{flag}" for flag in config.getoption("runner_args")]
        self.bitcoind = self.process = self.rpc = None
        self.running = False
        self.starts = 0
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]

    # The node's keys.

    def get_keyset(self):
        return KeySet(revocation_base_secret=SECRETS[1], payment_base_secret=SECRETS[2],
                      delayed_payment_base_secret=SECRETS[3], htlc_base_secret=SECRETS[4], shachain_seed=SEED)

    def get_node_privkey(self):
        return "01"

    def get_node_bitcoinkey(self):
        return SECRETS[0]

    # Its life.

    def is_running(self):
        return self.running

    def start(self):
        if self.bitcoind is None:
            self.bitcoind = QuietBitcoind(self.directory)
            self.bitcoind.start()
        self.starts += 1
        self.folder = f"{self.directory}/glc{self.starts}"
        os.makedirs(self.folder)
        self.log = open(f"{self.directory}/glcnode.log", "ab")
        self.process = subprocess.Popen([
            self.program, "start", "--network", "regtest", "--data-dir", self.folder, "--listen", f"127.0.0.1:{self.port}",
            "--chain", "bitcoind", "--bitcoind-url", f"http://127.0.0.1:{self.bitcoind.port}", "--bitcoind-user", "rpcuser",
            "--bitcoind-password", "rpcpass", "--log-level", "debug", "--minimum-depth", "3", "--dev-node-key", NODE_KEY,
            "--dev-channel-secrets", "/".join(SECRETS), "--dev-shachain-seed", SEED, "--dev-fast-gossip",
            "--dev-fast-polling", "--dev-no-htlc-timeouts", *self.flags], stdout=self.log, stderr=self.log)
        self.rpc = pyln.client.LightningRpc(f"{self.folder}/regtest/lightning-rpc")
        wait("glcnode answers", self._answers)
        self.running = True

    def _answers(self):
        if self.process.poll() is not None:
            raise ValueError(f"glcnode has ended: {self._log_text()[-2000:]}")
        return self.rpc.getinfo()

    def _log_text(self):
        if not os.path.exists(f"{self.directory}/glcnode.log"):
            return ""
        with open(f"{self.directory}/glcnode.log", errors="replace") as file:
            return file.read()

    def _stop_node(self):
        for conn in self.conns.values():
            conn.close()
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
            self.log.close()
        self.running = False

    def stop(self, print_logs=False):
        self._stop_node()
        if self.bitcoind is not None:
            self.bitcoind.stop()
            self.bitcoind.proc.wait(TIMEOUT)
            self.bitcoind = None
        if print_logs:
            self.logger.error(self._log_text())

    def restart(self):
        """A new node with nothing in it, on a chain as at the beginning."""
        self._stop_node()
        super().restart()
        self.bitcoind.restart()
        self.start()

    def teardown(self):
        if self.running or self.bitcoind is not None:
            self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def add_startup_flag(self, flag):
        self.flags.append(f"--{flag}")

    def has_option(self, optname):
        bits = int(self.rpc.getinfo()["our_features"]["init"] or "0", 16)
        for even, name in FEATURES.items():
            if name == optname:
                return "even" if bits >> even & 1 else "odd" if bits >> (even + 1) & 1 else None
        if optname == "supports_open_accept_channel_type":
            return "true"
        return None

    # Messages.

    def connect(self, event, connprivkey):
        self.add_conn(GLCConn(connprivkey, self.port))

    def recv(self, event, conn, outbuf):
        try:
            conn.wire.send_message(outbuf)
        except OSError as error:
            raise EventError(event, f"the connection was closed: {error}") from error

    def get_output_message(self, conn, event, timeout=TIMEOUT):
        return conn.next(timeout)

    def check_error(self, event, conn):
        """The error, which may come behind other messages; None when the connection ends without one."""
        super().check_error(event, conn)
        while True:
            message = conn.next()
            if message is None:
                return None
            if int.from_bytes(message[:2], "big") in (ERROR, WARNING):
                return message.hex()

    def check_final_error(self, event, conn, expected, must_not_events: "list[MustNotMsg]"):
        if not expected:
            # What cannot be decrypted: the node hangs up, once it has worked off everything before.
            try:
                conn.wire.connection.send(bytes(18))
            except OSError:
                pass
            while True:
                message = conn.next()
                if message is None:
                    break
                for forbidden in must_not_events:
                    if forbidden.matches(message):
                        raise EventError(event, f"a message that must not come, {forbidden}: {message.hex()}")
                if int.from_bytes(message[:2], "big") == ERROR:
                    raise EventError(event, f"an error: {message.hex()}")
        conn.close()

    # The chain.

    def getblockheight(self):
        return self.bitcoind.rpc.getblockcount()

    def trim_blocks(self, newheight):
        self.bitcoind.rpc.invalidateblock(self.bitcoind.rpc.getblockhash(newheight + 1))

    def add_blocks(self, event, txs, n):
        for transaction in txs:
            self.bitcoind.rpc.sendrawtransaction(transaction)
        self.bitcoind.rpc.generatetoaddress(n, self.bitcoind.rpc.getnewaddress())
        wait("glcnode has seen the blocks", lambda: self.rpc.getinfo()["blockheight"] == self.getblockheight())

    def expect_tx(self, event, txid):
        wanted = bitcoin.core.lx(txid).hex()
        try:
            wait("the transaction is broadcast", lambda: wanted in self.bitcoind.rpc.getrawmempool())
        except ValueError as error:
            raise EventError(event, f"{wanted} was not broadcast, only {self.bitcoind.rpc.getrawmempool()}") from error

    # What tests tell the node to do. It talks to the test meanwhile, so nothing here waits for the end.

    def _later(self, call):
        def run():
            try:
                call()
            except (pyln.client.RpcError, OSError, ValueError) as error:
                self.logger.info("a call ended: %s", error)
        threading.Thread(target=run, daemon=True).start()

    def invoice(self, event, amount, preimage):
        self.rpc.invoice(amount_msat=amount, label=str(event), description=f"invoice of {event}", preimage=preimage)

    def fundchannel(self, event, conn, amount, feerate=253, expect_fail=False):
        # Its wallet gets a coin in a block of its own: tests count on the heights before.
        if not self.rpc.listfunds()["outputs"]:
            self.bitcoind.rpc.sendtoaddress(self.rpc.newaddr("p2tr")["p2tr"], amount / 1e8 + 0.01)
            self.add_blocks(event, [], 1)
            wait("glcnode has a coin", lambda: self.rpc.listfunds()["outputs"])
        peer = conn.pubkey.format().hex()
        self._later(lambda: self.rpc.fundchannel(peer, amount, feerate=f"{feerate}perkw"))

    def addhtlc(self, event, conn, amount, preimage):
        peer = conn.pubkey.format().hex()
        channels = wait("there is a channel to send it over", lambda: [
            c for c in self.rpc.listpeerchannels(peer)["channels"] if c["state"] == "CHANNELD_NORMAL"])
        route = [{"id": peer, "channel": channels[0]["short_channel_id"], "amount_msat": amount, "delay": 5}]
        payment_hash = hashlib.sha256(bytes.fromhex(preimage)).hexdigest()
        self._later(lambda: self.rpc.sendpay(route, payment_hash))

    def close_channel(self, channel_id):
        self._later(lambda: self.rpc.close(peer_id=channel_id))

    def accept_add_fund(self, event):
        pytest.skip("glcnode has no dual funding")

    def init_rbf(self, event, conn, channel_id, amount, utxo_txid, utxo_outnum, feerate):
        pytest.skip("glcnode has no dual funding")


__all__ = ["Runner", "Event", "namespace"]
