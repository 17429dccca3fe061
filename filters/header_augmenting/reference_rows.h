// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the reference says of each key beside what the parser's tables know (config_schema.h). reference_test.cc makes
// the tables of docs/reference/header_augmenting.md of both; the module does not contain this.

namespace inlay::header_augmenting {

struct ReferenceRow {
  const char* key;       // its path, [] for an array's element
  const char* fallback;  // the default, where it depends on other keys; nullptr: as the structures in config.h have it
  const char* meaning;
};

inline constexpr ReferenceRow kReferenceRows[] = {
    {"header_providing_service_cluster", nullptr, "the cluster that is asked"},
    {"header_providing_service_authority", "`sidecar`", "the `:authority` of the request to it"},
    {"header_providing_service_path", "`/headers`", "its `:path`"},
    {"header_cache_expiry", "`360s`", "how long an answer is good, unless it says so itself"},
    {"sources[].name", nullptr, "unique; in rules, metrics and logs"},
    {"sources[].cluster", nullptr, "the cluster that is asked"},
    {"sources[].authority", "the cluster's name", "`:authority`"},
    {"sources[].path", "`/headers`", "`:path`; has no default with `oauth2`"},
    {"sources[].method", "`GET`", "`:method`; with `oauth2` `POST`, and no other"},
    {"sources[].request_headers", nullptr,
     "more headers of the request; `accept: application/json`, `accept-encoding: identity` and, with `oauth2`, "
     "`content-type` and, with `client_secret_basic`, `authorization` are sent unless they stand here; with `text` "
     "and `jwt_svid` `accept: */*`"},
    {"sources[].body", "none", "the request's body; `oauth2` and `jwt_svid` make their own"},
    {"sources[].timeout", nullptr, "of one call"},
    {"sources[].format", nullptr, "what the answer is, see below"},
    {"sources[].oauth2.grant_type", nullptr,
     "RFC 6749 sections 4.4, 4.3 and 6, RFC 8693, RFC 7523; the last two exchange what a request brings, see [below]"
     "(#tokens-of-requests)"},
    {"sources[].oauth2.client_id", nullptr, "the client's name; not sent if it is empty with `client_assertion`"},
    {"sources[].oauth2.client_secret", "empty", "the client's secret: best as `${env:NAME}`"},
    {"sources[].oauth2.auth_method", nullptr,
     "how the client authenticates itself: in `authorization`, in the body, with its name only, with an "
     "assertion (RFC 7521), or with one that it signs itself; the last two need `authority`"},
    {"sources[].oauth2.client_assertion", nullptr,
     "a JWT that says who the client is, best as `${source:NAME}`; required with the `auth_method` of that name"},
    {"sources[].oauth2.client_assertion_type", nullptr, "what it is: `jwt-bearer`, `jwt-spiffe`, or a URN"},
    {"sources[].oauth2.signing.key", nullptr,
     "with `private_key_jwt`: the private key in PEM, PKCS #8, best as `${source:NAME}`"},
    {"sources[].oauth2.signing.alg", nullptr, "`ES256` or `RS256`"},
    {"sources[].oauth2.signing.kid", nullptr, "the key's name, in the assertion's header"},
    {"sources[].oauth2.signing.audience", nullptr,
     "whom the assertion is for; all providers take the token endpoint's URL"},
    {"sources[].oauth2.signing.lifetime", nullptr, "how long an assertion is good; each call has its own"},
    {"sources[].oauth2.username", nullptr, "of the `password` grant, required there"},
    {"sources[].oauth2.password", nullptr, "of the `password` grant, required there"},
    {"sources[].oauth2.refresh_token", nullptr,
     "of the `refresh_token` grant, required there: the first one; see [below](#a-refresh-token)"},
    {"sources[].oauth2.subject.header", "`authorization`", "the request's header that has the token to be exchanged"},
    {"sources[].oauth2.subject.scheme", "`Bearer` with `authorization`, else none",
     "what stands before it, without regard to case"},
    {"sources[].oauth2.subject.remove", "`true`", "take that header off a request that goes on with its headers"},
    {"sources[].oauth2.subject.type", "`access_token`",
     "`access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`, `jwt`, `txn_token`, `id-jag`, or a URI; of "
     "`token_exchange`"},
    {"sources[].oauth2.subject.token", nullptr,
     "in place of `header`: one token for all requests, as `${source:NAME}`; the source is then like any other"},
    {"sources[].oauth2.actor.header", "`authorization`", "of `token_exchange`: as `subject.header`"},
    {"sources[].oauth2.actor.scheme", "`Bearer` with `authorization`, else none", "as `subject.scheme`"},
    {"sources[].oauth2.actor.remove", "`true`", "as `subject.remove`"},
    {"sources[].oauth2.actor.type", "`access_token`", "as `subject.type`"},
    {"sources[].oauth2.actor.token", nullptr,
     "who acts for the subject, best as `${source:NAME}`; providers may ignore it in silence"},
    {"sources[].oauth2.requested_token_type", "none",
     "of `token_exchange`: as `subject.type`; an answer that says `issued_token_type` has to say this one"},
    {"sources[].oauth2.scopes", "none", "sent as `scope`, joined by spaces"},
    {"sources[].oauth2.audience", "none", "one `audience` each"},
    {"sources[].oauth2.resource", "none", "one `resource` each (RFC 8707)"},
    {"sources[].oauth2.endpoint_params", nullptr, "more parameters of the form"},
    {"sources[].jwt_svid.audience", "none",
     "whom the JWT-SVID is for; required with that format, and with no other. Path, method and body are the Workload "
     "API's"},
    {"sources[].jwt_svid.spiffe_id", nullptr, "which of several identities; the first if it is not given"},
    {"sources[].headers", R"(with `oauth2` `{"authorization": "Bearer {/access_token}"}`)",
     "with `oauth2`, `template`, `text` and `jwt_svid`: the headers to set; required but with `oauth2`, and with the "
     "last "
     "two if another source refers to it"},
    {"sources[].allow", "all", "what this source may set, apart from what none may"},
    {"sources[].refresh.every", "`10s` with `text` and `jwt_svid`, else `360s`",
     "how long an answer is good that does not say so itself"},
    {"sources[].refresh.early", "`50%` with `jwt_svid`, else `20%`",
     "an answer that says how long it is good is renewed this much before, but not before half of that time; so is any "
     "answer if `max_stale` is below `timeout`"},
    {"sources[].refresh.jitter", nullptr,
     "or up to this much later, but not after half of `early`; any other answer is renewed up to this much before its "
     "end. So proxies do not ask in step"},
    {"sources[].refresh.retry.initial", nullptr,
     "after a failed fetch the next waits a random time up to this, doubled with each failure; also how soon after a "
     "fetch an upstream's refusal brings about another"},
    {"sources[].refresh.retry.max", nullptr, "but to no more than this, whatever `retry-after` says"},
    {"sources[].max_stale", "`0s` with `oauth2` and of a `text` or `jwt_svid` that is a JWT, else `unlimited`",
     "how long after their expiry the last good headers are still used while fetches fail"},
    {"sources[].cache.entries", nullptr,
     "tokens that are kept, 65536 at most: on each worker, and for all of them in shared data; rounded down to "
     "a power of two, eight at least"},
    {"sources[].cache.bytes", nullptr,
     "the most memory for them on a worker, and in shared data, where eight tokens have 32 KiB at least"},
    {"sources[].cache.default_life", nullptr, "how long a token is good whose answer does not say so"},
    {"sources[].cache.refused_life", nullptr, "how long a refusal of what a request brings is remembered"},
    {"sources[].cache.max_token", nullptr, "the longest token, in bytes, that a request may bring: else 431"},
    {"sources[].cache.max_waiting", nullptr,
     "how many requests wait, and how many tokens are waited for, on one worker; beyond: `unavailable`"},
    {"sources[].cache.max_calls", nullptr, "how many calls one worker has under way; others wait"},
    {"sources[].on_error.no_subject", nullptr,
     "status of the local reply to a request that brings no token, or `pass`"},
    {"sources[].on_error.subject_refused", nullptr, "the service does not accept what the request brings"},
    {"sources[].on_error.denied", nullptr, "it does, but does not give for it what is asked for"},
    {"sources[].on_error.provider_refused", nullptr,
     "it does not accept the filter's own client, or answers something that cannot be used"},
    {"sources[].on_error.unavailable", nullptr, "it does not answer, or not now; with `retry-after`"},
    {"rules[].match.cluster", nullptr,
     "the cluster that the request's route leads to, the whole name; no match while the host knows of none. See below"},
    {"rules[].match.authority", nullptr,
     "the request's `:authority`, without regard to case; `*.x` is all that ends in `.x`; a value without a port takes "
     "any port. It is what the client says, wherever the route leads"},
    {"rules[].match.path_prefix", nullptr, "what `:path` begins with"},
    {"rules[].match.path", nullptr, "`:path` without its query"},
    {"rules[].match.methods", nullptr, "one of them"},
    {"rules[].match.headers[].name", nullptr, "a header that is there, unless the keys below say more"},
    {"rules[].match.headers[].exact", nullptr, "it has this value"},
    {"rules[].match.headers[].prefix", nullptr, "its value begins with this"},
    {"rules[].match.headers[].present", nullptr, "`false`: it is not there"},
    {"rules[].use", "all that no other source refers to", "whose headers; `[]`: none"},
    {"rules[].with.audience", "the source's",
     "what is asked for in place of what the source has; see [below]"
     "(#tokens-of-requests)"},
    {"rules[].with.scopes", "the source's", "the same"},
    {"rules[].with.resource", "the source's", "the same"},
    {"rules[].mode", nullptr, "replace what the client sent under the name, leave it, or add to it"},
    {"rules[].remove", nullptr, "taken off the request first"},
    {"when_missing.action", nullptr,
     "what becomes of a request while a source that it uses has no usable headers: a local reply, on without any, or "
     "wait. What passes has lost what the client sent under the names that the sources are known to set, if the rule's "
     "mode is `set`"},
    {"when_missing.status", nullptr, "status of the local reply"},
    {"when_missing.body", nullptr, "its body; of a gRPC request, whose status' message it becomes, the first line"},
    {"when_missing.retry-after", "none", "its `retry-after` header"},
    {"when_missing.hold_for", nullptr, "how long a request waits, in order of arrival, before it is rejected"},
    {"when_missing.max_held", nullptr, "how many wait on one worker; the next is rejected"},
    {"invalidate_on", "`[401]` for `oauth2` sources, else `[]`",
     "a response to a request that got a source's headers, with such a status, has the source asked anew; given here, "
     "it counts for all sources"},
    {"max_body", nullptr, "the largest answer that is accepted"},
    {"trace", "`true`",
     "whether a request that passes may be a TRACE, which gets no headers; `false` saves a look at each, see "
     "[below](#what-a-client-cannot-spoil)"},
};

}  // namespace inlay::header_augmenting
