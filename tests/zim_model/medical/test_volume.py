import sys

import numpy as np
import pytest

from zim_app.__main__ import main
from zim_model.errors import ImageError
from zim_model.evaluation import open_dataset
from zim_model.evaluation.reading import read_image, read_label_map, read_truth
from zim_model.medical.reading import read_volume
from zim_model.medical.volume import file_stem
from zim_model.medical.window import Window

nibabel = pytest.importorskip("nibabel")
pydicom = pytest.importorskip("pydicom")


def write_nifti(path, values, affine=None):
    affine = np.eye(4) if affine is None else affine
    nibabel.save(nibabel.Nifti1Image(values, affine), path)


def write_dicom(path, values, **tags):
    """A file of secondary capture, without a patient."""
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    data.SOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
    data.SOPInstanceUID = pydicom.uid.generate_uid()
    data.Rows, data.Columns = values.shape[-2:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = values.dtype.itemsize * 8
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(values.dtype.kind == "i")
    if values.ndim == 3:
        data.NumberOfFrames = len(values)
    data.PixelData = values.tobytes()
    for name, value in tags.items():
        setattr(data, name, value)
    pydicom.dcmwrite(path, data, enforce_file_format=True)


def test_axial_slices_have_right_on_the_left_and_anterior_up(tmp_path):
    values = np.zeros((4, 5, 3), np.int16)
    values[3, 4, 2] = 7  # right, anterior, superior
    write_nifti(tmp_path / "a.nii.gz", values)
    volume = read_volume(tmp_path / "a.nii.gz")
    assert volume.slices.shape == (3, 5, 4)
    assert volume.slices[2, 0, 0] == 7
    # The same voxels stored from right to left.
    write_nifti(tmp_path / "b.nii", values[::-1], np.diag([-1, 1, 1, 1]))
    assert (read_volume(tmp_path / "b.nii").slices == volume.slices).all()
    coronal = read_volume(tmp_path / "a.nii.gz", "coronal").slices
    assert coronal.shape == (5, 3, 4)
    assert coronal[4, 0, 0] == 7
    sagittal = read_volume(tmp_path / "a.nii.gz", "sagittal").slices
    assert sagittal.shape == (4, 3, 5)
    assert sagittal[3, 0, 0] == 7


def test_dicom_is_rescaled_to_hounsfield_units_and_windowed(tmp_path):
    stored = np.array([[0, 864], [1064, 1264]], np.uint16)
    tags = {"RescaleSlope": 1, "RescaleIntercept": -1024, "Modality": "CT"}
    path = tmp_path / "ct.dcm"
    write_dicom(path, stored, **tags, WindowCenter=[40, 500], WindowWidth=[400, 2000])
    volume = read_volume(path)
    assert volume.hounsfield
    assert volume.window == Window(40, 400)
    assert volume.slices[0].tolist() == [[-1024, -160], [40, 240]]
    assert read_image(path)[..., 0].tolist() == [[0, 0], [128, 255]]
    assert read_image(path, Window(-1024, 2))[0, 0, 0] == 128


def test_monochrome1_is_inverted(tmp_path):
    values = np.array([[0, 255]], np.uint8)
    write_dicom(tmp_path / "x.dcm", values, PhotometricInterpretation="MONOCHROME1")
    assert read_image(tmp_path / "x.dcm")[..., 0].tolist() == [[255, 0]]


@pytest.mark.parametrize(
    ("make", "reason", "cure"),
    [
        (lambda p: p.write_bytes(b"no"), "no DICOM file", "DICM"),
        (
            lambda p: write_dicom(
                p, np.zeros((2, 2), np.uint8), PhotometricInterpretation="PALETTE COLOR"
            ),
            "PALETTE COLOR",
            "MONOCHROME2",
        ),
        (
            lambda p: write_dicom(p, np.zeros((3, 2, 2), np.uint8)),
            "3 slices",
            "zim-studio slices",
        ),
        (
            lambda p: write_dicom(p, np.zeros((2, 2), np.uint8), Rows=60000),
            "damaged",
            "again",
        ),
    ],
)
def test_what_is_wrong_with_a_dicom_file_is_told(tmp_path, make, reason, cure):
    path = tmp_path / "x.dcm"
    make(path)
    with pytest.raises(ImageError, match=reason) as caught:
        read_image(path)
    assert "x.dcm" in caught.value.message
    assert cure in caught.value.hint


def test_a_compression_without_decoder_names_itself_and_the_cure(tmp_path):
    path = tmp_path / "x.dcm"
    write_dicom(path, np.zeros((2, 2), np.uint8))
    data = pydicom.dcmread(path)
    data.file_meta.TransferSyntaxUID = pydicom.uid.JPEGLSLossless
    data.PixelData = pydicom.encaps.encapsulate([b"\xff\xd8\xff\xd9"])
    pydicom.dcmwrite(path, data)
    with pytest.raises(ImageError, match="JPEG-LS") as caught:
        read_image(path)
    assert "gdcmconv --raw" in caught.value.hint


@pytest.mark.parametrize("package", ["pydicom", "nibabel"])
def test_a_missing_package_names_the_extra(tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImageError, match=package) as caught:
        read_image(tmp_path / ("x.dcm" if package == "pydicom" else "x.nii"))
    assert "[medical]" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"\x5c\x01" + b"\0" * 400, b"\x1f\x8b\x08"])
@pytest.mark.parametrize("name", ["x.nii", "x.nii.gz", "x.dcm"])
def test_damaged_files_are_errors_that_name_them(tmp_path, content, name):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"x\.") as caught:
        read_volume(path)
    assert caught.value.hint


def test_several_volumes_are_refused(tmp_path):
    write_nifti(tmp_path / "x.nii", np.zeros((2, 2, 2, 5), np.int16))
    with pytest.raises(ImageError, match="5 volumes"):
        read_volume(tmp_path / "x.nii")


@pytest.fixture
def volume(tmp_path):
    """A volume of 6 slices, of which 2 to 4 have an object, and its mask."""
    values = np.full((20, 24, 6), -1000, np.int16)
    marks = np.zeros((20, 24, 6), np.uint8)
    values[3:17, 3:20] = 0
    values[6:12, 8:14, 2:5], marks[6:12, 8:14, 2:5] = 60, 1
    marks[14:16, 4:6, 3] = 2
    write_nifti(tmp_path / "ct.nii.gz", values)
    write_nifti(tmp_path / "seg.nii.gz", marks)
    return tmp_path


def test_slices_with_their_masks_can_be_evaluated(volume, capsys):
    out = volume / "out"
    argv = ["slices", str(volume / "ct.nii.gz"), "--mask", str(volume / "seg.nii.gz")]
    assert main([*argv, "-o", str(out), "--window", "0,400"]) == 0
    assert "3 of 6 slices" in capsys.readouterr().out
    dataset = open_dataset(out)
    assert [case.name for case in dataset.cases] == ["ct_2", "ct_3", "ct_4"]
    image, truth = read_image(dataset.cases[1].image), read_truth(dataset.cases[1])
    assert image.shape == (24, 20, 3)
    assert (truth > 0).sum() == 36 + 4
    assert np.unique(image[truth > 0]).tolist() == [128, 166]
    assert main([*argv, "-o", str(out)]) == 1  # nothing is overwritten
    assert "exists already" in capsys.readouterr().err
    numbered = volume / "numbered"
    assert main([*argv, "-o", str(numbered), "--labels", "--every", "3"]) == 0
    cases = open_dataset(numbered, "labels").cases
    assert [case.name for case in cases] == ["ct_3/1", "ct_3/2"]


def test_a_mask_of_another_grid_is_refused(volume, capsys):
    write_nifti(volume / "other.nii", np.ones((20, 24, 5), np.uint8))
    argv = ["slices", str(volume / "ct.nii.gz"), "-o", str(volume / "out")]
    assert main([*argv, "--mask", str(volume / "other.nii")]) == 1
    assert "other.nii has 5 x 24 x 20 voxels" in capsys.readouterr().err
    assert main(argv) == 0
    assert len(list((volume / "out/images").iterdir())) == 6


def test_a_mask_at_another_place_or_of_fractions_is_refused(volume, capsys):
    marks = np.zeros((20, 24, 6), np.uint8)
    marks[6:12, 8:14, 2:5] = 1
    moved = np.eye(4)
    moved[0, 3] = 5
    write_nifti(volume / "moved.nii", marks, moved)
    write_nifti(volume / "soft.nii", marks * np.float32(0.4))
    flipped = np.diag([-1.0, 1, 1, 1])
    flipped[0, 3] = 19.001  # the same voxels, stored from right to left
    write_nifti(volume / "flipped.nii", marks[::-1], flipped)
    argv = ["slices", str(volume / "ct.nii.gz"), "-o", str(volume / "out"), "--mask"]
    assert main([*argv, str(volume / "moved.nii")]) == 1
    assert "moved.nii lie elsewhere" in capsys.readouterr().err
    assert main([*argv, str(volume / "soft.nii")]) == 1
    assert "soft.nii holds numbers that are not whole" in capsys.readouterr().err
    assert main([*argv, str(volume / "flipped.nii")]) == 0


def test_a_mask_with_numbers_of_its_compression_is_refused(tmp_path, capsys):
    values = np.zeros((8, 9), np.uint8)
    values[2:5, 3:7] = 1
    write_dicom(tmp_path / "ct.dcm", values)
    write_dicom(tmp_path / "seg.dcm", values, LossyImageCompression="01")
    argv = ["slices", str(tmp_path / "ct.dcm"), "-o", str(tmp_path / "out"), "--mask"]
    assert main([*argv, str(tmp_path / "seg.dcm")]) == 1
    assert "seg.dcm is no label map" in capsys.readouterr().err
    with pytest.raises(ImageError, match="changes numbers"):
        read_label_map(tmp_path / "seg.dcm")
    assert read_label_map(tmp_path / "ct.dcm").max() == 1
    write_dicom(tmp_path / "ct.dcm", values, LossyImageCompression="01")  # a photo
    write_dicom(tmp_path / "seg.dcm", values)
    assert main([*argv, str(tmp_path / "seg.dcm")]) == 0


def test_the_suffix_of_nifti_is_one(tmp_path):
    assert file_stem(tmp_path / "a.b.nii.gz") == "a.b"
