"""A chain and nodes as processes of their own, for scripts that kill and measure them."""
import base64, json, os, selectors, shutil, signal, socket, subprocess, sys, tempfile, time, urllib.request


class Failure(Exception):
    pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait(what, condition, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        try:
            if condition():
                return
        except (OSError, IndexError):
            pass
        time.sleep(0.05)
    raise Failure(f"not within {seconds} s: {what}")


class Scene:
    """A folder, a regtest chain (`glcnode chain`), and nodes. As a context, it ends what it started, and keeps the folder of a failure."""

    def __init__(self, glcnode, name):
        self.glcnode, self.nodes = glcnode, []
        self.folder = tempfile.mkdtemp(prefix=f"glc-{name}-")
        self.port = free_port()
        self.cookie = f"{self.folder}/chain/.cookie"
        os.makedirs(f"{self.folder}/chain")
        self.chain = subprocess.Popen(
            [glcnode, "chain", "--listen", f"127.0.0.1:{self.port}", "--cookie-file", self.cookie],
            stdout=open(f"{self.folder}/chain.log", "wb"), stderr=subprocess.STDOUT)
        wait("the chain", lambda: self.rpc("getblockcount") >= 0)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        for node in self.nodes:
            node.process.kill()
        self.chain.kill()
        if kind is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        elif issubclass(kind, Failure):
            sys.exit(f"FAILED: {error}; state in {self.folder}")

    def rpc(self, method, *params):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/", json.dumps({"method": method, "params": params, "id": 1}).encode(),
            {"Authorization": "Basic " + base64.b64encode(open(self.cookie).read().strip().encode()).decode()})
        return json.loads(urllib.request.urlopen(request, timeout=30).read())["result"]

    def node(self, name, *arguments):
        self.nodes.append(Node(self, name, arguments))
        return self.nodes[-1]

    def mine(self, blocks, whom):
        self.rpc("generatetoaddress", blocks, whom.call("newaddr")["p2tr"])

    def pair(self):
        """Two nodes, the first with a bitcoin, connected."""
        a, b = self.node("a"), self.node("b")
        self.rpc("sendtoaddress", a.call("newaddr")["p2tr"], 1.0)
        self.mine(1, a)
        wait("coins", lambda: a.call("listfunds")["outputs"])
        a.call("connect", id=f"{b.id}@127.0.0.1:{b.port}")
        b.call("connect", id=f"{a.id}@127.0.0.1:{a.port}")
        return a, b

    def channel(self):
        """Two nodes with a channel of 10,000,000 sat, half of it on each side."""
        a, b = self.pair()
        a.call("fundchannel", id=b.id, amount="10000000sat", push_msat="5000000000msat")
        self.mine(6, a)
        wait("the channel", lambda: all(n.channel()["state"] == "CHANNELD_NORMAL" for n in (a, b)))
        return a, b


class Node:
    def __init__(self, scene, name, arguments=()):
        self.name, self.folder, self.dir, self.port = name, scene.folder, f"{scene.folder}/{name}", free_port()
        self.arguments = [
            scene.glcnode, "start", "--data-dir", self.dir, "--listen", f"127.0.0.1:{self.port}", "--alias", name,
            "--chain", "bitcoind", "--bitcoind-url", f"http://127.0.0.1:{scene.port}", "--bitcoind-cookie", scene.cookie,
            *arguments]
        self.log = open(f"{scene.folder}/{name}.log", "ab")
        self.id = self.start()["id"]

    def start(self):
        """Starts it; returns what `getinfo` says as soon as it answers."""
        self.process = subprocess.Popen(self.arguments, stdout=self.log, stderr=self.log)
        for _ in range(12_000):
            if self.process.poll() is not None:
                raise Failure(f"{self.name} does not start: see {self.folder}/{self.name}.log")
            try:
                return self.call("getinfo")
            except OSError:
                time.sleep(0.01)
        raise Failure(f"{self.name} does not answer")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def call(self, method, **params):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(60)
            s.connect(f"{self.dir}/regtest/lightning-rpc")
            s.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode())
            parts = []
            while not (parts and parts[-1].endswith(b"\n\n")):
                part = s.recv(1 << 16)
                if not part:
                    raise OSError("closed")
                parts.append(part)
        answer = json.loads(b"".join(parts))
        if "error" in answer:
            raise Failure(f"{method}: {answer['error']}")
        return answer["result"]

    def channel(self):
        return self.call("listpeerchannels")["channels"][0]

    def memory(self):
        """MiB that are resident."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) / 1024

    def processor_time(self):
        """Seconds that the process has had of all processors."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Flood:
    """Many calls of a node at the same time, from one thread, on connections that stay open."""

    PER_CONNECTION = 32

    def __init__(self, node, in_flight):
        self.node, self.in_flight = node, in_flight

    def run(self, method, requests):
        """Calls with each of the requests; returns replies with the seconds that they took, in the order of the requests."""
        selector = selectors.DefaultSelector()
        connections = []
        for _ in range(min(-(-self.in_flight // self.PER_CONNECTION), len(requests))):
            s = socket.socket(socket.AF_UNIX)
            s.connect(f"{self.node.dir}/regtest/lightning-rpc")
            connections.append(s)
            selector.register(s, selectors.EVENT_READ, connections[-1])
        texts = [json.dumps({"jsonrpc": "2.0", "id": i, "method": method, "params": p}).encode() for i, p in enumerate(requests)]
        begun, results, rests = [0.0] * len(texts), [None] * len(texts), {s: b"" for s in connections}
        following, open_calls = 0, 0

        def begin(s):
            nonlocal following, open_calls
            if following < len(texts):
                begun[following] = time.perf_counter()
                s.sendall(texts[following])
                following += 1
                open_calls += 1

        for i in range(min(self.in_flight, len(texts))):
            begin(connections[i % len(connections)])
        while open_calls:
            ready = selector.select(60)
            if not ready:
                raise Failure(f"{method}: no reply within a minute")
            for key, _ in ready:
                s = key.data
                part = s.recv(1 << 16)
                if not part:
                    raise Failure(f"{method}: hung up")
                *replies, rests[s] = (rests[s] + part).split(b"\n\n")
                now = time.perf_counter()
                # The node is at work again while its replies are read.
                for _ in replies:
                    open_calls -= 1
                    begin(s)
                for reply in map(json.loads, replies):
                    if "error" in reply:
                        raise Failure(f"{method}: {reply['error']}")
                    results[reply["id"]] = (reply["result"], now - begun[reply["id"]])
        for s in connections:
            selector.unregister(s)
            s.close()
        return results
