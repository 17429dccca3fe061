# SPDX-License-Identifier: Apache-2.0
"""A mesh in one network namespace: Istio's own code serves what `inlay deploy` rendered, Envoy is the workload's sidecar, and
requests go the way that they go in a pod. scripts/mesh makes the namespace, in which each address of 10.0.0.0/8 and of
203.0.113.0/24 is this machine's, and whose iptables do what istio-init does in a pod:

    from WORKLOAD_CLIENT, the workload's own requests   to 15001, the sidecar's outbound listener
    from OTHER_CLIENT, those of others, to the pod      to 15006, its inbound one
"""

import http.client
import http.server
import json
import os
import re
import shutil
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
XDS_PORT, DEBUG_PORT, ADMIN_PORT = 15010, 18080, 15000

nacks = 0  # of all tests, but for those that are about one

# What istiod has beside what is rendered. Without certificates between the pods, and without the filters that only Istio's own
# Envoy has.
MESH_CONFIG = f"enableAutoMtls: false\ndefaultConfig: {{discoveryAddress: '127.0.0.1:{XDS_PORT}'}}\n"
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


class Origin:
    """Answers on every address of a port with what it got: {"host": ..., "headers": {...}}."""

    def __init__(self, port):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = json.dumps({"host": self.headers.get("host"), "headers": {k.lower(): v for k, v in self.headers.items()}}).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

        self.server = Server(("0.0.0.0", port), Handler)
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
        return Answer(response.status, response.read().decode(errors="replace"))
    except (OSError, http.client.HTTPException):
        return Answer(0, "")
    finally:
        connection.close()


def bootstrap(labels):
    """What pilot-agent gives Envoy, cut down to what it needs to ask istiod."""
    stream = {"resource_api_version": "V3", "ads": {}, "initial_fetch_timeout": "0s"}
    http2 = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}}}}
    def address(port):
        return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return {
        "node": {"id": f"sidecar~{POD}~orders-1.shop~shop.svc.cluster.local", "cluster": "orders.shop",
                 "metadata": {"NAMESPACE": "shop", "LABELS": labels, "CLUSTER_ID": "Kubernetes", "INTERCEPTION_MODE": "REDIRECT",
                              "INSTANCE_IPS": POD}},
        "admin": {"address": address(ADMIN_PORT)},
        "dynamic_resources": {"lds_config": stream, "cds_config": stream, "ads_config": {
            "api_type": "GRPC", "transport_api_version": "V3", "grpc_services": [{"envoy_grpc": {"cluster_name": "xds-grpc"}}]}},
        "static_resources": {"clusters": [{
            "name": "xds-grpc", "type": "STATIC", "connect_timeout": "1s", "typed_extension_protocol_options": http2,
            "load_assignment": {"cluster_name": "xds-grpc", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(XDS_PORT)}}]}]}}]}}


class Sidecar(Program):
    def __init__(self, directory, labels):
        path = os.path.join(directory, "bootstrap.json")
        with open(path, "w") as file:
            json.dump(bootstrap(labels), file)
        started["envoy"] += 1
        super().__init__("sidecar", [find_envoy()[0], "-c", path, "--concurrency", "2", "--disable-hot-restart", "--log-level", "warning"],
                         directory)

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
    def __init__(self, directory, files, name="istiod"):
        mesh_config = os.path.join(directory, "mesh.yaml")
        with open(mesh_config, "w") as file:
            file.write(MESH_CONFIG)
        super().__init__(name, [ISTIOD, "serve", "-grpc", f"127.0.0.1:{XDS_PORT}", "-debug", f"127.0.0.1:{DEBUG_PORT}",
                                "-mesh", mesh_config, *files], directory, ISTIOD_ENVIRONMENT)
        self.wait_for(lambda: "istiod: ready" in self.log(), "that it is ready")

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
        os.makedirs("/var/local/wasm", exist_ok=True)  # scripts/mesh has mounted an empty /var/local of its own
        self.mounted = "/var/local/wasm/header_augmenting.wasm"
        shutil.copy(filter_module(), self.mounted)
        shutil.copy(filter_module(), os.path.join(self.directory, "header_augmenting.wasm"))
        self.addCleanup(self._count_nacks)

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

    def write_objects(self, objects):
        path = os.path.join(self.directory, "objects.yaml")
        with open(path, "w") as file:
            file.write("\n---\n".join(json.dumps(one) for one in objects))
        return path

    def start_istiod(self, objects=(), files=None):
        """istiod with what was rendered, the pod of the workload, and `objects`."""
        files = self.rendered_files if files is None else files
        self.istiod = self.start(Istiod(self.directory, [*files, self.write_objects([PLAIN_TEXT, pod("orders", POD), *objects])]))
        return self.istiod

    def start_mesh(self, objects=(), labels=None, files=None):
        self.start_istiod(objects, files)
        self.sidecar = self.start(Sidecar(self.directory, labels or {"app": "orders"}))
        self.sidecar.wait_for(lambda: "15001" in self.sidecar.admin("/listeners"), "its listeners")
        return self.sidecar

    def provider(self, **options):
        return self.start(Provider(self.directory, port=8082, **options))

    def origin(self, port):
        origin = Origin(port)
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
