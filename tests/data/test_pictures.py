"""Pictures of any kind: read as they look, labelled as the folder says, refused by name."""

import io
import os
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from analysis.data import decoding, npz
from analysis.data.pictures import NAMED, open_pictures

RED = (200, 30, 60)


def picture(path, pixels=None, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((6, 8, 3), RED, np.uint8) if pixels is None else pixels
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path, **options)
    return path


# ---------------------------------------------------------------------------------------------------------------------
# One picture


@pytest.mark.parametrize("suffix", ["png", "PNG", "jpg", "JPEG", "webp", "bmp", "tif", "tiff"])
def test_every_format_is_read(tmp_path, suffix):
    found = decoding.decode(picture(tmp_path / f"a.{suffix}"))
    assert (found.dtype, found.shape) == (np.uint8, (6, 8, 3))
    np.testing.assert_allclose(found, np.broadcast_to(RED, (6, 8, 3)), atol=6)  # JPEG and WebP lose a little


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("L", (4, 3), 90), (90, 90, 90)),
        (Image.new("1", (4, 3), 1), (255, 255, 255)),
        (Image.fromarray(np.full((3, 4), 257 * 90, np.uint16)), (90, 90, 90)),
        (Image.fromarray(np.full((3, 4), 65535, np.uint16)), (255, 255, 255)),
        (Image.new("RGBA", (4, 3), (*RED, 0)), (255, 255, 255)),
        (Image.new("RGBA", (4, 3), (*RED, 255)), RED),
        (Image.new("RGBA", (4, 3), (0, 0, 0, 128)), (127, 127, 127)),
        (Image.new("LA", (4, 3), (10, 255)), (10, 10, 10)),
        (Image.new("RGB", (4, 3), RED).quantize(), RED),
    ],
    ids=["grey", "bits", "16-bit", "16-bit white", "clear", "opaque", "half", "grey with alpha", "palette"],
)
def test_every_mode_becomes_rgb(tmp_path, image, expected):
    found = decoding.decode(picture(tmp_path / "a.png", image))
    np.testing.assert_array_equal(found, np.broadcast_to(expected, (3, 4, 3)).astype(np.uint8))


def test_cmyk_becomes_rgb(tmp_path):
    found = decoding.decode(picture(tmp_path / "a.tif", Image.new("CMYK", (4, 3), (0, 255, 255, 0))))
    np.testing.assert_array_equal(found[0, 0], (255, 0, 0))
    jpeg = decoding.decode(picture(tmp_path / "a.jpg", Image.new("CMYK", (16, 16), (0, 255, 255, 0))))
    assert jpeg[8, 8, 0] > 200 > 60 > jpeg[8, 8, 1]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_exif_says(tmp_path, orientation):
    upright = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10
    inverse = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[orientation]
    operations = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # PIL's transpositions for each orientation
    image = Image.fromarray(upright)
    stored = image if orientation == 1 else image.transpose(Image.Transpose(operations[inverse]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = decoding.decode(picture(tmp_path / "a.png", stored, exif=exif))
    np.testing.assert_array_equal(found[..., 0], upright)


def encoded(format_="PNG", size=(64, 64)):
    noise = np.random.default_rng(0).integers(0, 255, (*size, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, format_)
    return buffer.getvalue()


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_a_truncated_picture_is_named_in_one_sentence(tmp_path, format_, share):
    content = encoded(format_)
    path = tmp_path / f"cut.{format_.lower()}"
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"^Picture '.*cut\..*' (is|cannot).*\.$") as caught:
        decoding.decode(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"hello", b"GIF89a" + bytes(50), b"\x89PNG\r\n\x1a\n", b"%PDF-1.4"])
def test_a_foreign_file_is_named_in_one_sentence(tmp_path, content):
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    for read in (decoding.decode, decoding.check):
        with pytest.raises(ValueError, match=r"Picture '.*photo.jpg' is no JPEG, PNG, WebP, BMP or TIFF file"):
            read(path)


def test_a_picture_of_unknown_white_and_one_too_large_are_refused(tmp_path, monkeypatch):
    floats = picture(tmp_path / "floats.tif", Image.fromarray(np.zeros((3, 4), np.float32)))
    with pytest.raises(ValueError, match="floating-point numbers"):
        decoding.decode(floats)
    monkeypatch.setattr(decoding, "MAX_PIXELS", 40)
    with pytest.raises(ValueError, match="at most 40 pixels"):
        decoding.check(picture(tmp_path / "large.png"))


def test_a_decompression_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "bomb.png"
    Image.new("1", (30_000, 30_000)).save(path)
    assert path.stat().st_size < 1e6
    tracemalloc.start()
    with pytest.raises(ValueError, match="at most 89,478,485 pixels"):
        decoding.decode(path)
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


# ---------------------------------------------------------------------------------------------------------------------
# Folders


@pytest.fixture
def folder(tmp_path):
    for name, grey in {"cat/b.png": 10, "cat/a.jpg": 20, "dog/c.webp": 30}.items():
        picture(tmp_path / name, np.full((5, 7, 3), grey, np.uint8))
    return tmp_path


def test_subfolders_are_the_labels(folder):
    pictures = open_pictures(folder)
    assert pictures.ids == ("cat/a.jpg", "cat/b.png", "dog/c.webp")
    assert (pictures.categories, pictures.labels.tolist()) == (("cat", "dog"), [0, 0, 1])
    assert [int(pixels[0, 0, 0]) for pixels in pictures.read([2, 0])] == [30, 20]


def test_a_table_of_labels_goes_before_subfolders(folder):
    (folder / "labels.csv").write_text("stimulus,label,note\ndog/c.webp,b,x\ncat/a.jpg,a,\ncat/b.png, b,y\n")
    pictures = open_pictures(folder)
    assert (pictures.categories, pictures.labels.tolist()) == (("a", "b"), [0, 1, 1])


def test_pictures_without_labels(tmp_path):
    picture(tmp_path / "b.png"), picture(tmp_path / "a.png")
    pictures = open_pictures(str(tmp_path))
    assert (pictures.ids, pictures.labels, pictures.categories) == (("a.png", "b.png"), None, None)


def test_files_that_are_no_pictures_are_counted(folder):
    (folder / "cat" / "notes.txt").write_text("x")
    (folder / ".DS_Store").write_text("x")
    pictures = open_pictures(folder)
    assert (len(pictures), pictures.left_out) == (3, {"files that are no pictures": 1})


def test_a_link_that_leads_back_ends(folder):
    os.symlink(folder, folder / "cat" / "back")
    assert len(open_pictures(folder)) == 3


TABLES = [
    ("stimulus,label\ncat/a.jpg,a\ncat/b.png,b\n", "label for every picture, got 1 against it, the first 'dog/c.webp'"),
    ("stimulus,label\ncat/a.jpg,a\ncat/b.png,b\ndog/c.webp,\n", "label for every picture, got 1"),
    ("stimulus,label\ncat/a.jpg,a\ncat/a.jpg,b\n", "each picture once, got 1 against it, the first 'cat/a.jpg'"),
    ("stimulus,label\nx.png,a\n", "pictures of the folder, got 1 against it, the first 'x.png'"),
    ("image,class\nx.png,a\n", "columns 'stimulus' and 'label', got image, class"),
    ("", "columns 'stimulus' and 'label', got none"),
    (b"stimulus,label\n\xff\xfe,a\n", "could not be read"),
]


@pytest.mark.parametrize(("content", "message"), TABLES)
def test_a_wrong_table_of_labels_is_refused_by_name(folder, content, message):
    (folder / "labels.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=message):
        open_pictures(folder)


def test_folders_without_pictures_and_mixed_ones_are_refused(folder, tmp_path_factory):
    empty = tmp_path_factory.mktemp("empty")
    (empty / "notes.txt").write_text("x")
    with pytest.raises(ValueError, match="must hold pictures, got no JPEG.* among 1 files"):
        open_pictures(empty)
    picture(folder / "loose.png")
    with pytest.raises(ValueError, match="all of its pictures in subfolders.*'cat/a.jpg' and 'loose.png'"):
        open_pictures(folder)
    with pytest.raises(FileNotFoundError, match="'images' must be one of 'digits'.*there is no"):
        open_pictures(folder / "nowhere")


def test_check_names_the_first_that_is_no_picture(folder):
    open_pictures(folder).check()
    (folder / "dog" / "c.webp").write_bytes(b"text")
    with pytest.raises(ValueError, match=r"dog/c.webp' is no JPEG"):
        open_pictures(folder).check()


def test_the_hash_tells_content_names_order_and_labels_apart(folder):
    pictures = open_pictures(folder)
    hashes = {pictures.sha256(), pictures.subset([1, 0, 2]).sha256(), pictures.subset([0, 1]).sha256()}
    (folder / "labels.csv").write_text("stimulus,label\ndog/c.webp,b\ncat/a.jpg,a\ncat/b.png,b\n")
    hashes.add(open_pictures(folder).sha256())
    picture(folder / "cat" / "a.jpg")
    hashes.add(open_pictures(folder).sha256())
    assert len(hashes) == 5


def test_a_subset_keeps_ids_labels_and_pictures(folder):
    part = open_pictures(folder).subset([2, 0]).subset([1])
    assert (part.ids, part.labels.tolist(), part.categories) == (("cat/a.jpg",), [0], ("cat", "dog"))
    assert int(part.read([0])[0][0, 0, 0]) == 20


# ---------------------------------------------------------------------------------------------------------------------
# Arrays


def saved(path, **arrays):
    np.savez_compressed(path, **arrays)
    return path


@pytest.mark.parametrize("shape", [(6, 5, 4), (6, 5, 4, 3), (6, 3, 5, 4), (6, 1, 5, 4), (6, 5, 4, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, ">u2", np.float32, np.float64])
def test_arrays_of_every_layout_and_type(tmp_path, shape, dtype):
    values = np.random.default_rng(0).integers(0, 256, shape)
    factor = {"f": 1 / 255, "u": 257 if np.dtype(dtype).itemsize == 2 else 1}[np.dtype(dtype).kind]
    pictures = open_pictures(saved(tmp_path / "x.npz", x=(values * factor).astype(dtype)))
    last = values[..., None] if values.ndim == 3 else values if shape[-1] in (1, 3) else values.transpose(0, 2, 3, 1)
    expected = np.broadcast_to(last, (6, 5, 4, 3))
    np.testing.assert_array_equal(np.stack(pictures.read(slice(None))), expected)
    np.testing.assert_array_equal(np.stack(pictures.read([4, 1, 4])), expected[[4, 1, 4]])
    assert pictures.labels is None


def test_ids_of_arrays_belong_to_their_file_alone(tmp_path):
    one = open_pictures(saved(tmp_path / "a.npz", x=np.zeros((3, 4, 4), np.uint8), y=np.array([5, 2, 5])))
    two = open_pictures(saved(tmp_path / "b.npz", x=np.ones((3, 4, 4), np.uint8), y=np.array(["b", "a", "b"])))
    assert not set(one.ids) & set(two.ids)
    assert (one.categories, one.labels.tolist()) == (("2", "5"), [1, 0, 1])
    assert (two.categories, two.labels.tolist()) == (("a", "b"), [1, 0, 1])


WRONG_ARRAYS = [
    ({"y": np.arange(3)}, "must hold the array 'x', got y"),
    ({"x": np.zeros((3, 4), np.uint8)}, "'x' of .* must have shape"),
    ({"x": np.zeros((0, 4, 4), np.uint8)}, "without a 0, got"),
    ({"x": np.zeros((3, 4, 4, 2), np.uint8)}, "must have shape"),
    ({"x": np.zeros((3, 4, 4), np.int64)}, "must be uint8, uint16 or floats"),
    ({"x": np.zeros((3, 4, 4), complex)}, "must be uint8, uint16 or floats"),
    ({"x": np.zeros((3, 4, 4), object)}, "plain array, got objects"),
    ({"x": np.zeros((4, 4, 3), np.uint8).T}, "stored row by row"),
    ({"x": np.zeros((3, 4, 4), np.uint8), "y": np.arange(2)}, "one label for each of 3 pictures"),
    ({"x": np.zeros((3, 4, 4), np.uint8), "y": np.array([0, -1, 2])}, "integers from 0 or texts, got -1"),
    ({"x": np.zeros((3, 4, 4), np.uint8), "y": np.zeros(3)}, "integers from 0 or texts, got float64"),
]


@pytest.mark.parametrize(("arrays", "message"), WRONG_ARRAYS)
def test_wrong_arrays_are_refused_by_name(tmp_path, arrays, message):
    path = tmp_path / "x.npz"
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=message):
        open_pictures(path)


@pytest.mark.parametrize("value", [-0.1, 1.5, np.nan])
def test_floats_out_of_range_are_refused_where_they_are(tmp_path, value):
    x = np.zeros((3, 4, 4))
    x[2, 1, 1] = value
    pictures = open_pictures(saved(tmp_path / "x.npz", x=x))
    assert len(pictures.read([0, 1])) == 2
    with pytest.raises(ValueError, match=r"must be finite and in \[0, 1\], got .* in picture 2"):
        pictures.read([2])


def test_every_damaged_file_is_one_sentence(tmp_path):
    whole = saved(tmp_path / "x.npz", x=np.random.default_rng(0).integers(0, 9, (3, 9, 9), np.uint8)).read_bytes()
    rng, path, refusals = np.random.default_rng(1), tmp_path / "y.npz", []
    for trial in range(150):
        content = bytearray(whole[: rng.integers(1, len(whole))] if trial % 3 == 0 else whole)
        content[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
        path.write_bytes(content)
        try:
            open_pictures(path).read(slice(None))
        except ValueError as error:
            refusals.append(str(error))
    assert len(refusals) > 100
    assert all("y.npz" in sentence for sentence in refusals)


def test_a_read_that_failed_does_not_shift_the_next_one(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (40, 30, 30), np.uint8)
    path = tmp_path / "x.npz"
    np.savez(path, x=x)  # not compressed, so that a file cut short can still be read to there
    pictures, content = open_pictures(path), path.read_bytes()
    np.testing.assert_array_equal(pictures.read([3])[0][..., 0], x[3])
    path.write_bytes(content[:20_000])
    with pytest.raises(ValueError, match="could not be read"):
        pictures.read([0, 35])
    path.write_bytes(content)
    np.testing.assert_array_equal(pictures.read([36])[0][..., 0], x[36])


def test_an_archive_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    path = saved(tmp_path / "x.npz", x=np.zeros((40, 500, 500), np.uint8))
    monkeypatch.setattr(npz, "MAX_BYTES", 9_000_000)
    tracemalloc.start()
    with pytest.raises(ValueError, match="must unpack to at most .* more pictures go into a folder"):
        open_pictures(path)
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


def test_no_more_than_a_batch_is_in_memory(tmp_path):
    path = saved(tmp_path / "x.npz", x=np.zeros((400, 100, 100, 3), np.uint8))
    tracemalloc.start()
    assert sum(len(batch) for batch in open_pictures(path).batches(8)) == 400
    assert tracemalloc.get_traced_memory()[1] < 3 * 8 * 30_000 + 1e6 < 400 * 30_000
    tracemalloc.stop()


# ---------------------------------------------------------------------------------------------------------------------
# Named sets


def test_digits_are_the_digits():
    from sklearn.datasets import load_digits

    pictures, digits = open_pictures("digits"), load_digits()
    np.testing.assert_allclose(np.stack(pictures.read(slice(None)))[..., 1] / 255, digits.images / 16, atol=0.5 / 255)
    np.testing.assert_array_equal(pictures.labels, digits.target)


@pytest.mark.public_data
def test_the_named_sets_of_the_public_files():
    if not os.environ.get("ANALYSIS_DATA"):
        pytest.skip("ANALYSIS_DATA is not set")
    sets = {name: open_pictures(name) for name in NAMED}
    assert {name: len(pictures) for name, pictures in sets.items()} == {
        "digits": 1797, "mnist": 70_000, "cifar10": 10_000, "imagenet_sample": 500,
    }  # fmt: skip
    sample = sets["imagenet_sample"]
    for name, label in zip(sample.ids, sample.labels, strict=True):
        word = name.split("_", 1)[1].removesuffix(".JPEG").replace("_", " ").lower()
        assert word in sample.categories[label].lower()
    assert {pixels.ndim for pixels in sample.read([0, 30, 250])} == {3}
