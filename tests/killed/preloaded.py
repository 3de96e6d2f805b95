"""What the processes that are killed need, imported once; nothing starts threads."""

import onnxruntime  # noqa: F401
import scipy.ndimage  # noqa: F401
import torch
import torch._dynamo

import zim_model.evaluation.runner
import zim_model.inference.engine  # noqa: F401

torch.set_num_threads(1)
