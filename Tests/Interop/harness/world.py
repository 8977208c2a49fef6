"""One bitcoind, an Electrum server, Electrum and glcnode in several copies: what a group of cases plays in."""
import os
import time

from .bitcoind import Bitcoind, ElectrumServer
from .electrum import Electrum, ElectrumWallet, bitcoin
from .glcnode import GLCNode
from .processes import Failed, check, wait


class Channel:
    """A channel between a glcnode and an Electrum, seen from both."""

    def __init__(self, world, node, electrum, point):
        self.world, self.node, self.electrum, self.point = world, node, electrum, point
        self.txid, self.output = point.split(":")[0], int(point.split(":")[1])

    @property
    def ours(self):
        return self.node.channel(self.point)

    @property
    def theirs(self):
        return self.electrum.channel(self.point)

    @property
    def id(self):
        return self.ours["channel_id"]

    @property
    def is_open(self):
        return (self.ours["state"] == "CHANNELD_NORMAL" and self.ours["peer_connected"]
                and self.theirs["state"] == "OPEN" and self.theirs["peer_state"] == "GOOD")

    def settled(self):
        """Waits until nothing is pending; then both sides say the same of who has what."""
        wait(f"nothing is pending in {self.point}", lambda: not self.ours["htlcs"]
             and not self.theirs["local_unsettled_sent"] and not self.theirs["remote_unsettled_sent"])
        ours, theirs = self.ours, self.theirs
        mine, total = ours["to_us_msat"], ours["total_msat"]
        check(theirs["remote_balance"] == mine // 1000 and theirs["local_balance"] == (total - mine) // 1000,
              f"glcnode says that it has {mine} of {total} msat, Electrum that it has {theirs['local_balance']} sat"
              f" and glcnode {theirs['remote_balance']}")
        return mine

    def pending(self):
        """The payments that are pending, as glcnode has them."""
        return self.ours["htlcs"]


class World:
    def __init__(self, name, version, tools, folder, logs, plan):
        """`plan`: the names of Electrum daemons and of glcnodes that are wanted."""
        self.name, self.version, self.tools, self.folder, self.logs = name, version, tools, folder, logs
        os.makedirs(logs, exist_ok=True)
        self.plan = plan
        self.processes = []
        self.electrums, self.wallets, self.nodes = {}, {}, {}
        self.bitcoind = self.server = None

    @property
    def is_new(self):
        return not self.version.startswith("4.3")

    # Starting.

    def start(self):
        self.bitcoind = Bitcoind(self.tools.bitcoind, f"{self.folder}/bitcoind", f"{self.logs}/bitcoind.log")
        self.processes.append(self.bitcoind)
        self.bitcoind.start()
        self.server = ElectrumServer(
            self.tools.electrumx, f"{self.folder}/server", f"{self.logs}/server.log", self.bitcoind)
        self.processes.append(self.server)
        self.server.start()
        for name, settings in self.plan["electrum"].items():
            self.add_electrum(name, settings)
        for name, flags in self.plan["glcnode"].items():
            self.add_node(name, flags)
        for peer in self.electrums.values():
            peer.start()
        for name in self.plan.get("wallets", []):
            wallet = ElectrumWallet(next(iter(self.electrums.values())), name)
            wallet.start()
            self.wallets[name] = wallet
        for node in self.nodes.values():
            node.start()
        for peer in [*self.electrums.values(), *self.wallets.values()]:
            address = peer("getunusedaddress")
            for _ in range(4):
                self.bitcoind("sendtoaddress", address, 1)
        for node in self.nodes.values():
            for _ in range(4):
                self.bitcoind("sendtoaddress", node("newaddr")["p2tr"], 1)
        self.mine(1)
        wait("everybody has coins", lambda: all(
            p.coins() for p in [*self.everybody, *self.wallets.values()]), 90)

    def add_electrum(self, name, settings=None):
        peer = Electrum(self.tools.electrum[self.version], self.version, name, f"{self.folder}/{name}",
                        f"{self.logs}/{name}.log", self.server, settings)
        self.electrums[name] = peer
        self.processes.append(peer)
        return peer

    def add_node(self, name, flags=()):
        node = GLCNode(self.tools.glcnode, name, f"{self.folder}/{name}", f"{self.logs}/{name}.log", self.bitcoind, flags)
        self.nodes[name] = node
        self.processes.append(node)
        return node

    def stop(self):
        for member in reversed(self.processes):
            if member.process is not None:
                member.process.stop()

    def __getattr__(self, name):
        for members in (self.__dict__.get("electrums", {}), self.__dict__.get("wallets", {}), self.__dict__.get("nodes", {})):
            if name in members:
                return members[name]
        raise AttributeError(name)

    @property
    def everybody(self):
        return [m for m in [*self.electrums.values(), *self.nodes.values()] if m.process and member_runs(m)]

    # The chain.

    def mine(self, count=1, wait_for=None):
        """Blocks, until everybody who runs has seen them."""
        self.bitcoind.mine(count)
        height = self.bitcoind.height
        for member in wait_for if wait_for is not None else self.everybody:
            wait(f"{member.name} sees block {height}", lambda: member.height >= height, 120)
        return height

    def mine_until(self, what, condition, limit=20, seconds=60):
        """A block, and another as long as the condition does not hold: for what needs a transaction to be made first."""
        end = time.monotonic() + seconds
        for _ in range(limit):
            self.mine()
            pause = min(time.monotonic() + 1.5, end)
            while time.monotonic() < pause:
                if condition():
                    return
                time.sleep(0.1)
        raise Failed(f"not within {limit} blocks: {what}")

    # Channels.

    def connect(self, node, electrum):
        if not node.is_connected(electrum.id):
            if electrum.port is None:
                electrum("add_peer", connection_string=node.place)
            else:
                node("connect", id=electrum.place)
        wait("both are connected", lambda: node.is_connected(electrum.id) and electrum.is_connected(node.id))

    @property
    def channel_type(self):
        return [12, 22] if self.is_new else [12]

    def open_from_glcnode(self, node, electrum, capacity=1_000_000, push=400_000, **more):
        return self.confirm(self.begin("glcnode", node, electrum, capacity, push, **more))

    def open_from_electrum(self, electrum, node, capacity=1_000_000, push=400_000, **more):
        return self.confirm(self.begin("electrum", node, electrum, capacity, push, **more))

    def begin(self, opener, node, electrum, capacity=1_000_000, push=400_000, **more):
        """Opens a channel up to where it needs blocks."""
        if opener == "glcnode":
            self.connect(node, electrum)
            reply = node("fundchannel", id=electrum.id, amount=capacity, push_msat=push * 1000, **more)
            return Channel(self, node, electrum, f"{reply['txid']}:{reply['outnum']}")
        return Channel(self, node, electrum, electrum(
            "open_channel", connection_string=node.place, amount=bitcoin(capacity), push_amount=bitcoin(push), **more))

    def confirm(self, *channels):
        for channel in channels:
            wait("both know the channel", lambda: channel.ours and channel.theirs)  # pylint: disable=cell-var-from-loop
        self.mine(3)
        for channel in channels:
            wait(f"the channel {channel.point} opens", lambda: channel.is_open, 90)  # pylint: disable=cell-var-from-loop
        return channels[0]

    def connect_nodes(self, first, second, capacity=2_000_000, push=1_000_000, **more):
        """A channel between two glcnodes."""
        reply = first("fundchannel", id=second.place, amount=capacity, push_msat=push * 1000, **more)
        point = f"{reply['txid']}:{reply['outnum']}"
        self.mine(6)
        wait("the channel between the nodes opens", lambda: all(
            n.channel(point)["state"] == "CHANNELD_NORMAL" for n in (first, second)))
        return point


def member_runs(member):
    return member.process.is_running
