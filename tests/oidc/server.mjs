// SPDX-License-Identifier: Apache-2.0
// An OpenID provider (the npm package oidc-provider) on 127.0.0.1, for tests:  node server.mjs PORT CONFIG
//
// CONFIG is JSON: `clients` as the provider takes them, `lifetime` of a token in seconds, and `resources`, whose tokens are JWTs.
// Each grant, and each that is refused, is one line of JSON on stdout, without secrets and tokens.
import { generateKeyPairSync } from "node:crypto";
import { Provider } from "oidc-provider";

const port = Number(process.argv[2]);
const { clients, lifetime, resources } = JSON.parse(process.argv[3]);
const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: clients.map((client) => ({ redirect_uris: [], response_types: [], grant_types: ["client_credentials"], ...client })),
  jwks: { keys: [{ ...key, use: "sig", alg: "RS256" }] },
  scopes: ["read", "write"],
  ttl: { ClientCredentials: lifetime },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (ctx, resource) => {
        if (!resources.includes(resource)) throw new Error("no such resource");
        return { scope: "read write", audience: resource, accessTokenTTL: lifetime, accessTokenFormat: "jwt", jwt: { sign: { alg: "RS256" } } };
      },
    },
  },
});

const say = (event) => console.log(JSON.stringify(event));
provider.on("grant.success", (ctx) => {
  const { scope, resource, audience } = ctx.oidc.body;
  say({ granted: ctx.oidc.client.clientId, scope, resource, audience, basic: ctx.headers.authorization !== undefined });
});
provider.on("grant.error", (ctx, error) => say({ refused: error.error }));
provider.on("server_error", (ctx, error) => say({ broken: String(error) }));
provider.listen(port, "127.0.0.1", () => say({ listening: port }));
