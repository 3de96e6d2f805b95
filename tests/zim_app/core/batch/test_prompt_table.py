from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from zim_app.core.batch.prompt_table import PromptTable, RelativeBox, read_table
from zim_model.errors import ZimError
from zim_model.finish import Finish
from zim_model.prompts import Box, Point
from zim_model.recipe import Recipe


def csv_table(folder: Path, text: str, name: str = "prompts.csv") -> PromptTable:
    path = folder / name
    path.write_text(text, "utf-8")
    return read_table(path)


def json_table(folder: Path, data: Any) -> PromptTable:
    path = folder / "prompts.json"
    path.write_text(json.dumps(data), "utf-8")
    return read_table(path)


def recipes(table: PromptTable, image: str) -> dict[str, Recipe]:
    entry = table.entry(image, unique=True)
    assert entry is not None
    work = entry.stack(100, 200, Recipe(model="some-model"))
    return {each.name: each.recipe for each in work.objects}


def test_a_region_is_read(tmp_path: Path) -> None:
    path = [[0.25, 0.5], [0.5, 0.5], [0.5, 1.0]]
    loop = {"positive": 1, "path": path, "region": 1}
    data = [{"image": "a.png", "scribbles": [loop], "units": "fraction"}]
    (recipe,) = recipes(json_table(tmp_path, data), "a.png").values()
    (scribble,) = recipe.prompts.scribbles
    assert scribble.region
    assert scribble.path[1] == (100, 50)


def test_rows_of_a_csv_add_up_to_objects(tmp_path: Path) -> None:
    table = csv_table(
        tmp_path,
        "image,object,x,y,label,left,top,right,bottom\n"
        "a.png,cat,10,20,,,,,\n"
        "a.png,cat,30,40,0,50,60,5,6\n"
        "a.png,dog,1,2,1,,,,\n"
        "b.png,,3,4,,,,,\n",
    )
    by_name = recipes(table, "a.png")
    assert by_name["cat"].prompts.points == (Point(10, 20), Point(30, 40, False))
    assert by_name["cat"].prompts.box == Box(5, 6, 50, 60)
    assert by_name["dog"].prompts.points == (Point(1, 2),)
    assert by_name["dog"].model == "some-model"
    assert recipes(table, "b.png")[""].prompts.points == (Point(3, 4),)


def test_csv_of_a_german_spreadsheet(tmp_path: Path) -> None:
    text = "\ufeffImage;X;Y;Units\r\na.png;0.5;1;fraction\r\n"
    [point] = recipes(csv_table(tmp_path, text), "a.png")[""].prompts.points
    assert point.x == 100
    assert 99.9 < point.y < 100  # the far edge is inside


def test_json_takes_prompts_and_whole_recipes(tmp_path: Path) -> None:
    recipe = Recipe(model="other").with_point(Point(1, 2)).with_finish(feather=3.0)
    data = [
        {"image": "x/a.png", "objects": [{"name": "cat", "recipe": recipe.to_json()}]},
        {"image": "b.png", "points": [[5, 6], [7, 8, 0]], "box": [1, 2, 30, 40]},
    ]
    table = json_table(tmp_path, data)
    assert recipes(table, "x/a.png") == {"cat": recipe}
    prompts = recipes(table, "b.png")[""].prompts
    assert prompts.points == (Point(5, 6), Point(7, 8, False))
    assert prompts.box == Box(1, 2, 30, 40)
    assert recipes(table, "b.png")[""].finish == Finish()
    by_name = json_table(tmp_path, {"b.png": {"box": [1, 2, 30, 40]}})
    assert recipes(by_name, "b.png")[""].prompts.box == Box(1, 2, 30, 40)


def test_a_name_alone_does_for_an_image_that_is_the_only_one(tmp_path: Path) -> None:
    table = csv_table(tmp_path, "image,x,y\na.png,1,2\n")
    assert table.entry("x/a.png", unique=True) is not None
    assert table.entry("x/a.png", unique=False) is None


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("a.png,,ten,20,,,,,", "line 2: x is 'ten'"),
        ("a.png,,10,,,,,,", "line 2: y is ''"),
        ("a.png,,nan,1,,,,,", "line 2: x is 'nan'"),
        ("a.png,,10,20,2,,,,", "label is '2'"),
        ("a.png,,,,,1,2,3,", "bottom is ''"),
        ("a.png,cat,,,,,,,", "neither a point nor a box"),
        ("a.png,,1,2,,,,,,,,", "more values than columns"),
        ("a.png,,,,,1,2,3,4\na.png,,,,,1,2,3,4", "line 3: the object has two boxes"),
    ],
)
def test_a_malformed_row_spoils_its_image_only(
    tmp_path: Path, row: str, problem: str
) -> None:
    columns = "image,object,x,y,label,left,top,right,bottom\n"
    table = csv_table(tmp_path, f"{columns}{row}\nb.png,,3,4,,,,,\n")
    assert recipes(table, "b.png")
    with pytest.raises(ZimError, match=problem):
        recipes(table, "a.png")


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"image": "a.png"}, "no prompts"),
        ({"image": "a.png", "points": [["x", 1]]}, "cannot be read"),
        ({"image": "a.png", "objects": []}, "no list with anything"),
        ({"image": "a.png", "objects": [3]}, "malformed"),
        ({"image": "a.png", "recipe": {"version": 99}}, "version 99"),
        ({"image": "a.png", "box": [1, 2, 3, 4], "units": "inches"}, "inches"),
    ],
)
def test_a_malformed_entry_spoils_its_image_only(
    tmp_path: Path, entry: dict[str, Any], problem: str
) -> None:
    table = json_table(tmp_path, [entry, {"image": "b.png", "points": [[1, 2]]}])
    assert recipes(table, "b.png")
    with pytest.raises(ZimError, match=problem):
        recipes(table, "a.png")


def test_an_image_that_comes_twice_is_a_problem(tmp_path: Path) -> None:
    entry = {"image": "a.png", "points": [[1, 2]]}
    table = json_table(tmp_path, [entry, entry])
    with pytest.raises(ZimError, match="was there before"):
        recipes(table, "a.png")


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("p.json", b"{", "no JSON file"),
        ("p.json", b"[NaN]", "no JSON file"),
        ("p.json", b"3", "neither a list"),
        ("p.json", b"[]", "no prompts in it"),
        ("p.csv", b"", "no image column"),
        ("p.csv", b"image,x,y,x,y\na.png,3,4,5,6\n", "the column 'x' twice"),
        ("p.csv", b"image,radius\na.png,3\n", "unknown column 'radius'"),
        ("p.csv", b"\xff\xfe\x00", "UTF-8"),
    ],
)
def test_a_file_of_another_kind_is_refused(
    tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ZimError, match=problem):
        read_table(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ZimError, match=r"nowhere.csv cannot be read"):
        read_table(tmp_path / "nowhere.csv")


@pytest.mark.parametrize("edges", [(0, 0, 1, 1.2), (0.5, 0, 0.5, 1), (0, 1, 1, 0)])
def test_a_relative_box_is_a_part_of_the_image(edges: tuple[float, ...]) -> None:
    with pytest.raises(ZimError, match="relative box"):
        RelativeBox(*edges)
    assert RelativeBox(0.25, 0, 1, 0.5).to_pixels(100, 200) == Box(50, 0, 200, 50)


# --- As people and other programs write tables ----------------------------------------


@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize("number", ["200,5", "200.5"])
def test_decimal_commas_are_read_where_commas_separate_no_columns(
    tmp_path: Path, delimiter: str, number: str
) -> None:
    rows = (("image", "x", "y", "label"), ("a, b.png", number, "12,25", "0,0"))
    text = "\n".join(map(delimiter.join, rows))
    [point] = recipes(csv_table(tmp_path, text), "a, b.png")[""].prompts.points
    assert point == Point(200.5, 12.25, False)


def test_boxes_may_have_decimal_commas(tmp_path: Path) -> None:
    text = "image;left;top;right;bottom\na.png;1,5;2;30,25;40\n"
    box = recipes(csv_table(tmp_path, text), "a.png")[""].prompts.box
    assert box == Box(1.5, 2, 30.25, 40)


@pytest.mark.parametrize("number", ["1.234,5", "1,234,5", "1 234", "1_000"])
def test_group_separators_are_no_numbers(tmp_path: Path, number: str) -> None:
    table = csv_table(tmp_path, f"image;x;y\na.png;{number};5\n")
    with pytest.raises(ZimError, match="which is no number"):
        recipes(table, "a.png")


@pytest.mark.parametrize(("label", "positive"), [("1.0", True), ("0.0", False)])
def test_labels_of_pandas(tmp_path: Path, label: str, positive: bool) -> None:
    table = csv_table(tmp_path, f"image,x,y,label\na.png,10.0,20.0,{label}\n")
    assert recipes(table, "a.png")[""].prompts.points == (Point(10, 20, positive),)


@pytest.mark.parametrize(
    "text",
    [
        ",image,x,y,label\n0,a.png,10.0,20.0,1.0\n1,b.png,5.0,6.0,\n",  # pandas
        "sep=;\nimage;x;y\na.png;10,0;20\n",  # Excel
        "image;x;y;;\na.png;10;20;;\n",
        "IMAGE\tX\tY\r\na.png\t10\t20\r\n",
    ],
)
def test_tables_as_programs_write_them(tmp_path: Path, text: str) -> None:
    table = csv_table(tmp_path, text)
    assert recipes(table, "a.png")[""].prompts.points == (Point(10, 20),)


def test_lines_are_counted_from_the_top_of_the_file(tmp_path: Path) -> None:
    table = csv_table(tmp_path, "sep=;\nimage;x;y\na.png;ten;20\n")
    with pytest.raises(ZimError, match="line 3: x is 'ten'"):
        recipes(table, "a.png")


@pytest.mark.parametrize(
    "text",
    [
        "image,left,top,right,bottom\na.png,0.25,0.16,0.75,0.67\n",
        "image,x,y\na.png,0.5,0.5\n",
        "image,x,y,label\na.png,0.5,0.5,1\na.png,0.1,1,0\n",
    ],
)
def test_fractions_without_their_units_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ZimError, match="pixels are meant"):
        recipes(csv_table(tmp_path, text), "a.png")
    header, *rows = text.splitlines()
    lines = [f"{header},units", *(f"{row},fraction" for row in rows)]
    assert recipes(csv_table(tmp_path, "\n".join(lines)), "a.png")


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"point_coords": [[1, 2]], "box": [0, 0, 9, 9]}, "'point_coords'; allowed"),
        ({"bbox": [0, 0, 9, 9], "points": [[1, 2]]}, "'bbox'; allowed are"),
        ({"objects": [{"box": [0, 0, 9, 9], "labels": [1]}]}, "'labels'; allowed are"),
        ({"objects": [{"box": [0, 0, 9, 9]}], "points": [[1, 2]]}, "'points'; allowed"),
        ({"recipe": Recipe().to_json(), "points": [[1, 2]]}, "object with a recipe"),
        (
            {"recipe": Recipe().to_json() | {"prompts": {"point_coords": [[1, 2]]}}},
            "recipe's prompts has the key 'point_coords'",
        ),
        (
            {"scribbles": [{"path": [[1, 2]], "positive": 1, "width": 3}]},
            "a scribble has the key 'width'",
        ),
    ],
)
def test_keys_that_would_be_dropped_are_refused(
    tmp_path: Path, entry: dict[str, Any], problem: str
) -> None:
    data = [{"image": "a.png", **entry}, {"image": "b.png", "points": [[10, 2]]}]
    table = json_table(tmp_path, data)
    assert recipes(table, "b.png")
    with pytest.raises(ZimError, match=problem):
        recipes(table, "a.png")


def test_keys_beside_the_images_are_refused(tmp_path: Path) -> None:
    images = [{"image": "a.png", "points": [[10, 2]]}]
    assert recipes(json_table(tmp_path, {"images": images}), "a.png")
    with pytest.raises(ZimError, match="'units'; allowed are images"):
        json_table(tmp_path, {"images": images, "units": "fraction"})


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"version": "5.4", "shapes": [], "imagePath": "a.png"}, "labelme"),
        ({"images": [], "annotations": [], "categories": []}, "COCO"),
        ([{"image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4]}], "COCO"),
        ({"image": {"file_name": "a.jpg"}, "annotations": []}, "SA-1B"),
        ([{"segmentation": {}, "bbox": [1, 2, 3, 4], "area": 3}], "automatic mask"),
        ([{"id": 1, "annotations": [], "data": {"image": "a.png"}}], "Label Studio"),
        ({"a.png12": {"filename": "a.png", "regions": []}}, "VGG Image Annotator"),
        ({"type": "FeatureCollection", "features": []}, "GeoJSON"),
        (Recipe().with_point(Point(5, 5)).to_json(), "recipe"),
    ],
)
def test_files_of_other_programs_are_named(
    tmp_path: Path, data: Any, name: str
) -> None:
    with pytest.raises(ZimError, match=name) as caught:
        json_table(tmp_path, data)
    assert '[{"image": NAME' in caught.value.hint
