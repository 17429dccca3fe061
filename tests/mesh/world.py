# SPDX-License-Identifier: Apache-2.0
"""A mesh in one network namespace: Istio's own code serves what `inlay deploy` rendered, Envoy is the workload's sidecar, and
requests go the way that they go in a pod. scripts/mesh makes the namespace, in which each address of 10.0.0.0/8 and of
203.0.113.0/24 is this machine's, and whose iptables do what istio-init does in a pod:

    from WORKLOAD_CLIENT, the workload's own requests   to 15001, the sidecar's outbound listener
    from OTHER_CLIENT, those of others, to the pod      to 15006, its inbound one

A few names of hosts outside of the mesh lead to addresses of 10.2.0.0/24.
"""

import http.client
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import threading

from support.envoy import find_envoy
from support.origins import Provider
from support.processes import INLAY, ROOT, Program, TestCase, filter_module, started, wait_until

BUILT = os.path.join(ROOT, "build", "mesh")
ISTIOD = os.path.join(BUILT, "istiod")
WORKLOAD_CLIENT, OTHER_CLIENT = "10.9.0.1", "10.9.0.2"
POD = "10.1.0.5"
STRANGER = "203.0.113.7"  # an address that the mesh does not know
API = "10.2.0.3"          # api.example.com
SDS_SOCKET = "./var/run/secrets/workload-spiffe-uds/socket"  # below the test's folder
XDS_PORT, DEBUG_PORT, ADMIN_PORT = 15010, 18080, 15000

nacks = 0  # of all tests, but for those that are about one
partial = False  # whether only some cases are run
said = []  # what programs have logged, and requests have been answered with, in all tests

# What istiod has beside what is rendered. Without certificates between the pods, and without the filters that only Istio's own
# Envoy has.
MESH_CONFIG = f"enableAutoMtls: false\naccessLogFile: /dev/stdout\ndefaultConfig: {{discoveryAddress: '127.0.0.1:{XDS_PORT}'}}\n"
PLAIN_TEXT = {"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
              "metadata": {"name": "default", "namespace": "istio-system"}, "spec": {"mtls": {"mode": "DISABLE"}}}
ISTIOD_ENVIRONMENT = {"PILOT_ENABLE_METADATA_EXCHANGE": "false", "PILOT_ENABLE_ALPN_FILTER": "false"}


def service(name, port, target=None, namespace="shop", selector=None, port_name="http", address=None):
    """A Service of the cluster, without its pods."""
    ports = {"port": port, "targetPort": target or port, **({"name": port_name} if port_name else {})}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace},
            "spec": {"clusterIP": address or f"10.96.0.{sum(name.encode()) % 250 + 1}", "selector": selector or {"app": name}, "ports": [ports]}}


def pod(name, address, labels=None, namespace="shop"):
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": f"{name}-1", "namespace": namespace, "labels": labels or {"app": name}},
            "spec": {"serviceAccountName": name, "containers": [{"name": name, "image": "any"}]},
            "status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}],
                       "conditions": [{"type": "Ready", "status": "True"}]}}


def endpoints(of, address):
    """The pod at `address` behind a Service."""
    name, namespace = of["metadata"]["name"], of["metadata"]["namespace"]
    port = of["spec"]["ports"][0]
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": f"{name}-1", "namespace": namespace, "labels": {"kubernetes.io/service-name": name}},
            "ports": [{"port": port["targetPort"], "protocol": "TCP", "name": port.get("name", "")}],
            "endpoints": [{"addresses": [address], "conditions": {"ready": True},
                           "targetRef": {"kind": "Pod", "name": f"{name}-1", "namespace": namespace}}]}


def with_pod(of, address):
    return [of, endpoints(of, address), pod(of["metadata"]["name"], address, of["spec"]["selector"], of["metadata"]["namespace"])]


def seen_by_origin(handler):
    return json.dumps({"host": handler.headers.get("host"), "path": handler.path,
                       "headers": {name.lower(): value for name, value in handler.headers.items()}}).encode()


class Origin:
    """A server on every address of a port. answer(handler) gives a body; by default it is what the request was, whose own body is handler.body.
    `tls`: an ssl.SSLContext; `status`: what it answers with."""

    def __init__(self, port, answer=seen_by_origin, tls=None, status=200):
        self.requests = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.requests += 1
                self.body = self.rfile.read(int(self.headers.get("content-length", 0)))
                body = answer(self)
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server(("0.0.0.0", port), Handler)
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Answer:
    """status: 0 where the connection was refused or reset. body: a text; seen: what the origin says that it got."""

    def __init__(self, status, body):
        self.status, self.body = status, body
        self.seen = json.loads(body) if status == 200 and body.startswith("{") else None

    @property
    def authorization(self):
        return self.seen and self.seen["headers"].get("authorization")

    def __repr__(self):
        return f"{self.status} {self.body[:300]}"


def send(address, port, host=None, path="/", source=WORKLOAD_CLIENT, headers=None):
    """A GET from `source`: by default as the workload sends it."""
    connection = http.client.HTTPConnection(address, port, timeout=30, source_address=(source, 0))
    try:
        connection.request("GET", path, headers={**({"host": host} if host else {}), **(headers or {})})
        response = connection.getresponse()
        answer = Answer(response.status, response.read().decode(errors="replace"))
        said.append(repr(answer))
        return answer
    except (OSError, http.client.HTTPException):
        return Answer(0, "")
    finally:
        connection.close()


def node_of(kind="sidecar", name="orders", namespace="shop", address=POD, labels=None):
    """Who a proxy says that it is; kind: sidecar, router or waypoint."""
    return {"id": f"{kind}~{address}~{name}-1.{namespace}~{namespace}.svc.cluster.local", "cluster": f"{name}.{namespace}",
            "metadata": {"NAMESPACE": namespace, "LABELS": labels or {"app": name}, "CLUSTER_ID": "Kubernetes", "INTERCEPTION_MODE": "REDIRECT",
                         "INSTANCE_IPS": address}}


def bootstrap(node):
    """What pilot-agent gives Envoy, cut down to what it needs to ask istiod, and a waypoint for certificates."""
    stream = {"resource_api_version": "V3", "ads": {}, "initial_fetch_timeout": "0s"}
    http2 = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}}}}
    def address(port):
        return {"pipe": {"path": SDS_SOCKET}} if port is None else {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return {
        "node": node,
        "admin": {"address": address(ADMIN_PORT)},
        "dynamic_resources": {"lds_config": stream, "cds_config": stream, "ads_config": {
            "api_type": "GRPC", "transport_api_version": "V3", "grpc_services": [{"envoy_grpc": {"cluster_name": "xds-grpc"}}]}},
        "bootstrap_extensions": [{"name": "envoy.bootstrap.internal_listener", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener"}}],
        "static_resources": {"clusters": [{
            "name": name, "type": "STATIC", "connect_timeout": "1s", "typed_extension_protocol_options": http2,
            "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}]}}
            for name, port in (("xds-grpc", XDS_PORT), ("sds-grpc", None))]}}


def agent_environment(labels):
    """What Istio's injector gives pilot-agent, as far as it counts here."""
    return {"FILE_MOUNTED_CERTS": "true", "INSTANCE_IP": POD, "POD_NAME": "orders-1", "POD_NAMESPACE": "shop",
            "ISTIO_METAJSON_LABELS": json.dumps(labels), "ISTIO_META_CLUSTER_ID": "Kubernetes", "ISTIO_META_INTERCEPTION_MODE": "REDIRECT",
            "ISTIO_META_WORKLOAD_NAME": "orders", "PROXY_CONFIG": json.dumps({
                "binaryPath": find_envoy()[0], "discoveryAddress": f"127.0.0.1:{XDS_PORT}", "controlPlaneAuthPolicy": "NONE",
                "terminationDrainDuration": "0.1s"})}


class Sidecar(Program):
    """Envoy, with a bootstrap of ours or started by pilot-agent."""

    def __init__(self, directory, node, concurrency=2, agent=False, environment=None):
        started["envoy"] += 1
        if agent:
            super().__init__("pilot-agent", [ISTIOD, "agent", "proxy", "sidecar", "--domain", "shop.svc.cluster.local", "--templateFile",
                                             os.path.join(BUILT, "envoy_bootstrap.json"), "--concurrency", str(concurrency)], directory,
                             {**agent_environment(node["metadata"]["LABELS"]), **(environment or {})})
            return
        path = os.path.join(directory, "bootstrap.json")
        with open(path, "w") as file:
            json.dump(bootstrap(node), file)
        super().__init__("sidecar", [find_envoy()[0], "-c", path, "--concurrency", str(concurrency), "--disable-hot-restart",
                                     "--log-level", "warning", "--file-flush-interval-msec", "100"], directory, environment)

    def end(self, seconds=30):
        """pilot-agent ends Envoy, after it has drained it: killed too soon it would leave it behind."""
        return super().end(max(seconds, 30))

    def admin(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", ADMIN_PORT, timeout=30)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            return ""
        finally:
            connection.close()


class Istiod(Program):
    def __init__(self, directory, files, environment=None):
        mesh_config = os.path.join(directory, "mesh.yaml")
        with open(mesh_config, "w") as file:
            file.write(MESH_CONFIG)
        super().__init__("istiod", [ISTIOD, "serve", "-grpc", f"127.0.0.1:{XDS_PORT}", "-debug", f"127.0.0.1:{DEBUG_PORT}",
                                "-mesh", mesh_config, *files], directory, {**ISTIOD_ENVIRONMENT, **(environment or {})})
        self.wait_for(lambda: "istiod: ready" in self.log(), "that it is ready")

    def update(self, change):
        """Has it serve what the files say after change(): as after `kubectl apply`."""
        updates = self.log().count("istiod: updated")
        change()
        self.process.send_signal(signal.SIGHUP)
        self.wait_for(lambda: self.log().count("istiod: updated") > updates, "its update")

    def refused(self):
        """What Envoy did not take, a line each."""
        return re.findall(r".*ACK ERROR.*", self.log())


class MeshCase(TestCase):
    """A test renders values, starts the mesh and sends. Envoy must take all that istiod sends it, unless the test is about what it
    does not: then it says self.refusals = True."""

    def setUp(self):
        super().setUp()
        self.refusals = False
        self.istiod = self.sidecar = None
        self.rendered_files = []
        self.mounted = "/var/local/wasm/header_augmenting.wasm"
        shutil.copy(filter_module(), self.mounted)
        shutil.copy(filter_module(), os.path.join(self.directory, "header_augmenting.wasm"))
        self.addCleanup(self._count_nacks)

    def _end_programs(self):
        super()._end_programs()
        said.extend(program.log() for program in self.programs)

    def _count_nacks(self):
        global nacks
        found = [line for program in self.programs if isinstance(program, Istiod) for line in program.refused()]
        if not self.refusals:
            nacks += len(found)
            self.assertEqual(found, [], "Envoy refused what istiod sent")

    def values(self, **changes):
        """The worked example's values, with whole keys replaced; None takes one out."""
        values = {
            "name": "header-augmenting", "namespace": "shop",
            "module": {"file": "header_augmenting.wasm"},
            "plugin": {"name": "header_augmenting", "configuration": {
                "header_providing_service_cluster": "${cluster:header-provider}",
                "header_providing_service_authority": "header-provider.local",
                "header_providing_service_path": "/headers", "header_cache_expiry": "360s"}},
            "services": [{"name": "header-provider", "sidecar": {"port": 8082}}],
            "workload": {"name": "orders", "image": "example.com/orders:1"},
            "traffic": {"direction": "outbound", "destinations": [{"host": "payments.shop.svc.cluster.local", "port": 8081}]}}
        values.update(changes)
        return {key: value for key, value in values.items() if value is not None}

    def render(self, values, targets=("kubernetes", "istio")):
        """Renders for the targets; keeps the files for the mesh, and returns the notes."""
        path = os.path.join(self.directory, "values.json")
        with open(path, "w") as file:
            json.dump(values, file)
        notes = ""
        self.rendered_files = []
        for target in targets:
            folder = os.path.join(self.directory, target)
            done = subprocess.run([INLAY, "deploy", "render", target, "-f", path, "-o", folder], capture_output=True, text=True,
                                  timeout=600, stdin=subprocess.DEVNULL)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            notes += done.stderr
            self.rendered_files += [line for line in done.stdout.splitlines()
                                    if line.endswith(".yaml") and not line.endswith("patch.yaml")]
        return notes

    def rendered(self, name):
        """The path of the rendered file of that name."""
        return next(path for path in self.rendered_files if path.endswith("/" + name))

    def edit(self, name, old, new):
        """Changes a rendered file, as somebody by hand."""
        with open(self.rendered(name)) as file:
            text = file.read()
        self.assertIn(old, text)
        with open(self.rendered(name), "w") as file:
            file.write(text.replace(old, new))

    def findings(self, *arguments):
        """What `inlay deploy check` says of all that was rendered: (exit status, the rules of errors and warnings)."""
        folder = os.path.join(self.directory, "checked")
        shutil.rmtree(folder, ignore_errors=True)
        for path in self.rendered_files:
            target = os.path.join(folder, os.path.relpath(path, self.directory))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(path, target)
        done = subprocess.run([INLAY, "deploy", "check", folder, "--json", *arguments], capture_output=True, text=True, timeout=600,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.stderr, "")
        found = json.loads(done.stdout)["findings"]
        return done.returncode, [(one["severity"], one["rule"]) for one in found if one["severity"] != "note"]

    def write_objects(self, objects):
        path = os.path.join(self.directory, "objects.yaml")
        with open(path, "w") as file:
            file.write("\n---\n".join(json.dumps(one) for one in objects))
        return path

    def start_istiod(self, objects=(), files=None, environment=None):
        """istiod with what was rendered, the pod of the workload, and `objects`."""
        files = self.rendered_files if files is None else files
        self.istiod = self.start(Istiod(self.directory, [*files, self.write_objects([PLAIN_TEXT, pod("orders", POD), *objects])],
                                        environment))
        return self.istiod

    def start_mesh(self, objects=(), files=None, **options):
        self.start_istiod(objects, files)
        self.sidecar = self.start(Sidecar(self.directory, node_of(), **options))
        self.sidecar.wait_for(lambda: "15006" in self.sidecar.admin("/listeners") or self.refusals, "its listeners")
        return self.sidecar

    def end_mesh(self):
        """Ends what runs, so that the test can start another mesh."""
        for program in reversed(self.programs):
            program.end(5)
        said.extend(program.log() for program in self.programs)
        self._count_nacks()
        self.programs.clear()

    def provider(self, **options):
        return self.start(Provider(self.directory, port=8082, **options))

    def origin(self, port, *arguments, **options):
        origin = Origin(port, *arguments, **options)
        self.addCleanup(origin.close)
        return origin

    def until_augmented(self, *arguments, **options):
        """Sends until the origin has seen the header; the answer."""
        last = []

        def augmented():
            last[:] = [send(*arguments, **options)]
            return last[0].authorization
        try:
            wait_until(augmented, "the header at the origin", 30)
        except AssertionError as error:
            raise AssertionError(f"{error}; the last answer: {last}") from None
        return last[0]

    def analyze(self, objects=()):
        """What `istioctl analyze` says of what was rendered, a line a message."""
        done = subprocess.run([ISTIOD, "analyze", *self.rendered_files, self.write_objects(objects)], capture_output=True, text=True,
                              timeout=600, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"\d+ analyzers ran")
        return [line for line in done.stdout.splitlines() if re.match(r"(Error|Warn|Info)", line)]
