# SPDX-License-Identifier: Apache-2.0
"""Every fault of a provider, through the real proxy, under a steady load: what the client got, what the upstream got, how many
fetches were made. One row a fault; the rows run side by side, each with a proxy, a provider and an upstream of its own.

A row has two sources at the same provider: `idp`, an OAuth2 token that lives for a second and must not be sent after that, and
`keys`, headers that are asked for every second and stay in use whatever comes. The provider is good, then at fault, then good
again. The client asks for /token and /keys by turns all the time.

How fast the machine is plays no part: each phase lasts until what it is for has been seen, and where tokens go on coming a request
waits for the next one. When exactly what has to happen is tested in virtual time, in filters/."""

import concurrent.futures
import dataclasses
import shutil
import tempfile
import time
import traceback
import typing
import unittest

from support import config
from support import fault_servers as faults
from support.both import in_envoy_too
from support.fault_servers import LIFETIME, Provider, Upstream
from support.processes import PATIENCE, SANITIZED, Proxy, filter_module, wait_until
from support.steady_client import Client
from support.wall_clock import WallClock

SIDE_BY_SIDE = 8
RETRY = 0.1, 0.4   # refresh.retry.initial and .max
SHORT = 0.5        # the timeout of a fetch where there are to be such; else it never comes to that
SEEN = 3           # so many fetches of either source make a fault
STEADY = 60        # so many good answers in a row make a recovery: on three connections
LATE = 5.0         # by which a tick may be late on a busy machine, and a token be sent after its end
SECRET = "s3cr3t-client&+%"
PLANTED = ("s3cr3t", "tok-", "key-", "czNjcjN0")  # in clear, and the secret in base64


@dataclasses.dataclass
class Row:
    """A fault, and what is to come of it."""
    name: str
    fault: typing.Any = None            # what the provider does
    reasons: tuple = ()                 # fetch_failed.<reason> that count up, for either source; none: no fetch may fail
    rate: tuple = (12, 10)              # fetches of a source while the fault lasts: at most so many a second, and so many more
    timeout: float = PATIENCE           # of a fetch
    outage: bool = True                 # tokens run out: /token is answered with 503 in the end
    at_start: bool = False              # the fault is there before the first fetch
    down: bool = False                  # nobody listens
    refuse: bool = False                # the upstream answers 401 to every token
    refuse_after: bool = False          # and after the fault, to those that were given until then
    step: tuple = ()                    # steps of the wall clock, in seconds
    check: typing.Any = None            # more of the row: check(cell)


RETRIES = (12, 10)    # full jitter below 0.1, 0.2, 0.4, 0.4 ... s
SLOW_RETRIES = (2, 4) # the same with half a second for each
RENEWALS = (2, 4)     # an answer a second, renewed after half of that


def check_forged(cell):
    for seen in cell.upstream.seen:
        cell.assert_(seen.get("host") == "upstream.test", seen)
        cell.assert_(seen.line.split()[1] in ("/token", "/keys"), seen)
        bad = {"x-evil", "x-number", "x-null", "x y", "te", "upgrade", "content-length", "transfer-encoding", ""} & set(seen.headers)
        cell.assert_(not bad, seen)
    wait_until(lambda: cell.stat("refused_header") >= 12, "entries that were left out to be counted")


def check_memory(cell):
    peak = cell.proxy.memory_peak_kib()
    cell.assert_(SANITIZED or peak < 128 * 1024, f"{peak} KiB for answers that are not even accepted")


def check_storm(cell):
    invalidated = cell.delta("idp.invalidated")
    cell.assert_(SEEN <= invalidated <= cell.seconds / RETRY[0] + 2, f"{invalidated} invalidations in {cell.seconds:.1f} s")
    cell.assert_(cell.delta("keys.invalidated") == 0, "only the source whose headers were refused is asked")


ROWS = [
    Row("down_at_start", down=True, at_start=True, reasons=("unreachable",), rate=RETRIES),
    Row("down_later", down=True, reasons=("unreachable",), rate=RETRIES),
    Row("refusing", faults.reset, ("unreachable",), RETRIES),
    Row("slow_beyond_the_timeout", faults.slow, ("unreachable",), SLOW_RETRIES, timeout=SHORT),
    Row("never_answering_at_start", faults.silent, ("unreachable",), SLOW_RETRIES, at_start=True, timeout=SHORT),
    Row("status_401", faults.status("401 Unauthorized"), ("status",), RETRIES),
    Row("status_500", faults.status("500 Internal Server Error"), ("status",), RETRIES),
    Row("status_500_at_start", faults.status("500 Internal Server Error"), ("status",), RETRIES, at_start=True),
    Row("redirect", faults.raw(faults.response("HTTP/1.1 302 Found\r\nlocation: /s3cr3t-place\r\n", "")), ("status",), RETRIES),
    Row("no_content", faults.raw("HTTP/1.1 204 No Content\r\n\r\n"), ("status",), RETRIES),
    Row("half_an_answer", faults.raw(faults.OK + 'content-length: 100\r\n\r\n{"access_token": "tok-h'), ("no_answer",), RETRIES),
    Row("half_a_chunk", faults.raw(faults.OK + 'transfer-encoding: chunked\r\n\r\n40\r\n{"access_token": "tok-h'), ("no_answer",), RETRIES),
    Row("no_http", faults.raw("SSH-2.0-s3cr3t\r\n"), ("unreachable",), RETRIES),
    Row("empty_body", faults.body(""), ("bad_json",), RETRIES),
    Row("invalid_json", faults.body('{"access_token": "tok-broken", "x-key": "key-broken'), ("bad_json",), RETRIES),
    Row("html", faults.body("<html>s3cr3t-page</html>"), ("bad_json",), RETRIES),
    Row("ten_megabytes", faults.huge, ("too_large",), RETRIES, check=check_memory),
    Row("deep_nesting", faults.body('{"a":' * 9000 + "1" + "}" * 9000), ("bad_json",), RETRIES),
    Row("deep_arrays", faults.body("[" * 60000), ("bad_json",), RETRIES),
    Row("wrong_types", faults.body('{"access_token": 5, "x-key": ["key-list"]}'), ("no_value", "no_headers"), RETRIES),
    Row("wrong_root", faults.body('["tok-list"]'), ("bad_json",), RETRIES),
    Row("forged_names", faults.forged, (), RENEWALS, outage=False, check=check_forged),
    Row("line_breaks_in_values", faults.body('{"access_token": "tok-x\\r\\nx-evil: 1", "x-key": "key-x\\r\\nx-evil: 1"}'),
        ("no_headers",), RETRIES),
    Row("expires_in_0", faults.lifetime("0"), (), RENEWALS, outage=False),
    Row("expires_in_negative", faults.lifetime("-1"), (), RENEWALS, outage=False),
    Row("expires_in_missing", faults.lifetime(""), (), RENEWALS, outage=False),
    Row("expires_in_digits", faults.lifetime('"1"'), (), RENEWALS, outage=False),
    Row("expires_in_text", faults.lifetime('"soon"'), (), RENEWALS, outage=False),
    Row("expires_in_huge", faults.lifetime("1000000000000000000", real=3600), (), RENEWALS, outage=False, refuse_after=True),
    Row("clock_steps", step=(86_400, -172_800, 86_400), rate=RENEWALS, outage=False),
    Row("upstream_401_storm", refuse=True, rate=(1 / RETRY[0], 8), outage=False, check=check_storm),
]


class Cell:
    """One row at work. run() raises what is wrong; .summary says what happened."""

    def __init__(self, row, kind):
        self.row = row
        self.kind = kind
        self.summary = ""
        self.directory = tempfile.mkdtemp(prefix=f"inlay-fault-{row.name}-")
        self.proxy = self.client = None
        self.provider = Provider(up=not (row.down and row.at_start))
        self.upstream = Upstream()
        self.clock = WallClock(self.directory) if row.step else None

    def assert_(self, holds, what):
        if not holds:
            raise AssertionError(f"{self.row.name}: {what}")

    def configuration(self):
        retry = {"initial": f"{RETRY[0] * 1000:.0f}ms", "max": f"{RETRY[1] * 1000:.0f}ms"}
        refresh = {"every": f"{LIFETIME:.0f}s", "early": "50%", "retry": retry}
        common = {"cluster": "provider", "timeout": f"{self.row.timeout * 1000:.0f}ms", "refresh": refresh}
        # Where there is an outage it is to be seen; elsewhere a token may be late, but not missing.
        missing = {} if self.row.outage else {"when_missing": {"action": "hold", "hold_for": f"{PATIENCE}s"}}
        filter_ = config.wasm(filter_module(), {
            "sources": [{"name": "idp", "path": "/token", "format": "oauth2", **common,
                         "oauth2": {"client_id": "id", "client_secret": "${env:CLIENT_SECRET}"}},
                        {"name": "keys", "path": "/headers", **common}],
            "rules": [{"match": {"path": "/token"}, "use": ["idp"]}, {"match": {"path": "/keys"}, "use": ["keys"]}],
            **missing,
        }, name="header_augmenting", vm_id="matrix")
        vm = filter_["typed_config"]["config"]["vm_config"]
        vm["environment_variables"] = {"key_values": {"CLIENT_SECRET": SECRET}}
        return config.bootstrap([config.cluster("origin", self.upstream.port), config.cluster("provider", self.provider.port)],
                                [filter_])

    def stat(self, name):
        return sum(value for key, value in self.proxy.stats().items() if key.endswith("header_augmenting." + name))

    def counts(self):
        """The filter's metrics by their names' ends."""
        return {key.partition("header_augmenting.")[2]: value for key, value in self.proxy.stats().items()
                if "header_augmenting." in key}

    def delta(self, name):
        return self.after.get(name, 0) - self.before.get(name, 0)

    def during(self):
        """The client's answers that lie within the time of the fault, whole: (sent, received, path, status)."""
        return [got for got in self.client.got if self.begin <= got[0] and got[1] <= self.end]

    @property
    def seconds(self):
        return self.end - self.begin

    def fetches(self, source, since=None):
        """How many fetches of a source were counted since `since`, or in all."""
        counts = self.counts() if since is None else self.after
        return sum(value - (since or {}).get(name, 0) for name, value in counts.items() if name.startswith(source + ".fetch_"))

    def newest(self, path, header):
        """The number in what the upstream got last under `header`."""
        for seen in reversed(self.upstream.seen):
            if seen.line.startswith(f"GET {path} ") and seen.status == 200:
                return int(seen.get(header).rpartition("-")[2])
        return 0

    def run(self):
        row = self.row
        environment = self.clock.environment if self.clock else {}
        if row.at_start:
            self.provider.fault = row.fault
        self.proxy = self.kind(self.directory, self.configuration(), concurrency=2, level="trace", environment=environment)
        self.proxy.wait_ready()
        self.client = Client(self.proxy.port)
        if not row.at_start:
            wait_until(lambda: self.newest("/token", "authorization") and self.newest("/keys", "x-key"), "the first headers")
            # On every worker; where tokens may run out, that is known of the keys alone.
            self.wait_for_good_answers(("/keys",) if row.outage else ("/token", "/keys"), "headers on every worker")
        self.before = self.counts()
        self.strike()
        self.begin = time.monotonic()
        self.wait_for_the_fault()
        self.end = time.monotonic()
        self.after = self.counts()
        given = self.provider.given
        self.heal()
        wait_until(lambda: self.newest("/token", "authorization") > given and self.newest("/keys", "x-key") > given,
                   f"{row.name}: recovery")
        self.wait_for_good_answers(("/token", "/keys"), "recovery on every worker")
        self.client.end()
        self.check_client()
        self.check_upstream()
        self.check_fetches()
        self.check_secrecy()
        if row.check:
            row.check(self)
        self.assert_(not self.client.failures, f"the client's connections failed: {self.client.failures}")
        self.assert_(self.proxy.running(), "the proxy ended")
        self.assert_(self.proxy.end() == 0, "the proxy's exit status")
        self.check_log()
        self.summary = self.describe()

    def wait_for_good_answers(self, paths, what):
        """Waits for answers, to requests of now or later, that are good and enough to have come from every worker."""
        begin = time.monotonic()

        def steady():
            last = [status for sent, _, path, status in list(self.client.got) if sent >= begin and path in paths][-STEADY:]
            return len(last) == STEADY and set(last) == {200}
        wait_until(steady, f"{self.row.name}: {what}")

    def strike(self):
        row = self.row
        if row.refuse:
            self.upstream.refuses = lambda path, token: path == "/token"
        if row.down and not row.at_start:
            self.provider.down()
        if row.fault is not None:
            self.provider.fault = row.fault

    def wait_for_the_fault(self):
        """Until the fault has done what it does: to fetches, and to what the client gets."""
        row = self.row
        since = time.monotonic()

        def outage():
            return [1 for sent, _, path, status in list(self.client.got) if sent >= since and (path, status) == ("/token", 503)]

        def more(before):
            now = self.counts()
            deltas = {name: value - before.get(name, 0) for name, value in now.items()}
            ended = ".fetch_failed." if row.reasons else ".fetch_"
            fetched = [sum(value for name, value in deltas.items() if name.startswith(source + ended)) for source in ("idp", "keys")]
            if row.refuse_after:  # its token is as good as eternal
                return fetched[0] >= 1 and fetched[1] >= SEEN
            return min(fetched) >= SEEN and (not row.refuse or deltas.get("idp.invalidated", 0) >= SEEN)

        for step in row.step or (None,):
            if step is not None:
                self.clock.step(step)
            before = self.before if step is None else self.counts()
            wait_until(lambda: more(before), f"{row.name}: fetches while the fault lasts", interval=0.05)
        if row.outage:
            wait_until(lambda: len(outage()) >= SEEN, f"{row.name}: an answer without a token")

    def heal(self):
        self.upstream.refuses = lambda path, token: False
        if self.row.refuse_after:
            old = set(self.provider.ends)
            self.upstream.refuses = lambda path, token: path == "/token" and token in old
        self.provider.fault = None
        if self.row.down:
            self.provider.up()

    def check_client(self):
        row = self.row
        got = {path: {status for _, _, p, status in self.during() if p == path} for path in ("/token", "/keys")}
        self.assert_(got["/keys"] == ({503} if row.at_start else {200}), f"/keys was answered with {got['/keys']}")
        if row.refuse:
            self.assert_(got["/token"] == {401}, f"/token was answered with {got['/token']}, not 401 alone")
        elif row.at_start:
            self.assert_(got["/token"] == {503}, f"/token was answered with {got['/token']}, not 503 alone")
        elif row.outage:
            self.assert_({503} <= got["/token"] <= {200, 503}, f"/token was answered with {got['/token']}, not with 503 at last")
        else:
            self.assert_(got["/token"] == {200}, f"/token was answered with {got['/token']}, not 200 alone")

    def check_upstream(self):
        """Nothing but what the provider has given, and no token past its end."""
        for seen in self.upstream.seen:
            if seen.line.startswith("GET /token "):
                token = seen.get("authorization")
                self.assert_(token in self.provider.ends, f"a token that was never given: {seen}")
                late = seen.at - self.provider.ends[token]
                self.assert_(late < LATE, f"{token} was sent {late:.2f} s after its end")
            else:
                self.assert_(str(seen.get("x-key")).startswith("key-"), f"a key that was never given: {seen}")
            self.assert_("x-evil" not in seen.headers, seen)

    def failures(self):
        return {name: self.delta(name) for name in self.after if ".fetch_failed." in name and self.delta(name)}

    def check_fetches(self):
        row = self.row
        for source in ("idp", "keys"):
            rate, more = RENEWALS if row.refuse and source == "keys" else row.rate
            number, most = self.fetches(source, self.before), rate * self.seconds + more
            self.assert_(number <= most, f"{number} fetches of {source} in {self.seconds:.1f} s, at most {most:.0f} are right")
        failed = self.failures()
        self.assert_({name.rpartition(".")[2] for name in failed} <= set(row.reasons), f"failures: {failed}")
        self.assert_(bool(failed) == bool(row.reasons), f"failures: {failed}, expected {row.reasons}")
        if row.down or row.timeout != PATIENCE:  # then some were counted that the provider has not seen
            return
        # What is counted has been asked before. A GET whose kept connection turns out dead is sent once more; nothing else is
        # asked twice for one fetch.
        total = self.fetches("idp") + self.fetches("keys")
        asked = self.provider.asked
        self.assert_(total <= asked, f"{total} fetches were counted, but {asked} made")
        wait_until(lambda: asked <= 2 * (self.fetches("idp") + self.fetches("keys")), f"{asked} fetches to be counted")

    def check_secrecy(self):
        for path in ("/stats", "/stats/prometheus", "/config_dump", "/clusters", "/server_info"):
            if path == "/config_dump" and self.kind is not Proxy:
                continue  # Envoy shows its whole bootstrap
            code, text = self.proxy.admin(path)
            self.assert_(code == 200, path)
            for planted in PLANTED:
                self.assert_(planted not in text, f"{planted} in {path}")

    def check_log(self):
        log = self.proxy.log()
        self.assert_(len(log) > 1000, "a trace log that says nothing proves nothing")
        for planted in PLANTED:
            self.assert_(planted not in log, f"{planted} in the log: {[l for l in log.splitlines() if planted in l][:3]}")
        if self.clock:
            days = {line[1:11] for line in log.splitlines() if line.startswith("[20")}
            self.assert_(len(days) >= 2, f"the wall clock did not step: {days}")

    def describe(self):
        client = {}
        for _, _, path, code in self.during():
            client[(path, code)] = client.get((path, code), 0) + 1
        client = ", ".join(f"{number} x {code} {path}" for (path, code), number in sorted(client.items()))
        reasons = ", ".join(sorted({name.rpartition(".")[2] for name in self.failures()})) or "none failed"
        return (f"{self.row.name}: {self.seconds:.1f} s: client {client}; fetches idp {self.fetches('idp', self.before)}, "
                f"keys {self.fetches('keys', self.before)} ({reasons})")

    def close(self, failed):
        if self.client:
            self.client.end()
        if self.proxy:
            self.proxy.end()
            if failed:
                print(f"----- {self.row.name}: the proxy's last lines -----\n" + "\n".join(self.proxy.log().splitlines()[-40:]), flush=True)
        self.provider.down()
        self.upstream.down()
        shutil.rmtree(self.directory, ignore_errors=True)


def run_row(row, kind):
    """What went wrong, as text, or None; and the summary. kind: the proxy."""
    cell = Cell(row, kind)
    try:
        cell.run()
        error = None
    except Exception:
        error = traceback.format_exc()
    cell.close(error is not None)
    return error, cell.summary


class FaultMatrix(unittest.TestCase):
    KIND = Proxy

    @classmethod
    def setUpClass(cls):
        cls.rows = [row for row in ROWS if not (SANITIZED and row.step)]  # a sanitizer wants to be loaded first
        with concurrent.futures.ThreadPoolExecutor(max_workers=SIDE_BY_SIDE) as pool:
            cls.outcomes = dict(zip((row.name for row in cls.rows), pool.map(lambda row: run_row(row, cls.KIND), cls.rows)))

    def check(self, name):
        if name not in self.outcomes:
            self.skipTest("a sanitizer wants to be loaded first")
        error, summary = self.outcomes[name]
        if error:
            self.fail(error)
        print(summary, flush=True)


for _row in ROWS:
    setattr(FaultMatrix, f"test_{_row.name}", lambda self, name=_row.name: self.check(name))
in_envoy_too(FaultMatrix)


if __name__ == "__main__":
    unittest.main()
