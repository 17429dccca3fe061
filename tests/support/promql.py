# SPDX-License-Identifier: Apache-2.0
"""Enough of PromQL to say that an expression is made of its words, and which metrics it names."""

import re

TOKENS = re.compile(r"""\s*(?:
    (?P<string>"(?:[^"\\]|\\.)*")
  | (?P<range>\[\d+(?:ms|[smhdwy])(?::(?:\d+(?:ms|[smhdwy]))?)?\])
  | (?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)(?![\w.])
  | (?P<word>[a-zA-Z_:][\w:]*)
  | (?P<sign>=~|!~|!=|==|<=|>=|[-+*/%^<>=(){},])
)""", re.X)
FUNCTIONS = {"rate", "increase", "sum", "min", "max", "count", "avg", "vector", "time"}
AGGREGATIONS = {"sum", "min", "max", "count", "avg"}
LABEL_LISTS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
OPERATORS = {"and", "or", "unless", "bool", "offset"}
CLOSING = {"(": ")", "{": "}"}


def tokens(expression):
    """(kind, text) of each; ValueError where there is none."""
    at, found = 0, []
    while expression[at:].strip():
        match = TOKENS.match(expression, at)
        if match is None:
            raise ValueError(f"no token at {at}: {expression[at:at + 20]!r}")
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


def metrics(expression):
    """The metrics that an expression names; ValueError if brackets do not match or a word is none of PromQL's."""
    open_brackets, named = [], set()
    words = [*tokens(expression), ("end", "")]
    for (_, before), (kind, text), (_, after) in zip([("begin", ""), *words], words, words[1:]):
        inside = open_brackets[-1] if open_brackets else ("", "")
        if text in CLOSING:
            open_brackets.append((CLOSING[text], before))
        elif text in CLOSING.values():
            if inside[0] != text:
                raise ValueError(f"a {text} that closes nothing: {expression}")
            open_brackets.pop()
        elif kind == "word" and inside[0] == "}":
            if after not in ("=", "=~", "!=", "!~"):
                raise ValueError(f"{text} is compared with nothing: {expression}")
        elif kind == "word" and inside[1] in LABEL_LISTS:
            pass
        elif kind == "word" and (text in LABEL_LISTS or text in OPERATORS):
            pass
        elif kind == "word" and (after == "(" or text in AGGREGATIONS and after in LABEL_LISTS):
            if text not in FUNCTIONS:
                raise ValueError(f"{text} is no function: {expression}")
        elif kind == "word":
            named.add(text)
    if open_brackets:
        raise ValueError(f"{open_brackets[-1][0]} is missing: {expression}")
    return named
