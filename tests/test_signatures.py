# SPDX-License-Identifier: Apache-2.0
"""The foreign functions sign and verify_signature, with keys that openssl's program makes, and that judges what is signed."""

import os
import re
import subprocess
import unittest

from support import config, guests
from support.both import in_envoy_too
from support.guests import import_proxy
from support.processes import TestCase

NO_KEY = "Invalid key type: private key required for signing operation."
OTHER_USE = "Invalid private key: key data is corrupted or malformed."
NO_VERIFY = "Failed to initialize digest verify."
WRONG = "Failed to verify digest. Error code: 0"


def field(number, value):
    """A length-delimited field of a protobuf message; nothing for an empty one."""
    value = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(value)) + value if value else b""


def _varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def fields(message):
    """{number: a number or bytes} of a protobuf message."""
    out, at = {}, 0

    def varint():
        nonlocal at
        number = shift = 0
        while True:
            byte = message[at]
            at += 1
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number
    while at < len(message):
        tag = varint()
        value = varint()
        if tag & 7 == 2:
            value, at = message[at:at + value], at + value
        out[tag >> 3] = value
    return out


def to_sign(key, text=b"text", digest="sha256"):
    der, pem = (b"", key) if key.startswith(b"-") else (key, b"")
    return field(1, digest) + field(2, der) + field(3, text) + field(4, pem)


def to_verify(key, signature, text=b"text", digest="sha256"):
    der, pem = (b"", key) if key.startswith(b"-") else (key, b"")
    return field(1, digest) + field(2, der) + field(3, signature) + field(4, text) + field(5, pem)


def caller(calls):
    """A guest that calls foreign functions when it is configured: `calls` has (name, argument) for each. It logs
    "answer NN SS HEX", the status and the result of call NN, all in hexadecimal."""
    data = code = ""
    at = 4096
    for number, (name, argument) in enumerate(calls):
        bytes_of_it = name.encode() + argument
        data += f'(data (i32.const {at}) "{"".join(f"{chr(92)}{byte:02x}" for byte in bytes_of_it)}")\n'
        code += f"(call $one (i32.const {number}) (i32.const {at}) (i32.const {len(name)}) (i32.const {len(argument)}))\n"
        at += len(bytes_of_it)
    assert at < 65536, "the arguments do not fit before the allocator's place"
    return guests.guest(f"""
  {data}
  (data (i32.const 1024) "0123456789abcdef") (data (i32.const 1536) "answer NN SS ")
  (func $hex (param $byte i32) (param $to i32)
    (i32.store8 (local.get $to) (i32.load8_u offset=1024 (i32.shr_u (local.get $byte) (i32.const 4))))
    (i32.store8 offset=1 (local.get $to) (i32.load8_u offset=1024 (i32.and (local.get $byte) (i32.const 15)))))
  (func $one (param $number i32) (param $name i32) (param $name_size i32) (param $size i32) (local $status i32) (local $i i32)
    (i32.store (i32.const 16) (i32.const 0)) (i32.store (i32.const 20) (i32.const 0))
    (local.set $status (call $call_foreign_function (local.get $name) (local.get $name_size)
      (i32.add (local.get $name) (local.get $name_size)) (local.get $size) (i32.const 16) (i32.const 20)))
    (call $hex (local.get $number) (i32.const 1543))
    (call $hex (local.get $status) (i32.const 1546))
    (if (local.get $status) (then (i32.store (i32.const 20) (i32.const 0))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $i) (i32.load (i32.const 20))))
      (call $hex (i32.load8_u (i32.add (i32.load (i32.const 16)) (local.get $i)))
        (i32.add (i32.const 1549) (i32.shl (local.get $i) (i32.const 1))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
    (call $say (i32.const 1536) (i32.add (i32.const 13) (i32.shl (local.get $i) (i32.const 1)))))
  (func (export "proxy_on_configure") (param i32 i32) (result i32) {code} (i32.const 1))""",
                        import_proxy("call_foreign_function", 6))


@in_envoy_too
class Signatures(TestCase):
    def openssl(self, *arguments, stdin=b""):
        return subprocess.run(["openssl", *arguments], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
                              cwd=self.directory).stdout

    def key(self, algorithm, *options):
        """A private key in PEM, PKCS #8."""
        return self.openssl("genpkey", "-algorithm", algorithm, *(word for option in options for word in ("-pkeyopt", option)))

    def curve(self, name, *options):
        return self.key("EC", "ec_paramgen_curve:" + name, *options)

    def public(self, key, form="PEM"):
        return self.openssl("pkey", "-pubout", "-outform", form, stdin=key)

    def der(self, key):
        return self.openssl("pkcs8", "-topk8", "-nocrypt", "-outform", "DER", stdin=key)

    def write(self, name, content):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def signed(self, key, text, digest="sha256"):
        return self.openssl("dgst", "-" + digest, "-sign", self.write("key", key), self.write("text", text))

    def judge(self, key, signature, text):
        self.openssl("dgst", "-sha256", "-verify", self.write("public", self.public(key)), "-signature",
                     self.write("signature", signature), self.write("text", text))

    def answers(self, calls):
        """(status, result's fields) of each call, in a proxy that is tested."""
        module = guests.assemble(self.directory, f"caller{len(self.programs)}", caller(calls))
        made = config.bootstrap([config.cluster("origin")])
        made["bootstrap_extensions"] = [config.wasm_service(module, singleton=True)]
        proxy = self.start_proxy(made)
        told = dict(re.findall(r"answer (\w\w) (\w\w [0-9a-f]*)$", proxy.log(), re.M))
        self.assertEqual(len(told), len(calls))
        proxy.end()
        self.assertNotIn("PRIVATE KEY", proxy.log())
        return [(int(told[number][:2], 16), fields(bytes.fromhex(told[number][3:]))) for number in sorted(told)]

    def has_sign(self, answers):
        """Whether the proxy has it; where it has not, that is what it answered."""
        if self.since("1.37", new=True, old=False, why="the foreign function sign came with Envoy 1.37"):
            return True
        self.assertEqual({status for status, _ in answers}, {1}, "NotFound")
        return False

    def test_signatures_are_good(self):
        text = b"header.payload"
        keys = [self.key("RSA", "rsa_keygen_bits:2048"), self.curve("P-256"), self.curve("P-384")]
        answers = self.answers([("sign", to_sign(form, text)) for key in keys for form in (key, self.der(key))])
        if not self.has_sign(answers):
            return
        for key, answer in zip([key for key in keys for _ in range(2)], answers):
            self.assertEqual((answer[0], answer[1][1]), (0, 1))
            self.judge(key, answer[1][2], text)
        self.assertEqual(answers[0], answers[1], "a signature with RSA is always the same")

    def test_keys_that_do_not_sign(self):
        rsa, ec = self.key("RSA", "rsa_keygen_bits:1024"), self.curve("P-256")
        ed25519, secp256k1 = self.key("ED25519"), self.curve("secp256k1")
        encrypted = self.openssl("pkcs8", "-topk8", "-passout", "pass:word", stdin=rsa)
        pkcs1 = self.openssl("rsa", "-traditional", "-outform", "DER", stdin=rsa)
        cases = [(self.openssl("rsa", "-traditional", stdin=rsa), None), (self.openssl("ec", stdin=ec), None), (rsa + b"\n\0more", None),
                 (pkcs1, NO_KEY), (encrypted, NO_KEY), (self.public(rsa), NO_KEY), (self.public(ec, "DER"), NO_KEY),
                 (b"junk", NO_KEY), (b"-junk", NO_KEY), (secp256k1, NO_KEY), (self.der(secp256k1), NO_KEY),
                 (self.key("RSA-PSS", "rsa_keygen_bits:1024"), NO_KEY), (self.key("ED448"), NO_KEY),
                 (ed25519, OTHER_USE), (self.der(ed25519), OTHER_USE), (self.key("X25519"), OTHER_USE)]
        answers = self.answers([("sign", to_sign(key)) for key, _ in cases])
        if not self.has_sign(answers):
            return
        for (key, why), (status, result) in zip(cases, answers):
            with self.subTest(key[:60]):
                self.assertEqual((status, result.get(1), result.get(3, b"").decode() or None), (0, 1 if why is None else None, why))

    def test_arguments_that_do_not_sign(self):
        rsa = self.key("RSA", "rsa_keygen_bits:512")
        cases = [(to_sign(rsa, digest="SHA1"), None), (to_sign(rsa, b""), None), (to_sign(rsa, digest="md5"), "md5 is not supported."),
                 (to_sign(rsa, digest=""), " is not supported."), (to_sign(b"junk", digest="sha3"), "sha3 is not supported."),
                 (to_sign(rsa, digest="sha512"), "Failed to create signature.")]
        bad = [b"", b"\x0a", to_sign(b""), to_sign(rsa) + field(2, b"a second key"), to_sign(rsa + b"\xff"), field(1, b"\xff") + field(4, rsa)]
        answers = self.answers([("sign", argument) for argument, _ in cases] + [("sign", argument) for argument in bad])
        if not self.has_sign(answers):
            return
        for (_, why), (status, result) in zip(cases, answers):
            self.assertEqual((status, result.get(1), result.get(3, b"").decode() or None), (0, 1 if why is None else None, why))
        self.assertEqual([status for status, _ in answers[len(cases):]], [2] * len(bad), "BadArgument")

    def test_what_is_verified(self):
        rsa, ec = self.key("RSA", "rsa_keygen_bits:1024"), self.curve("P-256")
        good, better = self.signed(rsa, b"text"), self.signed(ec, b"text")
        cases = [(to_verify(self.public(rsa), good), None), (to_verify(self.public(rsa, "DER"), good), None),
                 (to_verify(b"-----\n" + self.public(ec) + b"and more", better), None), (to_verify(self.public(ec, "DER") + b"and", better), None),
                 (to_verify(self.public(rsa), good, b"other"), WRONG), (to_verify(self.public(ec), better, b"other"), WRONG),
                 (to_verify(self.public(rsa), good, digest="sha384"), WRONG), (to_verify(self.public(ec), better + b"x"), WRONG),
                 (to_verify(self.public(rsa), b""), WRONG), (to_verify(self.public(ec), b"short"), WRONG),
                 (to_verify(rsa, good), NO_VERIFY), (to_verify(self.der(rsa), good), NO_VERIFY), (to_verify(b"junk", good), NO_VERIFY),
                 (to_verify(self.openssl("rsa", "-RSAPublicKey_out", stdin=rsa), good), NO_VERIFY),
                 (to_verify(self.public(self.key("ED25519")), good), NO_VERIFY), (to_verify(self.public(self.curve("secp256k1")), good), NO_VERIFY),
                 (to_verify(self.public(self.curve("P-256", "ec_param_enc:explicit")), good), NO_VERIFY),
                 (to_verify(b"junk", good, digest="sha3"), "sha3 is not supported.")]
        bad = [to_verify(b"", good), to_verify(self.public(rsa), good) + field(2, b"a second key"), to_verify(self.public(rsa) + b"\xff", good)]
        answers = self.answers([("verify_signature", argument) for argument, _ in cases] +
                               [("verify_signature", argument) for argument in bad])
        if not self.since("1.37", new=True, old=False, why="before, verify_signature took a key in DER only, and any number of them"):
            self.assertEqual(answers[:2], [(0, {2: NO_VERIFY.encode()}), (0, {1: 1})])
            return
        for number, ((_, why), (status, result)) in enumerate(zip(cases, answers)):
            with self.subTest(number):
                self.assertEqual((status, result.get(1), result.get(2, b"").decode() or None), (0, 1 if why is None else None, why))
        self.assertEqual([status for status, _ in answers[len(cases):]], [2] * len(bad), "BadArgument")


if __name__ == "__main__":
    unittest.main()
