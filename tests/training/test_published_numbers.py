"""Every number of the paper that is stored, copied once more from its table."""

import pytest

from training.ablations import TABLES
from zim_model.evaluation.published import MICROMAT

TABLE_1 = """\
SAM point 68.076 21.651 23.307 16.496 67.730 17.093 5.569 5.756 4.800 17.035
SAM box 36.086 11.057 12.714 14.867 35.834 3.516 1.044 1.231 2.551 3.450
HQ-SAM point 110.681 36.674 38.331 16.855 110.421 18.842 6.457 6.645 4.599 18.792
HQ-SAM box 124.262 42.457 44.144 13.673 124.113 8.458 2.733 2.920 2.472 8.400
Matte-Any point 68.797 20.844 23.564 8.118 68.939 19.717 6.053 6.675 2.633 19.506
Matte-Any box 34.661 9.746 12.182 7.021 34.856 6.950 1.983 2.445 2.142 6.905
Matting-Any point 275.398 77.335 97.141 20.019 270.722
  164.145 36.187 55.943 23.244 155.780
Matting-Any box 246.214 68.372 87.617 19.185 241.597
  109.639 23.780 38.662 15.841 102.439
ZIM point 31.286 8.213 10.740 5.324 31.009 6.645 1.788 2.320 1.469 6.472
ZIM box 9.961 1.893 3.426 4.813 9.655 1.860 0.448 0.659 1.281 1.807
"""
"""System, prompt; SAD, MSE, MAE, Grad and Conn on the fine and the coarse part."""
ABLATIONS = {
    "2": """
neither: 3.324 .276 2.664 .716 .117 .684
SGA: 2.440 .122 2.139 .697 .092 .634
STL: 3.153 .239 2.457 .635 .089 .653
SGA and STL: 1.999 .080 1.771 .281 .021 .399
""",
    "3a": """
SAM's decoder: 13.623 2.718 6.516 2.071 .474 1.526
masked attention: 13.198 2.504 6.445 2.049 .471 1.486
hierarchical decoder: 11.074 2.094 5.401 2.069 .487 1.355
both (ZIM): 9.961 1.893 4.813 1.860 .448 1.281
""",
    "3b": """
nowhere: 11.074 2.094 5.401 2.069 .487 1.355
token to image (ZIM): 9.961 1.893 4.813 1.860 .448 1.281
image to token: 12.526 2.658 6.032 2.353 .554 1.481
both ways: 10.437 1.997 5.066 1.999 .470 1.306
""",
    "3c": """
public mattes: 120.571 38.332 6.730 9.506 2.760 1.688
SA1B-Matte: 9.961 1.893 4.813 1.860 .448 1.281
Matting-Any, public mattes: 246.214 68.372 19.185 109.639 23.780 15.841
Matting-Any, SA1B-Matte: 41.242 12.267 7.707 4.626 1.284 1.552
""",
}
"""Row; SAD, MSE and Grad on the fine and the coarse part."""


def test_table_1():
    expected = {}
    for line in TABLE_1.replace("\n  ", " ").splitlines():
        system, prompt, *numbers = line.split()
        expected[system, prompt, "fine"] = [*map(float, numbers[:5])]
        expected[system, prompt, "coarse"] = [*map(float, numbers[5:])]
    stored = {
        (row.system, row.prompt, row.subset): [
            row.means[name] for name in ("SAD", "MSE", "MAE", "Grad", "Conn")
        ]
        for row in MICROMAT
    }
    assert stored == expected


@pytest.mark.parametrize("number", TABLES)
def test_tables_of_ablations(number):
    table = TABLES[number]
    stored = {v.title: v.paper for v in table.variants if v.paper is not None}
    stored |= table.others
    expected = {}
    for line in ABLATIONS[number].strip().splitlines():
        title, _, numbers = line.partition(": ")
        values = tuple(map(float, numbers.split()))
        expected[title] = {"fine": values[:3], "coarse": values[3:]}
    assert stored == expected
