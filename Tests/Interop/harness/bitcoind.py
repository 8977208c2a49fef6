"""A regtest bitcoind, and the Electrum server on top of it."""
import os
import threading

from . import jsonrpc
from .processes import Process, free_port, wait

# Knots refuses, for one, every transaction whose lock time is 21; these settings make its policy that of Bitcoin Core, with version 3
# transactions and ephemeral dust. No connections to other nodes: it listens for its RPC alone.
CONFIGURATION = """regtest=1
server=1
txindex=1
listen=0
dnsseed=0
fixedseeds=0
discover=0
fallbackfee=0.00001
corepolicy=1
mempooltruc=enforce
permitephemeral=anchor,send,dust
[regtest]
rpcuser=user
rpcpassword=password
rpcbind=127.0.0.1
rpcallowip=127.0.0.1
rpcport={port}
rpcthreads=8
rpcworkqueue=256
zmqpubrawblock=tcp://127.0.0.1:{zmq}
"""


class Bitcoind:
    def __init__(self, program, folder, log):
        self.port, self.zmq = free_port(), free_port()
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/bitcoin.conf", "w") as file:
            file.write(CONFIGURATION.format(port=self.port, zmq=self.zmq))
        # What spends what, as far as blocks were looked at. Nothing here replaces blocks.
        self.spends, self.seen, self.lock = {}, 0, threading.Lock()
        self.process = Process("bitcoind", [program, f"-datadir={folder}"], log)

    def start(self):
        self.process.start()
        wait("bitcoind answers", lambda: self.process.require() or self("getblockchaininfo"))
        self("createwallet", "miner")
        self.address = self("getnewaddress")
        self.mine(110)

    def __call__(self, method, *params):
        return jsonrpc.call(self.port, "user", "password", method, list(params))

    @property
    def height(self):
        return self("getblockcount")

    def mine(self, count=1):
        return self("generatetoaddress", count, self.address)

    def is_spent(self, txid, output):
        return self("gettxout", txid, output) is None

    def transaction(self, txid):
        return self("getrawtransaction", txid, 1)

    def confirmations(self, txid):
        return self.transaction(txid).get("confirmations", 0)

    def spender(self, txid, output):
        """The transaction that spends an output, in a block or waiting; None when there is none."""
        with self.lock:
            tip = self.height
            while self.seen < tip:
                self.seen += 1
                for found in self("getblock", self("getblockhash", self.seen), 2)["tx"]:
                    for used in found["vin"]:
                        self.spends[used.get("txid"), used.get("vout")] = found
        if (txid, output) in self.spends:
            return self.spends[txid, output]
        for waiting in self("getrawmempool"):
            found = self.transaction(waiting)
            if any(i.get("txid") == txid and i.get("vout") == output for i in found["vin"]):
                return found
        return None


class ElectrumServer:
    """PyPI's e-x, the server that Electrum's developers keep."""

    def __init__(self, prefix, folder, log, bitcoind):
        self.port, self.rpc = free_port(), free_port()
        self.prefix, self.bitcoind = prefix, bitcoind
        os.makedirs(folder, exist_ok=True)
        self.process = Process("electrum server", [f"{prefix}/bin/electrumx_server"], log, {
            "COIN": "Bitcoin", "NET": "regtest", "DB_ENGINE": "leveldb", "DB_DIRECTORY": folder,
            "DAEMON_URL": f"http://user:password@127.0.0.1:{bitcoind.port}",
            "SERVICES": f"tcp://127.0.0.1:{self.port},rpc://127.0.0.1:{self.rpc}",
            "PEER_DISCOVERY": "off", "PEER_ANNOUNCE": "", "COST_SOFT_LIMIT": "0", "COST_HARD_LIMIT": "0",
            # It follows bitcoind by asking: every 100 ms instead of every few seconds.
            "DAEMON_POLL_INTERVAL_BLOCKS": "100", "DAEMON_POLL_INTERVAL_MEMPOOL": "100", "ALLOW_ROOT": "1"})

    def start(self):
        self.process.start()
