"""YAML that a person wrote is plain data; what could hide or explode is refused in one line."""

import pytest

from analysis import plain_yaml


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "file.yml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_plain_data_arrive_as_they_are(write):
    assert plain_yaml.read_yaml(write("a: [1, 2.5]\nb: {c: text}\nd:\n")) == {
        "a": [1, 2.5],
        "b": {"c": "text"},
        "d": None,
    }
    assert plain_yaml.read_yaml(write("")) is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "the key 'a' stands twice"),
        ("x:\n  a: 1\n  a: 1\n", "the key 'a' stands twice"),
        ("a: &x [1]\nb: *x\n", "aliases are not allowed"),
        ("a: &x [*x]\n", "aliases are not allowed"),
        ("a: !!python/object/apply:os.getcwd []\n", "must be YAML: could not determine a constructor"),
        ("a: [1, 2\n", "must be YAML"),
        ("a: 2024-13-45\n", "must be YAML"),
        (b"a: \xff\n", "must be YAML"),
        ("[" * 5000, "nests too deeply"),
    ],
)
def test_anything_else_is_refused_in_one_line(write, content, message):
    with pytest.raises(ValueError, match=message) as error:
        plain_yaml.read_yaml(write(content))
    assert "\n" not in str(error.value)


def test_large_files_and_absent_ones(write, tmp_path, monkeypatch):
    monkeypatch.setattr(plain_yaml, "_LARGEST", 5)
    with pytest.raises(ValueError, match="at most 5 bytes, got 6"):
        plain_yaml.read_yaml(write("a: 123"))
    with pytest.raises(OSError, match="absent"):
        plain_yaml.read_yaml(tmp_path / "absent.yml")
