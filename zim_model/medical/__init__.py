"""Grey values beyond 8 bits: windows, DICOM and NIfTI files.

Imports neither pydicom nor nibabel, the packages of the extra ``[medical]``, until a
file of theirs is read.
"""

from __future__ import annotations
