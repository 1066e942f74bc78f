"""What is found in a folder."""

from __future__ import annotations

import os

import pytest

import hashkit


class TestFolders:
    def names(self, folder):
        return [path.relative_to(folder).as_posix() for path in hashkit.files_in(folder)]

    def test_everything_but_the_hidden(self, tmp_path):
        for name in ("b.jpg", "a.txt", ".hidden.jpg", "sub/c.png", ".git/d.jpg", "sub/.e"):
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.touch()
        assert self.names(tmp_path) == ["a.txt", "b.jpg", "sub/c.png"]

    def test_placeholders_of_pictures_in_a_cloud(self, tmp_path):
        wanted = [".IMG_1.HEIC.icloud", ".clip.mov-tef.icloud", ".noending.icloud", "a.jpg.cloud"]
        others = [".notes.txt.icloud", ".icloud", ".IMG_1.HEIC", ".jpg", ".git/.b.jpg.icloud"]
        (tmp_path / ".git").mkdir()
        for name in (*wanted, *others):
            (tmp_path / name).touch()
        assert self.names(tmp_path) == wanted

    @pytest.mark.skipif(os.name != "posix", reason="needs links and pipes")
    def test_links_and_pipes(self, tmp_path):
        (tmp_path / "a.jpg").touch()
        (tmp_path / "link.jpg").symlink_to("a.jpg")
        (tmp_path / "loop.jpg").symlink_to("loop.jpg")
        (tmp_path / "again").symlink_to(tmp_path)
        os.mkfifo(tmp_path / "pipe.jpg")
        assert self.names(tmp_path) == ["a.jpg", "link.jpg", "loop.jpg"]
