"""An Electrum daemon with one wallet, driven over its socket."""
import json
import os

from . import jsonrpc
from .processes import Failed, Process, free_port, wait


class Electrum:
    def __init__(self, prefix, version, name, folder, log, server, settings=None):
        self.version, self.name, self.folder, self.log = version, name, folder, log
        self.port, self.server = free_port(), server
        self.base = f"{folder}/regtest"
        self.path = f"{self.base}/wallets/default_wallet"
        # It makes its own folder of wallets only for a wallet that nobody has named.
        os.makedirs(f"{self.base}/wallets", exist_ok=True)
        self.process = Process(
            name, [f"{prefix}/bin/electrum", "--regtest", "-D", folder, "daemon", "-v"], log)
        self.write_settings({
            "rpcuser": "user", "rpcpassword": "password",
            # Without it 4.3 takes the file for an old one and speaks TLS to the server.
            "config_version": 3,
            "server": f"127.0.0.1:{server.port}:t", "oneserver": True, "auto_connect": False, "check_updates": False,
            # Routes by gossip: without it, Electrum opens channels to trampoline nodes only.
            "use_gossip": True,
            # With recoverable channels it refuses every channel that another node opens to it.
            "use_recoverable_channels": False,
            # What it asks of the other side; the default is a week.
            "lightning_to_self_delay": 144,
            # Without fee estimates it takes 150 sat/vB and would close by force when the other side's range lies below that.
            "test_shutdown_fee_range": {"min_fee_satoshis": 100, "max_fee_satoshis": 1_000_000},
            # For submarine swaps only: no connections out.
            "nostr_relays": "",
            "lightning_listen": f"127.0.0.1:{self.port}",
            **(settings or {})})

    @property
    def is_new(self):
        return not self.version.startswith("4.3")

    def write_settings(self, settings):
        path = f"{self.base}/config"
        known = {}
        if os.path.exists(path):
            with open(path) as file:
                known = json.load(file)
        known.update(settings)
        with open(path, "w") as file:
            json.dump(known, file, indent=1)

    def __call__(self, method, **params):
        # Named each time: what the daemon takes for the present wallet changes when another one is made.
        if method in ("create", "load_wallet"):
            params["wallet_path"] = self.path
        elif method not in ("getinfo", "setconfig"):
            params["wallet_path" if self.is_new else "wallet"] = self.path
        return jsonrpc.call(f"{self.base}/daemon_rpc_socket", "user", "password", method, params)

    def start(self):
        self.process.start()
        wait(f"{self.name} answers", lambda: self.process.require() or self("getinfo"))
        if not os.path.exists(self.path):
            self("create")
        self("load_wallet")
        self.id = self("nodeid").split("@")[0]
        wait(f"{self.name} is in step with its server", lambda: self("is_synchronized"))

    def stop(self):
        self.process.stop()

    def kill(self):
        self.process.kill()

    @property
    def place(self):
        return f"{self.id}@127.0.0.1:{self.port}"

    def set(self, key, value):
        """Changes a setting at once."""
        self("setconfig", key=key, value=json.dumps(value))

    # What tests ask for.

    @property
    def height(self):
        return self("getinfo")["blockchain_height"]

    def channels(self):
        return [c for c in self("list_channels") if c.get("type", "CHANNEL") == "CHANNEL"]

    def channel(self, point):
        for channel in self.channels():
            if channel["channel_point"] == point:
                return channel
        raise LookupError(f"{self.name} has no channel {point}")

    def coins(self):
        """Of the wallet, in satoshi: all that is confirmed."""
        return round(float(self("getbalance").get("confirmed", 0)) * 1e8)

    def is_connected(self, peer):
        return any(p["node_id"] == peer and p["initialized"] for p in self("list_peers"))

    def invoice(self, satoshi, **more):
        """Electrum's amounts are in bitcoin, with up to three digits for millisatoshi behind the satoshi."""
        if self.is_new:
            more["lightning"] = True
        # Its addresses run out: each request takes one, also those that only Lightning is to pay.
        reply = self("add_request", amount=bitcoin(satoshi), force=True, **more)
        if not reply or not reply.get("lightning_invoice"):
            raise Failed(f"{self.name} makes no invoice: {reply}")
        return reply["lightning_invoice"]

    def pay(self, bolt11):
        return self("lnpay", invoice=bolt11)


class ElectrumWallet(Electrum):
    """A further wallet of a daemon: a node of its own, to which nobody can connect, as the daemon listens for its first."""

    def __init__(self, daemon, name):  # pylint: disable=super-init-not-called
        self.daemon, self.name, self.version, self.base = daemon, name, daemon.version, daemon.base
        self.process, self.port, self.log = daemon.process, None, daemon.log
        self.path = f"{self.base}/wallets/{name}"

    def start(self):
        self("create")
        self("load_wallet")
        self.id = self("nodeid").split("@")[0]
        wait(f"{self.name} is in step with its server", lambda: self("is_synchronized"))

    @property
    def place(self):
        raise Failed(f"{self.name} does not listen")


def bitcoin(satoshi):
    return f"{satoshi / 100_000_000:.8f}"
