// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/forms.h"

#include <gtest/gtest.h>

#include <string>

namespace inlay::deploy {
namespace {

const std::string kDigits(64, 'a');

struct Case {
  Form form;
  std::string text;
  bool good;
};

TEST(Forms, TakeWhatIsRight) {
  const Case cases[] = {
      {Form::kLabel, "orders-2", true},
      {Form::kLabel, "Orders", false},
      {Form::kIstio, "1.30", true},
      {Form::kIstio, "1.9", true},
      {Form::kIstio, "1.30.1", false},
      {Form::kIstio, "2.0", false},
      {Form::kIstio, "1.", false},
      {Form::kLabel, "-orders", false},
      {Form::kLabel, std::string(64, 'a'), false},
      {Form::kLabelKey, "app.kubernetes.io/name", true},
      {Form::kLabelKey, "a/b/c", false},
      {Form::kLabelKey, "", false},
      {Form::kLabelValue, "", true},
      {Form::kLabelValue, "v1.2_x", true},
      {Form::kLabelValue, "a b", false},
      {Form::kName, "header_augmenting", true},
      {Form::kName, "a b", false},
      {Form::kName, "a\"b", false},
      {Form::kHost, "payments.shop.svc.cluster.local", true},
      {Form::kHost, "127.0.0.1", true},
      {Form::kHost, "http://x", false},
      {Form::kHost, "x:80", false},
      {Form::kHost, "a..b", false},
      {Form::kIp, "127.0.0.1", true},
      {Form::kIp, "127.0.0.01", false},
      {Form::kIp, "256.0.0.1", false},
      {Form::kIp, "1.2.3", false},
      {Form::kIp, "1.2.3.4.5", false},
      {Form::kSha256, kDigits, true},
      {Form::kSha256, "sha256:" + kDigits, false},
      {Form::kSha256, std::string(64, 'A'), false},
      {Form::kOci, "oci://registry.example.com/a/b:1@sha256:" + kDigits, true},
      {Form::kOci, "oci://registry:5000/b@sha256:" + kDigits, true},
      {Form::kOci, "oci://registry.example.com/a/b:1", false},
      {Form::kOci, "oci://registry.example.com/a@sha256:abc", false},
      {Form::kOci, "registry.example.com/a@sha256:" + kDigits, false},
      {Form::kOci, "oci://registry.example.com@sha256:" + kDigits, false},
      {Form::kHttpUrl, "https://a.example/x.wasm?y=1", true},
      {Form::kHttpUrl, "https://a.example:8443/x", true},
      {Form::kHttpUrl, "https://a.example", false},
      {Form::kHttpUrl, "https://a.example/", false},
      {Form::kHttpUrl, "ftp://a.example/x", false},
      {Form::kHttpUrl, "https://a.example:0/x", false},
      {Form::kHttpUrl, "https://a.example/x y", false},
      {Form::kImage, "docker.io/envoyproxy/envoy:v1.36.2", true},
      {Form::kImage, "a@sha256:" + kDigits, true},
      {Form::kImage, "a b", false},
      {Form::kImage, "a@sha256:abc", false},
      {Form::kVariable, "CLIENT_SECRET", true},
      {Form::kVariable, "1A", false},
      {Form::kVariable, "A-B", false},
      {Form::kPath, "/ready?x=1", true},
      {Form::kPath, "ready", false},
      {Form::kQuantity, "64Mi", true},
      {Form::kQuantity, "50m", true},
      {Form::kQuantity, "1", true},
      {Form::kQuantity, "64mb", false},
      {Form::kQuantity, "Mi", false},
      {Form::kText, "a\nb", false},
  };
  for (const Case& one : cases) EXPECT_EQ(check_form(one.form, one.text).empty(), one.good) << one.text;
  EXPECT_EQ(check_form(Form::kPort, 65535), "");
  EXPECT_NE(check_form(Form::kPort, 0), "");
  EXPECT_NE(check_form(Form::kPort, 65536), "");
  EXPECT_NE(check_form(Form::kUser, 0), "");
  EXPECT_NE(check_form(Form::kTokenLife, 599), "");
  EXPECT_EQ(check_form(Form::kTokenLife, 600), "");
}

TEST(SplitHttpUrl, KnowsTheSchemesPorts) {
  const HttpUrl url = split_http_url("https://a.example/x/y.wasm");
  EXPECT_TRUE(url.tls);
  EXPECT_EQ(url.host, "a.example");
  EXPECT_EQ(url.port, 443u);
  EXPECT_EQ(url.path, "/x/y.wasm");
  EXPECT_EQ(split_http_url("http://a/x").port, 80u);
  EXPECT_EQ(split_http_url("http://a:8080/x").port, 8080u);
}

}  // namespace
}  // namespace inlay::deploy
