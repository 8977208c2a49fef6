"""A glcnode as a process of its own."""
import json
import os
import socket

from .processes import Failed, Process, free_port, wait


class Refused(Failed):
    """An error reply, with Core Lightning's code."""

    def __init__(self, method, error):
        super().__init__(f"{method}: {error}")
        self.code, self.error = error.get("code"), error


class GLCNode:
    def __init__(self, program, name, folder, log, bitcoind, flags=()):
        self.name, self.folder, self.port = name, folder, free_port()
        self.bitcoind, self.program, self.log = bitcoind, program, log
        self.flags = list(flags)
        self.process = None

    def start(self, *flags):
        os.makedirs(self.folder, exist_ok=True)
        self.process = Process(self.name, [
            self.program, "start", "--network", "regtest", "--data-dir", self.folder, "--listen", f"127.0.0.1:{self.port}",
            "--alias", self.name, "--chain", "bitcoind", "--bitcoind-url", f"http://127.0.0.1:{self.bitcoind.port}",
            "--bitcoind-user", "user", "--bitcoind-password", "password", "--dev-fast-polling", "--dev-fast-gossip",
            "--log-level", "debug", *self.flags, *flags], self.log)
        self.process.start()
        wait(f"{self.name} answers", lambda: self.process.require() or self("getinfo"))
        self.id = self("getinfo")["id"]

    def stop(self):
        self.process.stop()

    def kill(self):
        self.process.kill()

    @property
    def place(self):
        return f"{self.id}@127.0.0.1:{self.port}"

    def __call__(self, method, **params):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(180)
            connection.connect(f"{self.folder}/regtest/lightning-rpc")
            connection.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode())
            data = b""
            while not data.endswith(b"\n\n"):
                part = connection.recv(65536)
                if not part:
                    raise OSError("the connection was closed")
                data += part
        reply = json.loads(data)
        if "error" in reply:
            raise Refused(method, reply["error"])
        return reply["result"]

    # What tests ask for.

    @property
    def height(self):
        return self("getinfo")["blockheight"]

    def channels(self, peer=None):
        return self("listpeerchannels", **({"id": peer} if peer else {}))["channels"]

    def channel(self, point):
        """By its funding output, TXID:N."""
        for channel in self.channels():
            if f"{channel.get('funding_txid')}:{channel.get('funding_outnum')}" == point:
                return channel
        raise LookupError(f"{self.name} has no channel {point}")

    def coins(self):
        """Of the wallet, in satoshi: all that is confirmed."""
        return sum(o["amount_msat"] for o in self("listfunds")["outputs"] if o["status"] == "confirmed") // 1000

    def is_connected(self, peer):
        return any(p["connected"] for p in self("listpeers", id=peer)["peers"])

    def invoice(self, amount_msat, label=None, **more):
        label = label or os.urandom(8).hex()
        return self("invoice", amount_msat=amount_msat, label=label, description="interop", **more)

    def invoice_of(self, payment_hash):
        return self("listinvoices", payment_hash=payment_hash)["invoices"][0]

    def pay(self, bolt11, **more):
        return self("pay", bolt11=bolt11, **{"retry_for": 30, **more})
