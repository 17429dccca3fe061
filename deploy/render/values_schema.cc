// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/values_schema.h"

#include <map>
#include <string>

namespace inlay::deploy {

namespace {

constexpr FieldKind kNumber = FieldKind::kUint32;
constexpr FieldKind kMessage = FieldKind::kMessage;

constexpr std::string_view kPolicies[] = {"FAIL_CLOSED", "FAIL_OPEN", "FAIL_RELOAD"};
constexpr std::string_view kDirections[] = {"outbound", "inbound"};
constexpr std::string_view kAttachments[] = {"EnvoyFilter", "WasmPlugin", "TrafficExtension"};
constexpr std::string_view kProxies[] = {"sidecar", "gateway", "waypoint"};
constexpr EnumSpec kEnums[] = {
    {"failure policy", kPolicies},
    {"direction", kDirections},
    {"attachment", kAttachments},
    {"proxy", kProxies},
};

constexpr FieldSpec kRoot[] = {
    {.name = "name", .form = Form::kLabel, .help = "names all that is made: ConfigMap, EnvoyFilter", .required = true},
    {.name = "namespace", .form = Form::kLabel, .help = "of the workload, and of all that is made", .required = true},
    {.name = "module", .kind = kMessage, .help = "the WebAssembly module", .required = true, .type = "module"},
    {.name = "plugin", .kind = kMessage, .help = "what the module runs as", .required = true, .type = "plugin"},
    {.name = "services",
     .kind = kMessage,
     .help = "what the plugin calls, such as the service that its headers come from",
     .shape = Shape::kList,
     .type = "service"},
    {.name = "workload",
     .kind = kMessage,
     .help = "whose requests pass the plugin",
     .required = true,
     .type = "workload"},
    {.name = "traffic", .kind = kMessage, .help = "which of its requests", .required = true, .type = "traffic"},
    {.name = "envoy", .kind = kMessage, .help = "of the targets envoy and compose", .type = "envoy"},
    {.name = "istio", .kind = kMessage, .help = "of the target istio", .type = "istio"},
    {.name = "gateway", .kind = kMessage, .help = "of the target gateway", .type = "gateway"},
    {.name = "component",
     .kind = FieldKind::kBool,
     .help = "targets kubernetes, istio and gateway: make of each folder a "
             "[Component](../guide/deploy.md#in-a-kustomization-of-yours) "
             "of kustomize, which a kustomization includes",
     .otherwise = "`false`"},
};

constexpr FieldSpec kModule[] = {
    {.name = "file",
     .form = Form::kFile,
     .help = "a file, relative to the folder of the values file; rendering copies it",
     .oneof = "source"},
    {.name = "oci",
     .form = Form::kOci,
     .help = "an OCI image or artifact with its digest; for the target istio with WasmPlugin or TrafficExtension",
     .oneof = "source"},
    {.name = "http", .form = Form::kHttpUrl, .help = "a URL; needs `sha256`", .oneof = "source"},
    {.name = "sha256", .form = Form::kSha256, .help = "of the module at `http`; with `file` it is checked"},
    {.name = "pull_secret", .form = Form::kLabel, .help = "with `oci`: the Secret with the registry's credentials"},
};

constexpr FieldSpec kPlugin[] = {
    {.name = "name", .form = Form::kName, .help = "as logs and errors name it", .required = true},
    {.name = "root_id", .form = Form::kName, .help = "the root context in the module", .otherwise = "`name`"},
    {.name = "vm_id",
     .form = Form::kName,
     .help = "plugins with one id share data, tokens among them; WasmPlugin and TrafficExtension have no such field",
     .otherwise = "`name`"},
    {.name = "failure_policy",
     .kind = FieldKind::kEnum,
     .help = "what becomes of requests when the module fails",
     .otherwise = "`FAIL_CLOSED`",
     .type = "failure policy"},
    {.name = "configuration",
     .kind = FieldKind::kValue,
     .help =
         "a map, which the plugin gets as JSON, or a text, which it gets as it is. `${cluster:NAME}` becomes the "
         "name that the target has for the service NAME; `${env:NAME}` stays, for the plugin to resolve, and so does "
         "`$${`, which begins neither and stands for `${` in the header-augmenting filter's. For outbound "
         "traffic the header-augmenting filter's gets [rules](../guide/deploy.md#where-the-headers-go)"},
    {.name = "environment",
     .kind = kMessage,
     .help = "the variables that the module sees",
     .shape = Shape::kList,
     .type = "variable"},
};

constexpr FieldSpec kVariable[] = {
    {.name = "name", .form = Form::kVariable, .help = "", .required = true},
    {.name = "value", .help = "the value, which is no secret", .oneof = "source"},
    {.name = "secret",
     .kind = kMessage,
     .help = "where Kubernetes keeps the value",
     .type = "secret",
     .oneof = "source"},
};

constexpr FieldSpec kSecret[] = {
    {.name = "name", .form = Form::kHost, .help = "of the Secret", .required = true},
    {.name = "key", .form = Form::kSecretKey, .help = "in its data", .required = true},
};

constexpr FieldSpec kService[] = {
    {.name = "name", .form = Form::kLabel, .help = "as `${cluster:NAME}` calls it", .required = true},
    {.name = "sidecar",
     .kind = kMessage,
     .help = "a container in the pod, over loopback",
     .type = "sidecar",
     .oneof = "place"},
    {.name = "mesh", .kind = kMessage, .help = "a service of the mesh", .type = "mesh", .oneof = "place"},
    {.name = "outside", .kind = kMessage, .help = "a host elsewhere", .type = "outside", .oneof = "place"},
    {.name = "files",
     .kind = kMessage,
     .help =
         "files of the proxy's container, which its own Envoy hands to the plugin over a pipe that is open to nobody "
         "else: a source with `path: /NAME` and the format `text` gets one. Targets kubernetes and istio",
     .shape = Shape::kList,
     .type = "mounted_file",
     .oneof = "place"},
    {.name = "workload_api",
     .kind = kMessage,
     .help =
         "the socket on which SPIRE's agent knows the proxy: for sources of the format `jwt_svid`. Targets kubernetes "
         "and istio",
     .type = "workload_api",
     .oneof = "place"},
};

constexpr FieldSpec kMountedFile[] = {
    {.name = "name", .form = Form::kLabel, .help = "the plugin asks for the path `/NAME`", .required = true},
    {.name = "service_account_token",
     .kind = kMessage,
     .help = "a token of the pod's service account, which the cluster writes anew before it ends",
     .type = "service_account_token",
     .oneof = "content"},
    {.name = "secret",
     .kind = kMessage,
     .help = "a key of a Secret, such as a private key",
     .type = "secret",
     .oneof = "content"},
};

constexpr FieldSpec kServiceAccountToken[] = {
    {.name = "audience", .help = "whom it is for, as the server wants it", .required = true},
    {.name = "seconds",
     .kind = kNumber,
     .form = Form::kTokenLife,
     .help = "for which it is good, 600 or more",
     .otherwise = "3600"},
};

constexpr FieldSpec kWorkloadApi[] = {
    {.name = "template",
     .form = Form::kLabel,
     .help = "of Istio's injector, that mounts the socket at `/var/run/secrets/workload-spiffe-uds`",
     .otherwise = "`spire`"},
};

// What every container has.
constexpr FieldSpec kContainerArgs = {.name = "args", .help = "of its container", .shape = Shape::kList};
constexpr FieldSpec kContainerEnvironment = {.name = "environment",
                                             .kind = kMessage,
                                             .help = "of its container; secrets by reference",
                                             .shape = Shape::kList,
                                             .type = "variable"};
constexpr FieldSpec kContainerReady = {
    .name = "ready", .form = Form::kPath, .help = "answers with 200 when it is ready", .otherwise = "the port is open"};

constexpr FieldSpec kSidecar[] = {
    {.name = "port", .kind = kNumber, .form = Form::kPort, .help = "on 127.0.0.1", .required = true},
    {.name = "image", .form = Form::kImage, .help = "of the container; left out: something else puts it there"},
    kContainerArgs,
    kContainerEnvironment,
    kContainerReady,
};

constexpr FieldSpec kMesh[] = {
    {.name = "host",
     .form = Form::kHost,
     .help = "its full name, `NAME.NAMESPACE.svc.cluster.local`",
     .required = true},
    {.name = "port", .kind = kNumber, .form = Form::kPort, .help = "of the service", .required = true},
    {.name = "image", .form = Form::kImage, .help = "given: a Deployment and a Service are rendered for it, too"},
    kContainerArgs,
    kContainerEnvironment,
    kContainerReady,
};

constexpr FieldSpec kOutside[] = {
    {.name = "host", .form = Form::kHost, .help = "", .required = true},
    {.name = "port", .kind = kNumber, .form = Form::kPort, .help = "", .otherwise = "443, without TLS 80"},
    {.name = "tls",
     .kind = FieldKind::kBool,
     .help = "with its certificate checked against `host`",
     .otherwise = "`true`"},
    {.name = "ca",
     .form = Form::kFile,
     .help = "the authorities whose certificates are good: a PEM file where the proxy runs",
     .otherwise = "`/etc/ssl/certs/ca-certificates.crt`"},
};

constexpr FieldSpec kWorkload[] = {
    {.name = "name", .form = Form::kLabel, .help = "of the Deployment", .required = true},
    {.name = "labels",
     .form = Form::kLabelValue,
     .help = "that select its pods",
     .otherwise = "`app: NAME`",
     .shape = Shape::kMap,
     .key = Form::kLabelKey},
    {.name = "image", .form = Form::kImage, .help = "left out: the Deployment exists, and a patch for it is rendered"},
    {.name = "command", .help = "of its container", .shape = Shape::kList},
    kContainerArgs,
    {.name = "port", .kind = kNumber, .form = Form::kPort, .help = "on which it serves; needed for inbound traffic"},
    {.name = "service",
     .kind = FieldKind::kBool,
     .help =
         "render a Service of its name and port: without one that selects its pods istiod makes no listener that the "
         "plugin could stand in",
     .otherwise = "`true` for inbound traffic with `image`"},
    kContainerEnvironment,
    kContainerReady,
    {.name = "user", .kind = kNumber, .form = Form::kUser, .help = "the user that it runs as", .otherwise = "65532"},
    {.name = "cpu", .form = Form::kQuantity, .help = "processor time that it requests", .otherwise = "`50m`"},
    {.name = "memory",
     .form = Form::kQuantity,
     .help = "memory that it requests, and its limit",
     .otherwise = "`64Mi`"},
};

constexpr FieldSpec kTraffic[] = {
    {.name = "direction",
     .kind = FieldKind::kEnum,
     .help = "requests that the workload sends, or that it gets",
     .required = true,
     .type = "direction"},
    {.name = "destinations",
     .kind = kMessage,
     .help = "outbound: where the requests go that get headers; those that go elsewhere are left alone. In the targets "
             "envoy and compose the first one also gets requests for any other host",
     .shape = Shape::kList,
     .type = "destination"},
};

constexpr FieldSpec kDestination[] = {
    {.name = "host",
     .form = Form::kHost,
     .help = "its full name, `NAME.NAMESPACE.svc.cluster.local`; `NAME` alone is one of `namespace`. No wildcard",
     .required = true},
    {.name = "port", .kind = kNumber, .form = Form::kPort, .help = "", .required = true},
    {.name = "subsets",
     .form = Form::kLabel,
     .help = "target istio: those of a DestinationRule that a VirtualService sends its requests to",
     .shape = Shape::kList},
    {.name = "image", .form = Form::kImage, .help = "that stands in for it in the target compose"},
    kContainerArgs,
};

constexpr FieldSpec kEnvoy[] = {
    {.name = "image", .form = Form::kImage, .help = "", .otherwise = "`docker.io/envoyproxy/envoy:v1.36.2`"},
    {.name = "port",
     .kind = kNumber,
     .form = Form::kPort,
     .help = "where it listens, on 127.0.0.1",
     .otherwise = "8080"},
    {.name = "admin_port", .kind = kNumber, .form = Form::kPort, .help = "its admin interface", .otherwise = "9901"},
    {.name = "resolve",
     .form = Form::kIp,
     .help = "target envoy: addresses of hosts that only the mesh can resolve",
     .shape = Shape::kMap,
     .key = Form::kHost},
};

constexpr FieldSpec kIstio[] = {
    {.name = "version",
     .form = Form::kIstio,
     .help = "the oldest Istio that has to take what is rendered",
     .otherwise = "`1.30`"},
    {.name = "proxy",
     .kind = FieldKind::kEnum,
     .help = "whose proxy runs the plugin: the workload's own `sidecar`; an ingress or egress `gateway`, whose pods "
             "`workload.labels` select; or the `waypoint` that is called `workload.name`, for services of ambient",
     .otherwise = "`sidecar`",
     .type = "proxy"},
    {.name = "attach",
     .kind = FieldKind::kEnum,
     .help = "the resource that adds the plugin",
     .otherwise =
         "`TrafficExtension` from 1.30 on; before that `WasmPlugin` with `module.oci`, else `EnvoyFilter`, which also "
         "takes a configuration that is a text",
     .type = "attachment"},
    {.name = "egress",
     .help = "more hosts that the workload calls, as `NAMESPACE/HOST`; with the Sidecar it reaches no others",
     .otherwise = "`istio-system/*`",
     .shape = Shape::kList},
    {.name = "sidecar",
     .kind = FieldKind::kBool,
     .help =
         "render the Sidecar resource, with `outboundTrafficPolicy: REGISTRY_ONLY`; without it the workload sees every "
         "service of the mesh, and reaches what the mesh's own policy lets it",
     .otherwise = "`true` for outbound traffic"},
    {.name = "service_entry",
     .kind = FieldKind::kBool,
     .help =
         "render a ServiceEntry for destinations outside of the mesh, without which istiod makes no listener for them; "
         "`false` where they have one",
     .otherwise = "`true`"},
};

constexpr FieldSpec kGateway[] = {
    {.name = "name", .form = Form::kLabel, .help = "of the Gateway whose proxies run the plugin", .required = true},
    {.name = "routes",
     .form = Form::kLabel,
     .help = "its HTTPRoutes whose requests pass the plugin, in `namespace`; those of others do not",
     .required = true,
     .shape = Shape::kList},
};

constexpr MessageSpec kMessages[] = {
    {"the values file", "The whole file.", kRoot},
    {"module", "One of `file`, `oci` and `http`.", kModule},
    {"plugin", "", kPlugin},
    {"variable",
     "One of `value` and `secret`. In `plugin.environment` neither means: the variable of that name in the proxy's own "
     "environment.",
     kVariable},
    {"secret",
     "Is referenced, never copied: the target kubernetes puts it into the proxy's environment, envoy and compose take "
     "the variable from the environment they are started in.",
     kSecret},
    {"service", "One of `sidecar`, `mesh`, `outside`, `files` and `workload_api`.", kService},
    {"sidecar", "", kSidecar},
    {"mesh", "", kMesh},
    {"outside", "", kOutside},
    {"mounted_file", "One of `service_account_token` and `secret`.", kMountedFile},
    {"service_account_token", "", kServiceAccountToken},
    {"workload_api", "", kWorkloadApi},
    {"workload", "", kWorkload},
    {"traffic", "", kTraffic},
    {"destination", "", kDestination},
    {"envoy", "", kEnvoy},
    {"istio", "", kIstio},
    {"gateway",
     "Envoy Gateway's: an EnvoyExtensionPolicy for the routes, and an EnvoyPatchPolicy that adds the cluster of each "
     "service. "
     "The module is one by `oci` or `http`, and the services are `mesh` or `outside`.",
     kGateway},
};

struct Types {
  std::map<std::string, config::MessageType, std::less<>> messages;
  std::map<std::string, config::EnumType, std::less<>> enums;
};

config::FieldType make_field(const FieldSpec& spec, Types& types) {
  config::FieldType field;
  field.name = spec.name;
  field.json_name = spec.name;
  field.type = spec.type;
  field.kind = spec.kind;
  field.repeated = spec.shape == Shape::kList;
  field.map = spec.shape == Shape::kMap;
  field.oneof = spec.oneof;
  if (spec.kind == FieldKind::kMessage) field.message = &types.messages[std::string(spec.type)];
  if (spec.kind == FieldKind::kEnum) field.enumeration = &types.enums[std::string(spec.type)];
  return field;
}

Types make_types() {
  Types types;
  for (const EnumSpec& spec : kEnums) {
    config::EnumType& type = types.enums[std::string(spec.name)];
    type.name = spec.name;
    for (std::string_view value : spec.values)
      type.values.emplace_back(std::string(value), static_cast<int32_t>(type.values.size()));
  }
  for (const MessageSpec& spec : kMessages) {
    config::MessageType& type = types.messages[std::string(spec.name)];
    type.name = spec.name;
    for (const FieldSpec& field : spec.fields) type.fields.push_back(make_field(field, types));
  }
  return types;
}

}  // namespace

std::span<const MessageSpec> value_messages() {
  return kMessages;
}

std::span<const EnumSpec> value_enums() {
  return kEnums;
}

const MessageSpec* find_message_spec(std::string_view message) {
  for (const MessageSpec& spec : kMessages)
    if (spec.name == message) return &spec;
  return nullptr;
}

const FieldSpec* find_field_spec(std::string_view message, std::string_view field) {
  const MessageSpec* spec = find_message_spec(message);
  if (spec == nullptr) return nullptr;
  for (const FieldSpec& candidate : spec->fields)
    if (candidate.name == field) return &candidate;
  return nullptr;
}

const config::MessageType& values_type() {
  static const Types types = make_types();
  return types.messages.find(kMessages[0].name)->second;
}

}  // namespace inlay::deploy
