# SPDX-License-Identifier: Apache-2.0
"""The recipes of docs/recipes as data: configurations, the clusters that they name, and the conversations that they show."""

import json
import os
import re

from .processes import ROOT

HOME = os.path.join(ROOT, "docs", "recipes")
INDEX = "README.md"


def pages():
    return sorted(name for name in os.listdir(HOME) if name != INDEX)


def read(page):
    with open(os.path.join(HOME, page)) as file:
        return file.read()


def blocks(page):
    """(line, text) of each indented block."""
    text = read(page)
    found = re.finditer(r"(?<=\n\n)(?:    .*\n)+", text)
    return [(text.count("\n", 0, match.start()) + 1, re.sub(r"^    ", "", match[0], flags=re.M)) for match in found]


def clusters(page):
    """The text of each cluster of a page by its name, as an element of a list in YAML."""
    found = {}
    for _, block in blocks(page):
        if block.startswith("clusters:\n"):
            for item in re.split(r"^(?=- name: )", block.partition("\n")[2], flags=re.M)[1:]:
                found[re.match(r"- name: (\S+)", item)[1]] = item
    return found


def listeners(page):
    """The text of the first listener of a page, as an element of a list in YAML."""
    return next(block.partition("\n")[2] for _, block in blocks(page) if block.startswith("listeners:\n"))


class Exchange:
    """What is sent, a pattern in which `...` stands for anything, what is answered, and what comes of it."""

    def __init__(self, block):
        by_mark = {mark: [line[2:] for line in block.splitlines() if line[0] == mark] for mark in "><=!"}
        head, _, self.body = "\n".join(by_mark[">"]).partition("\n\n")
        lines = head.split("\n")
        self.request, self.headers = lines[0], dict(line.split(": ", 1) for line in lines[1:])
        self.status, self.answer = int(by_mark["<"][0]), "\n".join(by_mark["<"][1:])
        self.result = dict(line.split(": ", 1) for line in by_mark["="])
        self.log = "\n".join(by_mark["!"])

    @staticmethod
    def fits(pattern, text):
        return re.fullmatch(".*".join(map(re.escape, pattern.split("..."))), text, re.S) is not None


class Recipe:
    """A configuration, with the conversations that follow it on its page and the errors, which have no request of their own."""

    def __init__(self, page, line, text):
        self.place, self.page, self.text = f"{page}:{line}", page, text
        self.configuration = json.loads(text)
        self.sources = self.configuration["sources"]
        self.exchanges, self.errors = [], []

    def clusters(self):
        """The text of each cluster that the sources name, from the page, the index, or the page that has it."""
        known = {}
        for page in (*pages(), INDEX, self.page):
            known.update(clusters(page))
        return {source["cluster"]: known[source["cluster"]] for source in self.sources}


def recipes():
    found = []
    for page in pages():
        for line, block in blocks(page):
            if block.startswith('{"sources"'):
                found.append(Recipe(page, line, block))
            elif block.startswith("> "):
                found[-1].exchanges.append(Exchange(block))
            elif block.startswith("< "):
                found[-1].errors.append(Exchange(block))
    return found
