# SPDX-License-Identifier: Apache-2.0
"""A directory of files that change as kubelet changes those of a Secret: at one stroke."""

import itertools
import os
import shutil


class Mount:
    """`path` has a link for each file to ..data/NAME, and ..data leads to the directory that has them."""

    def __init__(self, path, **files):
        self.path = path
        self._numbers = itertools.count(1)
        os.mkdir(path)
        self.put(**files)
        for name in files:
            os.symlink(os.path.join("..data", name), self.file(name))

    def file(self, name):
        return os.path.join(self.path, name)

    def put(self, **files):
        """Writes them into a new directory and lets ..data lead there; the old one is deleted."""
        data, link = self.file("..data"), self.file("..data_tmp")
        fresh = f"..{next(self._numbers)}"
        os.mkdir(self.file(fresh))
        for name, content in files.items():
            with open(self.file(os.path.join(fresh, name)), "w") as file:
                file.write(content)
        old = os.readlink(data) if os.path.islink(data) else None
        os.symlink(fresh, link)
        os.replace(link, data)
        if old:
            shutil.rmtree(self.file(old))
