"""(torch) Loading the model of a training, and choosing the weights to train."""

from __future__ import annotations

import warnings
from dataclasses import replace

import torch

from socialcli.inference.memory import free_bytes
from socialcli.jobs.job import Job
from socialcli.models.contract import Adapter
from socialcli.verbs.train.learning.trainable import Learner, LoraSettings, learn_all, learn_lora
from socialcli.verbs.train.settings import TrainSettings

SHARE_OF_FREE = 0.5  # of the free memory, for clips kept between epochs


def load_model(job: Job, settings: TrainSettings) -> Adapter:
    """The model, in float32 if all weights are trained. Raises CheckpointError, and UsageError for a missing device."""
    options = replace(job.load_options, dtype="float32") if settings.full else job.load_options
    adapter = job.model.item.load_checked(options)
    if settings.gradient_checkpointing:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # it is to be renamed, and older versions lack the new name
            adapter.model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return adapter


def learner_of(adapter: Adapter, settings: TrainSettings) -> Learner:
    """The weights to train: all of the model's, or those of a new LoRA. Raises UsageError for unknown targets."""
    if settings.full:
        half = settings.ask.compute.dtype == "bfloat16" or (
            settings.ask.compute.dtype == "auto" and adapter.device.type == "cuda"
        )
        return learn_all(adapter, torch.bfloat16 if half else torch.float32)
    alpha = 2.0 * settings.lora_rank if settings.lora_alpha is None else settings.lora_alpha
    lora = LoraSettings(settings.lora_rank, alpha, settings.lora_dropout, settings.lora_targets)
    return learn_lora(adapter, lora, settings.seed)


def clip_memory(settings: TrainSettings) -> int:
    """The bytes that clips kept for the next epoch may take."""
    if settings.keep_clips is not None:
        return int(settings.keep_clips * 2**30)
    return int(free_bytes() * SHARE_OF_FREE)
